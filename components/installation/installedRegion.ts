import type * as pulumi from "@pulumi/pulumi";
import { ELASTICSEARCH_RELEASE, RELEASE } from "../generations/objects";
import type { RegionName } from "../base/brokers";
import { ElasticsearchHealth } from "./elasticsearchHealth";
import type { InstalledSettings } from "../settings";
import { CamundaRelease } from "./kubernetes/camundaRelease";
import { Elasticsearch } from "./kubernetes/elasticsearch";
import type { PeerState, RecordedState } from "../stack/stackState";

/** What an installed region hands to the recovery and to the stack's outputs. */
export interface InstalledRegion {
  /** What must be in place before a recovery acts: the fence, open or closed, and DNS. */
  readonly before: pulumi.Resource[];
  /** Camunda's release. */
  readonly camunda: CamundaRelease;
  /** What the stack exports of it. */
  readonly outputs: InstalledOutputs;
  /** Declares what comes after a recovery, and says what it is: nothing of it may keep a recovery from ending. */
  afterRecovery(recovery: pulumi.Resource): pulumi.Resource[];
}

/** Outputs of an installed region. */
export interface InstalledOutputs {
  /** Kubeconfig of the region's cluster: a secret, although it holds no credential but a way to get one. */
  kubeconfig?: pulumi.Output<string>;
  /** The bucket of the region's backups. */
  backupBucket?: pulumi.Output<string>;
  /** The region's VPC and its peering with the other's. */
  network?: { vpcId: pulumi.Output<string>; peeringConnectionId?: pulumi.Output<string> };
}

/** What both installed regions are made from. */
export interface InstalledRegionArgs {
  settings: InstalledSettings;
  /**
   * The fence towards the other region: closed while that is lost, opened while it is failed back; undefined:
   * nothing is said of it, and it is open.
   */
  fence: "closed" | "opened" | undefined;
  /** What the fence comes after: that a loss is declared stands in the state before it closes. */
  first: pulumi.Resource[];
  /** Whether this region was lost, is made anew, and waits to be failed back. */
  rejoining: boolean;
  /** The region that serves the users. */
  activeRegion: RegionName;
  peer: PeerState;
  recorded: RecordedState;
  /** The description of each release by its name; another one than is recorded applies the release again. */
  descriptions: Record<string, string | undefined>;
}

/**
 * A fence closes before anything else, and opens when DNS of the other region is back: its brokers
 * start at that moment, and those of this region must find them.
 */
export function dnsFirst(fenced: boolean, dns: pulumi.Resource): pulumi.Resource[] {
  return fenced ? [] : [dns];
}

/**
 * What a region consists of on every platform: Elasticsearch, Camunda, and a look at whether they are there.
 *
 * @param place where they are declared, and after what: `after` is of Elasticsearch only
 */
export function camundaIn(
  name: string,
  args: InstalledRegionArgs,
  place: {
    options: pulumi.ComponentResourceOptions;
    namespace: pulumi.Input<string>;
    roleArn?: pulumi.Input<string>;
    after: pulumi.Resource[];
    dns: pulumi.Resource;
    fence: pulumi.Resource[];
  },
): Pick<InstalledRegion, "before" | "camunda"> {
  const { settings, rejoining, descriptions, peer, recorded } = args;
  const { options, namespace, roleArn, after, dns, fence } = place;
  const elasticsearch = new Elasticsearch(
    `${name}-elasticsearch`,
    {
      settings,
      namespace,
      roleArn,
      description: descriptions[ELASTICSEARCH_RELEASE],
      // That of a recreated region is to be restored from the survivor's.
      data:
        recorded.releases[ELASTICSEARCH_RELEASE]?.image ??
        (rejoining && peer.known ? peer.searchImage : undefined),
    },
    { ...options, dependsOn: [...after, dns] },
  );
  const camunda = new CamundaRelease(
    `${name}-camunda`,
    { settings, rejoining, namespace, description: descriptions[RELEASE] },
    { ...options, dependsOn: [elasticsearch, dns] },
  );
  const healthy = elasticsearchHealth(args, {
    parent: options.parent,
    dependsOn: [elasticsearch, camunda],
  });
  // A failover waits for its fence alone: DNS may take a minute, and only saves others one.
  const before = args.fence === "closed" ? fence : [...fence, dns, camunda, ...healthy];
  return { before, camunda };
}

/**
 * Looked at when it was installed, and once more when the number of nodes changes. After Camunda is installed, which
 * starts beside it; never for the first time in a failover, which waits for nothing of Elasticsearch.
 */
function elasticsearchHealth(
  { settings, fence, recorded }: InstalledRegionArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  return fence === "closed" && recorded.searchReady !== true
    ? []
    : [
        new ElasticsearchHealth(
          "elasticsearch-health",
          { nodes: settings.installation.sizing.elasticsearch.nodes },
          options,
        ),
      ];
}

import * as pulumi from "@pulumi/pulumi";
import { adoptsBucket, BackupBucket } from "./backupBucket";
import { EksDnsChaining } from "./dnsChaining";
import { EksCluster } from "./eksCluster";
import { dnsAddresses } from "../../settings/eksNames";
import { EksPeerFence } from "./peerFence";
import { awsProvider } from "./provider";
import { RegionNetwork } from "./regionNetwork";
import type * as aws from "./sdk";
import { TrafficRouting } from "./trafficRouting";
import { peerOf } from "../../base/brokers";
import type { EksSettings } from "../../settings";
import type { CamundaRelease } from "../kubernetes/camundaRelease";
import { corefile } from "../kubernetes/corefile";
import { ELASTICSEARCH_SERVICE_ACCOUNT } from "../kubernetes/elasticsearch";
import { CamundaNamespace } from "../kubernetes/namespace";
import {
  camundaIn,
  InstalledOutputs,
  InstalledRegion,
  InstalledRegionArgs,
  dnsFirst,
} from "../installedRegion";

/** Arguments of {@link EksRegion}. */
export interface EksRegionArgs extends InstalledRegionArgs {
  eks: EksSettings;
}

/**
 * One region on EKS, in the order in which it comes up: network, cluster, names, fence, bucket,
 * Elasticsearch, Camunda. Calls the APIs of its own AWS region only.
 */
export class EksRegion extends pulumi.ComponentResource implements InstalledRegion {
  readonly before: pulumi.Resource[];
  readonly camunda: CamundaRelease;
  readonly outputs: InstalledOutputs;

  /** Asks, for a stack that has another bucket or none, whether the one it is to have is there, and declares the region. */
  static async create(name: string, args: EksRegionArgs): Promise<EksRegion> {
    const { eks, recorded, settings } = args;
    const provider = awsProvider(`${name}-aws`, eks, settings.region);
    const adopt = await adoptsBucket(recorded, eks, settings.region, provider);
    return new EksRegion(name, args, provider, adopt);
  }

  private constructor(
    private readonly name: string,
    private readonly args: EksRegionArgs,
    provider: aws.Provider,
    adopt: boolean,
  ) {
    const { settings, eks } = args;
    const { region } = settings;
    const { namespaces } = settings.installation;
    super("camunda8:region:EksRegion", name, {}, { providers: [provider] });
    const parent = { parent: this };
    const fenced = args.fence === "closed";

    const network = new RegionNetwork(
      `${name}-network`,
      { eks, region, peer: peerNetwork(args) },
      parent,
    );
    const cluster = new EksCluster(`${name}-cluster`, { eks, region, network }, parent);
    const inCluster = { parent: this, providers: [provider, cluster.provider] };
    const peer = peerOf(region);
    const dns = new EksDnsChaining(
      `${name}-dns`,
      {
        eks,
        region,
        network,
        cluster,
        corefile: corefile({
          peerNamespace: namespaces[peer],
          peerAddresses: dnsAddresses(eks.cidrs[peer].vpc),
          fenced,
        }),
      },
      inCluster,
    );
    const fence = new EksPeerFence(
      `${name}-fence`,
      { eks, region, network, fenced },
      { parent: this, dependsOn: [...args.first, ...dnsFirst(fenced, dns)] },
    );
    const bucket = new BackupBucket(
      `${name}-backup`,
      {
        eks,
        region,
        oidcProviderArn: cluster.oidcProviderArn,
        issuer: cluster.issuer,
        namespace: namespaces[region],
        serviceAccount: ELASTICSEARCH_SERVICE_ACCOUNT,
        adopt,
      },
      parent,
    );
    const namespace = new CamundaNamespace(
      `${name}-namespace`,
      { name: namespaces[region] },
      { ...inCluster, dependsOn: [cluster.nodeGroup] },
    );
    ({ before: this.before, camunda: this.camunda } = camundaIn(name, args, {
      options: inCluster,
      namespace: namespace.name,
      roleArn: bucket.roleArn,
      after: [bucket],
      dns,
      fence: fence.resources,
    }));
    this.outputs = {
      kubeconfig: cluster.kubeconfig,
      backupBucket: bucket.bucket,
      network: { vpcId: network.vpcId, peeringConnectionId: network.peeringConnectionId },
    };
    this.registerOutputs(this.outputs);
  }

  afterRecovery(recovery: pulumi.Resource): pulumi.Resource[] {
    const { settings, activeRegion, eks } = this.args;
    return eks.traffic === undefined
      ? []
      : [
          new TrafficRouting(
            `${this.name}-traffic`,
            {
              traffic: eks.traffic,
              region: settings.region,
              active: activeRegion === settings.region,
            },
            { parent: this, dependsOn: [recovery] },
          ),
        ];
  }
}

/**
 * What is known of the other region's network: what its stack says, else what was known when the peering
 * was made. A peering that was made once is never given up because the other stack cannot be read.
 */
function peerNetwork({ peer, recorded }: InstalledRegionArgs) {
  const said = peer.known ? peer.network : {};
  const own = recorded.network.vpcId;
  // What was requested to a VPC of this region that is gone is gone as well: accepting it would fail.
  const requested =
    own !== undefined && said.requestedVpcId === own ? said.requestedPeering : undefined;
  return {
    vpcId: said.vpcId ?? recorded.network.requestedVpcId,
    peeringConnectionId: requested ?? recorded.network.acceptedPeering,
  };
}

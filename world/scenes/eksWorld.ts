import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { isRecord } from "../../components/base/json";
import { EmbeddedWorldOptions } from "../camunda/embedded";
import { makeFakeAws, writeAnswers } from "../aws/fakeAws";
import type { KubeObject } from "../kubernetes/played/objects";
import { EKS_COREFILE } from "../kubernetes/shippedCorefiles";
import { AwsStandIn } from "../aws";
import { BUCKET, CLUSTER, VPC } from "../aws/tokens";

import { roleAllows, whyNotAssumable } from "../aws/iam";
import { Network } from "../aws/network";

import { Aws } from "../aws/state";
import { RegionCluster } from "../kubernetes/played/cluster";
import { Corefile } from "../kubernetes/played/corefile";
import type { Wiring } from "../kubernetes/played/regions";
import type { Properties } from "../pulumi/properties";
import type { StandIn } from "../pulumi/standIn";
import type { RegionName } from "../world";
import { ownCharts } from "./charts";
import { InstalledWorld } from "./installedWorld";

const ACCOUNT = "123456789012";

/** The program's defaults. */
const AWS_REGIONS = { region0: "eu-west-2", region1: "eu-west-3" };

/** What the service account of Elasticsearch's pods takes a role by. */
const ROLE_ANNOTATION = "eks.amazonaws.com/role-arn";

/** An AWS account with nothing in it: platform `eks`. */
export class EksWorld extends InstalledWorld {
  readonly config = { platform: "eks", awsAccount: ACCOUNT, charts: ownCharts() };
  readonly aws: Aws;
  protected readonly fence = "aws:ec2/networkAcl:NetworkAcl";
  private readonly network: Network;
  /** EKS clusters that are there, by region. */
  private readonly names = new Map<RegionName, string>();
  private folder = "";

  constructor(options: EmbeddedWorldOptions = {}) {
    super(options);
    this.aws = new Aws(ACCOUNT, this.outages, {
      onCluster: (awsRegion, { name }) => this.build(regionOf(awsRegion), name),
      onClusterDeleted: async (awsRegion) => {
        this.names.delete(regionOf(awsRegion));
        await this.deleteCluster(regionOf(awsRegion));
        this.answerAws();
      },
      onAddon: async (awsRegion, _cluster, addon, configuration) =>
        this.putAddon(regionOf(awsRegion), addon, configuration),
    });
    this.network = new Network(this.aws, (awsRegion, port) =>
      dnsProblem(this.live.get(regionOf(awsRegion))?.cluster, port),
    );
  }

  outageOf(region: RegionName): string {
    return AWS_REGIONS[region];
  }

  async leftIn(region: RegionName): Promise<string[]> {
    return this.aws
      .inRegion(AWS_REGIONS[region])
      .filter(({ type, id, implicit }) => {
        // Buckets are kept on purpose, and keys of a stack that was lost. A peering is kept for a stack that cannot see the other, and goes with its VPC.
        const kept =
          /^aws:(s3|kms)\//.test(type) || this.aws.peerings.get(id)?.status === "deleted";
        return !kept && implicit !== true;
      })
      .map(({ type, id }) => `${type} ${id}`);
  }

  protected standIns(): StandIn[] {
    return [new AwsStandIn(this.aws)];
  }

  protected wiring(): Wiring {
    return {
      corefile: (region) => corefileOf(this.live.get(region)?.cluster),
      dnsServerAt: (from, address, protocol) => {
        if (protocol === "udp") {
          return undefined;
        }
        const answer = this.network.dnsAnswersAt(address, AWS_REGIONS[from]);
        return answer.ok ? regionOf(answer.region) : undefined;
      },
      podCidrs: (region) => [
        String(this.aws.list(VPC, AWS_REGIONS[region])[0]?.inputs.cidrBlock ?? "10.255.0.0/16"),
      ],
      obstacle: (from, to, port, protocol) => {
        const verdict = this.network.reachable(AWS_REGIONS[from], AWS_REGIONS[to], port, protocol);
        return verdict.ok ? undefined : verdict.why;
      },
      bucketProblem: (region, bucket, write) => this.bucketProblem(region, bucket, write),
    };
  }

  protected loadBalancer(): string[] {
    // No controller for load balancers is installed on EKS by this program: the address stays pending.
    return [];
  }

  protected serverOf(kubeconfig: string | undefined): string | undefined {
    let parsed: unknown;
    try {
      parsed = JSON.parse(kubeconfig ?? "");
    } catch {
      return undefined;
    }
    const config = parsed as {
      clusters?: { cluster?: { server?: string } }[];
    };
    return isRecord(parsed) ? config.clusters?.[0]?.cluster?.server : undefined;
  }

  protected platformEnvironment(): Record<string, string> {
    return makeFakeAws(this.folder, { clusters: {} });
  }

  protected async begin(): Promise<void> {
    this.folder = await fs.mkdtemp(path.join(os.tmpdir(), "camunda-aws-"));
  }

  protected loseRest(region: RegionName): void {
    this.names.delete(region);
    this.answerAws();
  }

  protected async recreateRest(region: RegionName): Promise<void> {
    this.aws.forget(AWS_REGIONS[region]);
  }

  protected async cleanUp(): Promise<void> {
    if (this.folder !== "") {
      await fs.rm(this.folder, { recursive: true, force: true });
    }
  }

  private async build(
    region: RegionName,
    name: string,
  ): Promise<{ endpoint: string; certificateAuthority: string }> {
    const { api } = await this.makeCluster(region);
    this.names.set(region, name);
    this.answerAws();
    return {
      endpoint: api.url,
      certificateAuthority: Buffer.from(api.ca).toString("base64"),
    };
  }

  /** What the AWS CLI answers from now on. */
  private answerAws(): void {
    const clusters = [...this.names].flatMap(([region, name]) => {
      const api = this.live.get(region)?.api;
      return api === undefined
        ? []
        : [
            [
              `${AWS_REGIONS[region]}/${name}`,
              { endpoint: api.url, ca: api.ca, token: api.token },
            ] as const,
          ];
    });
    writeAnswers(this.folder, { clusters: Object.fromEntries(clusters) });
  }

  /** EKS writes the ConfigMap of CoreDNS and runs its pods; of the others nothing is seen here. */
  private putAddon(region: RegionName, addon: string, configuration: Properties): void {
    const store = this.live.get(region)?.cluster.store;
    if (addon !== "coredns" || store === undefined) {
      return;
    }
    store.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "coredns", namespace: "kube-system" },
      data: { Corefile: String(configuration.corefile ?? EKS_COREFILE) },
    });
    store.apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "coredns", namespace: "kube-system" },
      spec: { replicas: 2, template: { metadata: { labels: { "k8s-app": "kube-dns" } } } },
    });
  }

  /** By the role of the service account that Elasticsearch's pods run as. */
  private bucketProblem(region: RegionName, name: string, write: boolean): string | undefined {
    const bucket = this.aws.list(BUCKET).find(({ id }) => id === name);
    if (bucket === undefined) {
      return `The specified bucket does not exist: ${name}`;
    }
    if (this.outages.has(String(bucket.region))) {
      return `Unable to execute HTTP request: ${name}`;
    }
    const store = this.live.get(region)?.cluster.store;
    const [nodes] =
      store
        ?.list("StatefulSet", undefined, { "app.kubernetes.io/component": "master" })
        .map(({ metadata, spec }) => ({
          namespace: metadata.namespace ?? "",
          account: (spec as { template: { spec: { serviceAccountName: string } } }).template.spec
            .serviceAccountName,
        })) ?? [];
    const account = store?.get("ServiceAccount", nodes?.namespace, nodes?.account ?? "");
    const role = account?.metadata.annotations?.[ROLE_ANNOTATION];
    if (nodes === undefined || role === undefined) {
      return "Unable to load AWS credentials from any provider in the chain";
    }
    const cluster = this.aws.find(CLUSTER, AWS_REGIONS[region], this.names.get(region));
    const [identity] = (cluster?.outputs.identities ?? []) as { oidcs: { issuer: string }[] }[];
    const refused = whyNotAssumable(this.aws, role, {
      issuer: identity?.oidcs[0]?.issuer ?? "",
      namespace: nodes.namespace,
      serviceAccount: nodes.account,
    });
    if (refused !== undefined) {
      return `Not authorized to perform sts:AssumeRoleWithWebIdentity: ${refused}`;
    }
    const actions: [string, string][] = [
      ["s3:ListBucket", `arn:aws:s3:::${name}`],
      ["s3:GetBucketLocation", `arn:aws:s3:::${name}`],
      ["s3:GetObject", `arn:aws:s3:::${name}/backups/index-0`],
      ...(write
        ? ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"].map(
            (action): [string, string] => [action, `arn:aws:s3:::${name}/backups/index-0`],
          )
        : []),
    ];
    const denied = actions.find(
      ([action, resource]) => !roleAllows(this.aws, role, action, resource),
    );
    if (denied !== undefined) {
      return `Access Denied: ${denied[0]} on ${denied[1]} by ${role}`;
    }
    if (write) {
      this.aws.objects.get(name)?.add("backups/index-0");
    }
    return undefined;
  }
}

function regionOf(awsRegion: string): RegionName {
  const found = (["region0", "region1"] as const).find((name) => AWS_REGIONS[name] === awsRegion);
  if (found === undefined) {
    throw new Error(`there is nothing in ${awsRegion}`);
  }
  return found;
}

/** The configuration that CoreDNS runs with; none when its pods do not get ready with it. */
function corefileOf(cluster: RegionCluster | undefined): string | undefined {
  const map = cluster?.store.get("ConfigMap", "kube-system", "coredns");
  const text = (map?.data as { Corefile?: string } | undefined)?.Corefile;
  try {
    return text !== undefined && new Corefile(text).has("ready") ? text : undefined;
  } catch {
    // CoreDNS does not start with it.
    return undefined;
  }
}

/** Why nothing answers DNS on a port of the nodes; undefined when CoreDNS does. */
function dnsProblem(cluster: RegionCluster | undefined, port: number): string | undefined {
  const service = cluster?.store.list("Service").find((one) => hasNodePort(one, port));
  const selector = (service?.spec as { selector?: Record<string, string> } | undefined)?.selector;
  if (service === undefined) {
    return `no Service has node port ${port}`;
  }
  if (selector?.["k8s-app"] !== "kube-dns") {
    return `Service ${service.metadata.name} does not select CoreDNS`;
  }
  return corefileOf(cluster) === undefined ? "CoreDNS is not ready" : undefined;
}

function hasNodePort({ spec }: KubeObject, port: number): boolean {
  const { type, ports = [] } = spec as { type?: string; ports?: { nodePort?: number }[] };
  return type === "NodePort" && ports.some(({ nodePort }) => nodePort === port);
}

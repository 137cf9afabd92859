import { CAMUNDA_VERSIONS, fits, generationOf, isAskedAlike } from "../generations";
import type { Generation } from "../generations/generation";
import { brokerList, RegionName, without } from "../base/brokers";
import { isKubernetesUrl } from "../base/kubernetesAddress";
import { Refusal } from "../base/refusal";
import { ElasticsearchClient } from "../clients/elasticsearch";
import { Endpoint, Refused, Unreachable } from "../clients/http";
import { KubernetesClient } from "../clients/kubernetes";
import type { Log } from "../clients/poll";
import { Configuration, seenIds, Topology } from "../clients/topology";
import { ZeebeClient } from "../clients/zeebe";
import { oldPatch } from "./patches";
import { Key, readSettings, Settings } from "../settings";

/** The cluster as it is now. */
export interface Observation {
  configuration: Configuration;
  topology: Topology;
  /**
   * Where the configuration comes from. `dry run`: the coordinator is dead and every GET answers 502,
   * but a forced dry run goes to the lowest survivor and shows the members all the same. It carries no
   * changes: a pending one makes it answer 409.
   */
  via: "GET" | "dry run";
}

/** What a provider works with: the settings, and clients for the region of this stack. */
export class Session {
  readonly zeebe: ZeebeClient;
  private cluster: KubernetesClient | undefined;
  private observing: Promise<Observation> | undefined;

  constructor(
    readonly settings: Settings,
    readonly log: Log = (line) => console.log(line),
  ) {
    this.zeebe = new ZeebeClient(
      settings.endpoints[settings.region],
      settings.timeouts.request * 1000,
      this.generation,
      settings.credentials?.[settings.region],
    );
  }

  /** The generation of Camunda that is configured. */
  get generation(): Generation {
    return generationOf(this.settings.camundaVersion);
  }

  /** The brokers of this stack's region. */
  get own(): number[] {
    return this.generation.ids.of(this.settings.region, this.settings.clusterSize);
  }

  /** Elasticsearch of a region. */
  elasticsearch(region: RegionName): ElasticsearchClient {
    return new ElasticsearchClient(
      this.settings.endpoints[region].elasticsearch,
      this.settings.timeouts.request * 1000,
      this.settings.credentials?.[region].elasticsearch,
    );
  }

  /** The Kubernetes API of this stack's own cluster. */
  kubernetes(): KubernetesClient {
    this.cluster ??= KubernetesClient.of(
      this.settings.endpoints[this.settings.region].elasticsearch,
      this.settings.timeouts.request * 1000,
    );
    return this.cluster;
  }

  /** The namespace of this stack's region. */
  namespace(): string {
    const { installation, region } = this.settings;
    if (installation === undefined) {
      throw new Error("platform endpoints has no namespace");
    }
    return installation.namespaces[region];
  }

  /** Management API of one broker. */
  broker(id: number): Endpoint {
    const region = this.generation.ids.regionOf(id);
    const url = this.settings.endpoints[region].brokers[String(id)];
    if (url === undefined) {
      throw new Refusal(
        `broker ${id} is a member, but endpoints.${region}.brokers does not have it: check clusterSize`,
      );
    }
    return { url, credentials: this.settings.credentials?.[region].management };
  }

  /** Pattern of the indices that the brokers' exporters write. */
  get records(): string {
    return `${this.settings.recordsPrefix}*`;
  }

  /** Patterns of Camunda's indices. */
  get indexPatterns(): string[] {
    return this.settings.indexPrefixes.map((prefix) => `${prefix}*`);
  }

  /**
   * Looks at the cluster. Several callers at the same moment (a refresh reads all resources at once)
   * share one look.
   *
   * @throws {@link Unreachable} or {@link Refused} when there is no whole answer, {@link Refusal} when the
   *   cluster is of another version or size than configured
   */
  async observe(): Promise<Observation> {
    this.observing ??= this.look().finally(() => {
      this.observing = undefined;
    });
    return this.observing;
  }

  private async look(): Promise<Observation> {
    const topology = await this.zeebe.topology();
    this.expectConfigured(topology);
    try {
      return { configuration: await this.zeebe.configuration(), topology, via: "GET" };
    } catch (error) {
      if (!coordinatorGone(error)) {
        throw error;
      }
      const plan = await this.zeebe.setBrokers(this.own, { force: true, dryRun: true });
      return { configuration: { members: plan.currentMembers }, topology, via: "dry run" };
    }
  }

  private expectConfigured(topology: Topology): void {
    // A gateway that has just started, and has not heard of any broker, has no sizes to compare.
    if (topology.brokers.length === 0 && topology.partitionsCount === 0) {
      throw new Unreachable(
        `${this.zeebe.endpoints.gateway}/v2/topology`,
        "it knows no broker yet",
      );
    }
    const { camundaVersion, failback, installation, lostRegion, partitionCount } = this.settings;
    const { gatewayVersion } = topology;
    const failsOver = lostRegion !== undefined && failback === undefined;
    if (
      fits(this.generation, gatewayVersion) === "no" &&
      // A region may be lost in the middle of an upgrade: then no version that could be set is that of everything.
      !(failsOver && isAskedAlike(this.generation, gatewayVersion))
    ) {
      throw new Refusal(
        `the gateway is of version ${gatewayVersion}, camundaVersion is ${camundaVersion}: set what runs, of ${CAMUNDA_VERSIONS.join(", ")}${installation === undefined ? "" : "; in an upgrade: look at the gateways' pods"}`,
      );
    }
    // A failover does not wait for an upgrade that needs the quorum which is lost.
    const old = failsOver ? undefined : oldPatch(topology, "upgrade first");
    if (old !== undefined) {
      throw new Refusal(old);
    }
    if (topology.partitionsCount !== partitionCount) {
      throw new Refusal(
        `the cluster has ${topology.partitionsCount} partitions, partitionCount is ${partitionCount}: correct the configuration, or the endpoints if they are of another cluster`,
      );
    }
    const { clusterSize } = this.settings;
    const expected = this.generation.ids.all(clusterSize);
    const foreign = without(seenIds(topology), expected);
    if (foreign.length > 0) {
      throw new Refusal(
        `the gateway sees ${brokerList(foreign)}, with clusterSize ${clusterSize} the ids end at ${expected.at(-1)}: correct clusterSize`,
      );
    }
  }
}

/**
 * What is asked before the first resource must not wait for a dead region: one request takes at most this long, in
 * seconds. Through a Kubernetes API it takes longer: the first one gets access to the cluster.
 */
const BRIEF_SECONDS = { direct: 2, throughKubernetes: 8 };

/** A session whose requests are brief and which says nothing. */
export function briefSession(settings: Settings): Session {
  const request = isKubernetesUrl(settings.endpoints[settings.region].gateway)
    ? BRIEF_SECONDS.throughKubernetes
    : BRIEF_SECONDS.direct;
  return new Session({ ...settings, timeouts: { ...settings.timeouts, request } }, () => undefined);
}

/** Whether an error of `GET /actuator/cluster` is what survivors answer while the coordinator is dead. */
function coordinatorGone(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refused && error.status >= 500);
}

/** What Pulumi hands a dynamic provider once for each process: the configuration of the whole stack, secrets in clear. */
export interface ProviderConfiguration {
  get(key: string): string | undefined;
}

let current: Session | Error | undefined;

/** Keeps the configuration that Pulumi hands over. A bad one is reported by the first operation, as a line. */
export function configureSession(config: ProviderConfiguration): void {
  try {
    current = new Session(readSettings((key: Key) => config.get(key)));
  } catch (error) {
    current = error instanceof Error ? error : new Error(String(error));
  }
}

/** The session of this provider process. */
export function session(): Session {
  if (current === undefined) {
    throw new Error("the provider was not configured");
  }
  if (current instanceof Error) {
    throw current;
  }
  return current;
}

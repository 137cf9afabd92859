import { Cluster } from "./cluster";
import { REGION_NAMES } from "./options";
import { RegionName } from "../../world";

/** What the values of a Camunda release say of a region's brokers. */
export interface BrokerInstallation {
  /** What brokers and gateways call themselves; by default as the world does. */
  version?: string;
  /** Node ids of the pods, in the order of their ordinals. */
  nodeIds: number[];
  clusterSize: number;
  partitionCount: number;
  replicationFactor: number;
  /** `host:port` of the brokers that are asked first. */
  contactPoints: string[];
  /** Exporters by id. */
  exporters: Record<string, { className: string; url: string }>;
  /** Whether a broker that has closed its ports is started again (a liveness probe). */
  restarts: boolean;
  /**
   * The ConfigMap and its key that keep brokers waiting for the other region when it says `true`, and whether
   * the others then wait until the first one of their region has joined, too.
   */
  waitsBy?: { configMap: string; key: string; firstAlone: boolean };
}

/** What is behind an address inside the clusters. */
export type Destination =
  | { kind: "broker"; region: RegionName; ordinal: number }
  | { kind: "elasticsearch"; region: RegionName };

/** Names, networks and buckets around the regions, as they stand at the moment. */
export interface Surroundings {
  /**
   * What answers at `host:port` when a pod of a region asks: nothing when the name is not known there, no
   * way leads to it, or no such pod runs.
   */
  find(
    from: RegionName,
    host: string,
    port: number,
    protocol: "tcp" | "udp",
  ): Destination | undefined;
  /** Why the Elasticsearch of a region cannot use a bucket; undefined when it can. */
  bucketProblem(region: RegionName, bucket: string, write: boolean): string | undefined;
}

/** How often names and networks are asked: brokers notice sooner or later, never at once. */
const GLANCE_MS = 50;

/** The port by which brokers know each other. */
const INTERNAL_PORT = 26502;

/**
 * The regions as they were installed, and whether their brokers are one cluster at the moment. Real brokers
 * of differing sizes behave in ways that nobody has recorded: here they do not become a cluster.
 */
export class Installer {
  private readonly installed = new Map<RegionName, BrokerInstallation>();
  private readonly targets = new Map<string, RegionName | undefined>();
  private glancedAt = 0;

  constructor(readonly surroundings: Surroundings) {}

  get(region: RegionName): BrokerInstallation | undefined {
    return this.installed.get(region);
  }

  set(region: RegionName, installation: BrokerInstallation | undefined): void {
    if (installation === undefined) {
      this.installed.delete(region);
    } else {
      this.installed.set(region, installation);
    }
    this.glancedAt = 0;
  }

  get isEmpty(): boolean {
    return this.installed.size === 0;
  }

  /** Ids of the brokers that can run in a region: those that its values give it and its place in the cluster allows. */
  runnable(region: RegionName, model: Cluster): number[] {
    const ids = this.installed.get(region)?.nodeIds ?? [];
    const { regionOf } = model.settings.dialect;
    return [...new Set(ids)].filter((id) => regionOf(id) === region && model.brokers.has(id));
  }

  /** Why the brokers of both regions are not one cluster; nothing when they are. */
  obstacles(): string[] {
    const [zero, one] = [this.installed.get("region0"), this.installed.get("region1")];
    if (!zero || !one) {
      return ["one region only is installed"];
    }
    const problems: string[] = [];
    for (const key of ["clusterSize", "partitionCount", "replicationFactor"] as const) {
      if (zero[key] !== one[key]) {
        problems.push(`${key} is ${zero[key]} in region0 and ${one[key]} in region1`);
      }
    }
    const ids = [...zero.nodeIds, ...one.nodeIds].sort((a, b) => a - b);
    const expected = Array.from({ length: zero.clusterSize }, (_, id) => id);
    if (ids.join() !== expected.join()) {
      problems.push(
        `the node ids are ${ids.join(", ")}, not those of a cluster of ${zero.clusterSize}`,
      );
    }
    for (const region of REGION_NAMES) {
      if (!this.isSeenFrom(region)) {
        problems.push(`no contact point of ${region} leads to a broker of the other region`);
      }
    }
    return problems;
  }

  /** Lets the model follow names and networks: regions that find each other join, others are apart. */
  glance(model: Cluster, now: number): void {
    if (now < this.glancedAt + GLANCE_MS) {
      return;
    }
    this.glancedAt = now;
    this.targets.clear();
    if (this.obstacles().length === 0) {
      model.heal();
    } else {
      model.cut();
    }
  }

  /** The region to whose Elasticsearch an exporter of a region's leader writes; undefined when it reaches none. */
  exportTarget(from: RegionName, exporterId: string): RegionName | undefined {
    const key = `${from}/${exporterId}`;
    if (!this.targets.has(key)) {
      this.targets.set(key, this.lookUp(from, exporterId));
    }
    return this.targets.get(key);
  }

  private lookUp(from: RegionName, exporterId: string): RegionName | undefined {
    const url = this.installed.get(from)?.exporters[exporterId]?.url;
    if (url === undefined || !URL.canParse(url)) {
      return undefined;
    }
    const { hostname, port, protocol } = new URL(url);
    const found = this.surroundings.find(
      from,
      hostname,
      Number(port || (protocol === "https:" ? 443 : 80)),
      "tcp",
    );
    return found?.kind === "elasticsearch" ? found.region : undefined;
  }

  /** Whether a broker of the region reaches one of the other region's that runs. */
  reachesPeer(region: RegionName, isRunning: (id: number) => boolean): boolean {
    const peer = REGION_NAMES.find((name) => name !== region) as RegionName;
    return (
      this.isSeenFrom(region) &&
      (this.installed.get(peer)?.nodeIds ?? []).some((id) => isRunning(id))
    );
  }

  /**
   * Whether a region finds the other one by itself. Real brokers are also found by the ones that know them;
   * here each region must find the other, since it would have to after a restart.
   */
  private isSeenFrom(region: RegionName): boolean {
    const installation = this.installed.get(region);
    return (installation?.contactPoints ?? []).some((contactPoint) => {
      const [, host, port] = /^(.+):(\d+)$/.exec(contactPoint) ?? [];
      if (host === undefined || Number(port) !== INTERNAL_PORT) {
        return false;
      }
      // Gossip is UDP on the same port: without it no broker becomes a member.
      return (["tcp", "udp"] as const).every((protocol) => {
        const found = this.surroundings.find(region, host, INTERNAL_PORT, protocol);
        return found?.kind === "broker" && found.region !== region;
      });
    });
  }
}

import { isIP } from "node:net";
import { host as addressIn } from "../../../components/base/cidr";
import type { EmbeddedWorld, Destination, Surroundings } from "../../camunda/embedded";
import type { CommandResult, StreamHooks } from "./apiServer";
import { type KubeObject, saysReady } from "./objects";
import type { RegionName } from "../../world";
import { ClusterView, roleOf } from "./cluster";
import { Corefile } from "./corefile";
import { policiesAllow, selects } from "./policies";

/** What lies around the clusters: differs between platforms. */
export interface Wiring {
  /** Configuration of a cluster's CoreDNS as it runs now; undefined when no CoreDNS runs. */
  corefile(region: RegionName): string | undefined;
  /** Region whose DNS server answers a pod of `from` at this address, port 53; undefined when none does. */
  dnsServerAt(from: RegionName, address: string, protocol: "tcp" | "udp"): RegionName | undefined;
  /** Blocks of addresses that the pods of a region have theirs from, in turn. */
  podCidrs(region: RegionName): readonly string[];
  /** Why nothing gets from the pods of one region to a port of the other's; undefined when it does. */
  obstacle(
    from: RegionName,
    to: RegionName,
    port: number,
    protocol: "tcp" | "udp",
  ): string | undefined;
  /** Why the Elasticsearch of a region cannot use a bucket; undefined when it can. */
  bucketProblem(region: RegionName, bucket: string, write: boolean): string | undefined;
}

/** Ports on this machine that the servers of a region are behind: the world's, or a recorder's in front of them. */
export interface Ports {
  gateway: number | undefined;
  management: number | undefined;
  elasticsearch: number | undefined;
  broker(id: number): number | undefined;
}

/** What a pod is found by. */
interface FoundPod {
  region: RegionName;
  pod: KubeObject;
}

/** Time of a handshake within a region and between regions, in seconds. */
const HANDSHAKE_S = { near: 0.0004, far: 0.012 };

/**
 * The clusters of both regions, with the names and ways between their pods: what a pod sees when it looks
 * for another, by the Corefile, the Services, the NetworkPolicies and the network as they are at the moment.
 */
export class Regions implements Surroundings {
  readonly clusters = new Map<RegionName, ClusterView>();
  private readonly addresses = new Map<string, number>();

  constructor(
    private readonly world: EmbeddedWorld,
    private readonly wiring: Wiring,
    private readonly ports: (region: RegionName) => Ports,
  ) {}

  find(
    from: RegionName,
    host: string,
    port: number,
    protocol: "tcp" | "udp",
  ): Destination | undefined {
    const broker = this.podsOf(from, "zeebe-broker")[0];
    if (broker === undefined) {
      return undefined;
    }
    for (const found of this.resolve(from, host) ?? []) {
      if (this.obstacle({ region: from, pod: broker }, found, port, protocol) !== undefined) {
        continue;
      }
      const role = roleOf(found.pod);
      const ordinal = Number(/-(\d+)$/.exec(found.pod.metadata.name)?.[1]);
      if (role === "zeebe-broker") {
        return { kind: "broker", region: found.region, ordinal };
      }
      if (role === "master") {
        return { kind: "elasticsearch", region: found.region };
      }
    }
    return undefined;
  }

  bucketProblem(region: RegionName, bucket: string, write: boolean): string | undefined {
    return this.wiring.bucketProblem(region, bucket, write);
  }

  /** Why a connection from one pod to another does not come about; undefined when it does. */
  obstacle(
    from: FoundPod,
    to: FoundPod,
    port: number,
    protocol: "tcp" | "udp",
  ): string | undefined {
    const listens = containerPorts(to.pod).includes(port);
    if (!listens || (protocol === "udp" && port !== 26502)) {
      return "connection refused";
    }
    if (from.region !== to.region) {
      const obstacle = this.wiring.obstacle(from.region, to.region, port, protocol);
      if (obstacle !== undefined) {
        return obstacle;
      }
    }
    const [source, target] = [this.addressOf(from), this.addressOf(to)];
    const same = from.region === to.region;
    const out = this.cluster(from.region);
    const into = this.cluster(to.region);
    if (out === undefined || into === undefined) {
      return "there is no such cluster";
    }
    const leaves = policiesAllow(
      out.store,
      from.pod,
      "Egress",
      { address: target, ...(same ? { pod: to.pod } : {}) },
      port,
      protocol,
    );
    const enters = policiesAllow(
      into.store,
      to.pod,
      "Ingress",
      { address: source, ...(same ? { pod: from.pod } : {}) },
      port,
      protocol,
    );
    return leaves && enters ? undefined : "a NetworkPolicy drops it";
  }

  /** The pods that a name leads to when a pod of a region asks; undefined when it does not resolve. */
  resolve(
    from: RegionName,
    host: string,
    asked: readonly RegionName[] = [],
  ): FoundPod[] | undefined {
    const text = this.wiring.corefile(from);
    const cluster = this.cluster(from);
    // Two clusters that forward to each other would ask for ever: CoreDNS gives up.
    if (text === undefined || cluster === undefined || asked.includes(from)) {
      return undefined;
    }
    const name = absolute(host);
    let decision;
    try {
      decision = new Corefile(text).decide(name);
    } catch {
      // A CoreDNS with a configuration that it cannot read does not start.
      return undefined;
    }
    switch (decision.kind) {
      case "cluster":
        return serve(cluster, name);
      case "forward": {
        const protocol = decision.tcp ? "tcp" : "udp";
        for (const address of decision.addresses) {
          const region = this.wiring.dnsServerAt(from, address, protocol);
          if (region !== undefined) {
            return this.resolve(region, name, [...asked, from]);
          }
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** Where the streams of a cluster's API lead to. */
  hooks(region: RegionName): StreamHooks {
    return {
      forward: (namespace, pod, port) => this.forward(region, namespace, pod, port),
      exec: (namespace, pod, container, command) =>
        Promise.resolve(this.exec(region, namespace, pod, container, command)),
    };
  }

  /** Address of a pod: stays while the pod is there. */
  addressOf({ region, pod }: FoundPod): string {
    const key = `${region}/${String(pod.metadata.uid)}`;
    const index = this.addresses.get(key) ?? 10 + this.addresses.size;
    this.addresses.set(key, index);
    const blocks = this.wiring.podCidrs(region);
    return addressIn(blocks[index % blocks.length] as string, index);
  }

  private cluster(region: RegionName): ClusterView | undefined {
    return this.clusters.get(region);
  }

  private podsOf(region: RegionName, component: string): KubeObject[] {
    return (
      this.cluster(region)?.store.list("Pod", undefined, {
        "app.kubernetes.io/component": component,
      }) ?? []
    );
  }

  private forward(
    region: RegionName,
    namespace: string,
    name: string,
    port: number,
  ): number | undefined {
    const cluster = this.cluster(region);
    const pod = cluster?.store.get("Pod", namespace, name);
    if (cluster === undefined || pod === undefined) {
      return undefined;
    }
    const ports = this.ports(region);
    switch (roleOf(pod)) {
      case "zeebe-broker": {
        const id = cluster.brokerOf(pod);
        return port === 9600 && id !== undefined ? ports.broker(id) : undefined;
      }
      case "zeebe-gateway":
        return port === 8080 ? ports.gateway : port === 9600 ? ports.management : undefined;
      case "master":
        return port === 9200 ? ports.elasticsearch : undefined;
      default:
        return undefined;
    }
  }

  /** `curl`, of which the times and the exit code are told: all else is no command of these pods. */
  private exec(
    region: RegionName,
    namespace: string,
    name: string,
    container: string,
    command: string[],
  ): CommandResult {
    const pod = this.cluster(region)?.store.get("Pod", namespace, name);
    const { containers = [] } = (pod?.spec ?? {}) as { containers?: { name: string }[] };
    if (pod === undefined || !containers.some((one) => one.name === container)) {
      throw new Error(`container ${container} is not valid for pod ${name}`);
    }
    const url = command.at(-1) ?? "";
    if (command[0] !== "curl" || !URL.canParse(url)) {
      throw new Error(`exec: "${command[0] ?? ""}": executable file not found in $PATH`);
    }
    const { hostname, port: text } = new URL(url);
    const port = Number(text || 80);
    const answer = this.connect({ region, pod }, hostname, port);
    const lookup = isIP(hostname) === 0 && answer.resolved ? 0.002 : 0;
    const connect = answer.connected
      ? lookup + (answer.region === region ? HANDSHAKE_S.near : HANDSHAKE_S.far)
      : 0;
    const exitCode = !answer.resolved ? 6 : !answer.connected ? 28 : port === 9200 ? 0 : 52;
    return { stdout: `${lookup.toFixed(6)} ${connect.toFixed(6)}`, exitCode };
  }

  /** What a pod sees of a host: whether its name resolves, and whether a connection comes about. */
  private connect(
    from: FoundPod,
    host: string,
    port: number,
  ): { resolved: boolean; connected: boolean; region?: RegionName } {
    if (isIP(host) !== 0) {
      const region = port === 53 ? this.wiring.dnsServerAt(from.region, host, "tcp") : undefined;
      const allowed = this.leaves(from, host, port);
      return { resolved: true, connected: allowed && region !== undefined, region };
    }
    const pods = this.resolve(from.region, host);
    if (pods === undefined || pods.length === 0) {
      return { resolved: false, connected: false };
    }
    const found = pods.find(
      (pod) => this.isLiving(pod) && this.obstacle(from, pod, port, "tcp") === undefined,
    );
    return { resolved: true, connected: found !== undefined, region: found?.region };
  }

  private leaves(from: FoundPod, address: string, port: number): boolean {
    const cluster = this.cluster(from.region);
    return (
      cluster !== undefined &&
      policiesAllow(cluster.store, from.pod, "Egress", { address }, port, "tcp")
    );
  }

  /** Whether the process in a pod runs and listens. */
  private isLiving({ region, pod }: FoundPod): boolean {
    const cluster = this.cluster(region);
    switch (roleOf(pod)) {
      case "zeebe-broker": {
        const id = cluster?.brokerOf(pod);
        return id !== undefined && this.world.isRunning(id);
      }
      case "master":
        return this.world.isSearching(region);
      default:
        return cluster !== undefined;
    }
  }
}

/** A name as a pod asks for it first: what ends with `svc` is searched in the cluster's own zone. */
function absolute(host: string): string {
  const name = host.replace(/\.$/, "").toLowerCase();
  return name.endsWith(".svc") ? `${name}.cluster.local` : name;
}

/** What plugin `kubernetes` answers: pods of headless Services. Others have an address that only their own cluster knows. */
function serve({ store, region }: ClusterView, name: string): FoundPod[] | undefined {
  const [, host, namespace] = /^(.+)\.([^.]+)\.svc\.cluster\.local$/.exec(name) ?? [];
  const [serviceName = "", podName] = (host ?? "").split(".").reverse();
  const service = store.get("Service", namespace, serviceName);
  const {
    clusterIP,
    selector,
    publishNotReadyAddresses = false,
  } = (service?.spec ?? {}) as {
    clusterIP?: string;
    selector?: Record<string, string>;
    publishNotReadyAddresses?: boolean;
  };
  if (service === undefined || clusterIP !== "None") {
    return undefined;
  }
  const pods = store
    .list("Pod", namespace)
    .filter(
      (pod) =>
        selects({ matchLabels: selector }, pod.metadata.labels) &&
        (podName === undefined || pod.metadata.name === podName) &&
        (publishNotReadyAddresses || saysReady(pod)),
    );
  return pods.length === 0 ? undefined : pods.map((pod) => ({ region, pod }));
}

function containerPorts(pod: KubeObject): number[] {
  const { containers = [] } = (pod.spec ?? {}) as {
    containers?: { ports?: { containerPort: number }[] }[];
  };
  return containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
}

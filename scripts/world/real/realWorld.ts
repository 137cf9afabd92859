import { randomBytes } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegionEndpoints, RegionName, RepositorySettings, Shape, World } from "../world";
import { Broker, eraseBroker, startBroker } from "./broker";
import { deployProcess, startInstance } from "./instances";
import { freePorts, returnPorts } from "./ports";
import { Distribution, prepareRealWorld, SearchKind } from "./prepare";
import { OwnProcess, removeAtExit, removedAlready, residentMemory } from "./processes";
import { brokerAnswers, clusterHealthy, searchReady } from "./readiness";
import { startS3Server } from "./s3Server";
import { countDocuments, findInstanceKeys } from "./searchQueries";
import {
  eraseSearchNode,
  giveToSearchUser,
  readableBySearch,
  SearchNode,
  startSearchNode,
} from "./searchNode";
import { Log, stamped } from "./tools";

/** What a real world is made of: see {@link RealWorld}. */
export interface RealWorldOptions {
  /** Default: Elasticsearch, with a repository on a shared directory. OpenSearch has one on S3. */
  search?: SearchKind;
  /** Default: four brokers with two partitions of four replicas. */
  shape?: Partial<Shape>;
  /** Default: silence. */
  log?: Log;
}

const regions: RegionName[] = ["region0", "region1"];
const bucket = "camunda-backup";
/** A broker without a quorum does not end by itself, so that waiting longer is of no use. */
const graceMilliseconds = 3000;

/** A dual-region cluster of Zeebe brokers and two search engines that run on this machine. */
export class RealWorld implements World {
  readonly kind = "real";
  readonly search: SearchKind;
  readonly shape: Shape;
  readonly endpoints: Record<RegionName, RegionEndpoints>;
  readonly repository: RepositorySettings;

  private readonly log: Log;
  private readonly progress: Log;
  private readonly dir = join(tmpdir(), `camunda-dual-region-${randomBytes(4).toString("hex")}`);
  private readonly ports: number[];
  private readonly brokers: Broker[];
  private readonly nodes: Record<RegionName, SearchNode>;
  private readonly s3Port: number;
  private readonly processes = new Map<string, OwnProcess>();
  private distribution: Distribution | undefined;
  private deployed = false;

  constructor(options: RealWorldOptions = {}) {
    this.search = options.search ?? "elasticsearch";
    this.log = options.log ?? (() => undefined);
    this.progress = stamped(this.log);
    this.shape = { clusterSize: 4, partitionCount: 2, replicationFactor: 4, ...options.shape };
    this.ports = freePorts(5 * this.shape.clusterSize + 5);
    const ports = this.ports.values();
    const port = () => ports.next().value as number;
    this.brokers = Array.from({ length: this.shape.clusterSize }, (_, id) => ({
      id,
      dir: join(this.dir, `broker-${id}`),
      ports: {
        rest: port(),
        management: port(),
        grpc: port(),
        command: port(),
        internal: port(),
      },
    }));
    this.s3Port = port();
    const repositoryDir = join(this.dir, "repository");
    const s3Url = this.search === "opensearch" ? url(this.s3Port) : undefined;
    const node = (region: RegionName): SearchNode => ({
      name: `${this.search}-${region}`,
      dir: join(this.dir, `${this.search}-${region}`),
      httpPort: port(),
      transportPort: port(),
      repositoryDir,
      s3Url,
    });
    this.nodes = { region0: node("region0"), region1: node("region1") };
    this.endpoints = { region0: this.endpointsOf("region0"), region1: this.endpointsOf("region1") };
    this.repository =
      this.search === "opensearch"
        ? { type: "s3", settings: { bucket, base_path: "failback", client: "default" } }
        : { type: "fs", settings: { location: repositoryDir } };
  }

  async start(): Promise<void> {
    const prepared = await prepareRealWorld({ search: this.search, log: this.log });
    removeAtExit(this.dir);
    await mkdir(this.nodes.region0.repositoryDir, { recursive: true });
    // The search engine may run as another user, whatever our umask says.
    await chmod(this.dir, 0o755);
    await giveToSearchUser(this.nodes.region0.repositoryDir);
    this.distribution = await readableBySearch(prepared, join(this.dir, "distribution"));
    const { motoHome } = prepared;
    if (motoHome !== undefined) {
      const s3Dir = join(this.dir, "s3");
      this.processes.set("s3", await startS3Server(motoHome, s3Dir, this.s3Port, bucket));
    }
    this.progress(`starting ${this.brokers.length} brokers and 2 × ${this.search}`);
    const begin = Date.now();
    await Promise.all(regions.map((region) => this.startRegion(region)));
    await clusterHealthy(this.endpoints.region0.gateway, this.shape, [...this.processes.values()]);
    const seconds = Math.round((Date.now() - begin) / 1000);
    const gigabytes = (this.rss() / 1e9).toFixed(1);
    this.progress(`the cluster is healthy after ${seconds} s, with ${gigabytes} GB of memory`);
  }

  async lose(region: RegionName): Promise<void> {
    await Promise.all(this.namesOf(region).map((name) => this.processes.get(name)?.kill()));
    this.progress(`${region} is lost`);
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    const alive = this.namesOf(region).filter((name) => this.processes.get(name)?.alive);
    if (alive.length > 0) throw new Error(`${region} is not lost: ${alive.join(", ")} running`);
    if (data === "empty") {
      await eraseSearchNode(this.nodes[region]);
      await Promise.all(this.brokersOf(region).map(eraseBroker));
    }
    const begin = Date.now();
    await this.startRegion(region, data === "empty");
    const seconds = Math.round((Date.now() - begin) / 1000);
    this.progress(`${region} is back after ${seconds} s, with ${data} data`);
  }

  async restartBroker(id: number): Promise<void> {
    const broker = this.brokers.find((b) => b.id === id);
    if (broker === undefined) throw new Error(`there is no broker ${id}`);
    await this.processes.get(brokerName(id))?.kill();
    await this.runBroker(broker);
    this.progress(`broker ${id} is restarted`);
  }

  async startInstances(region: RegionName, count: number): Promise<string[]> {
    const broker = this.brokersOf(region).find((b) => this.processes.get(brokerName(b.id))?.alive);
    if (broker === undefined) throw new Error(`no gateway of ${region} is running`);
    const gateway = url(broker.ports.rest);
    if (!this.deployed) await deployProcess(gateway);
    this.deployed = true;
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(await startInstance(gateway));
    return keys;
  }

  documents(region: RegionName): Promise<Record<string, number>> {
    return countDocuments(this.endpoints[region].elasticsearch);
  }

  instanceKeys(region: RegionName): Promise<Set<string>> {
    return findInstanceKeys(this.endpoints[region].elasticsearch);
  }

  async stop(): Promise<void> {
    const processes = [...this.processes.values()];
    await Promise.all(processes.map((process) => process.end(graceMilliseconds)));
    this.processes.clear();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
    removedAlready(this.dir);
    returnPorts(this.ports);
    this.deployed = false;
  }

  /** Numbers of all processes that the world runs at the moment. */
  pids(): number[] {
    return [...this.processes.values()].flatMap((process) => process.pids());
  }

  /** Resident memory of all of them, in bytes. */
  rss(): number {
    return residentMemory(this.pids());
  }

  /**
   * @param inTurn whether the other brokers are started when the first one answers. Broker 0 asks all others
   *   what the cluster is: hearing first from another one with an empty disk, it would begin a cluster of its
   *   own beside the survivors', and close its ports when it learns of theirs.
   */
  private async startRegion(region: RegionName, inTurn = false): Promise<void> {
    const [first, ...others] = this.brokersOf(region).map((broker) => () => this.runBroker(broker));
    const brokers = async () => {
      const started = first?.();
      if (inTurn) await started;
      await Promise.all([started, ...others.map((start) => start())]);
    };
    await Promise.all([this.runSearch(region), brokers()]);
  }

  private async runSearch(region: RegionName): Promise<void> {
    const node = this.nodes[region];
    const process = await startSearchNode(this.prepared(), node);
    this.processes.set(node.name, process);
    await searchReady(this.endpoints[region].elasticsearch, process);
  }

  private async runBroker(broker: Broker): Promise<void> {
    const process = await startBroker(this.prepared(), this.shape, broker, {
      contacts: this.brokers.map((b) => b.ports.internal),
      searchUrls: {
        region0: this.endpoints.region0.elasticsearch,
        region1: this.endpoints.region1.elasticsearch,
      },
    });
    this.processes.set(brokerName(broker.id), process);
    await brokerAnswers(url(broker.ports.management), process);
  }

  private prepared(): Distribution {
    if (this.distribution === undefined) throw new Error("the world has not been started");
    return this.distribution;
  }

  /** Brokers are spread over the regions in turn, as the Camunda charts do it. */
  private brokersOf(region: RegionName): Broker[] {
    return this.brokers.filter((broker) => broker.id % regions.length === regions.indexOf(region));
  }

  private namesOf(region: RegionName): string[] {
    return [this.nodes[region].name, ...this.brokersOf(region).map((b) => brokerName(b.id))];
  }

  private endpointsOf(region: RegionName): RegionEndpoints {
    const brokers = this.brokersOf(region);
    const first = brokers[0];
    if (first === undefined) throw new Error(`a cluster of this size has no broker in ${region}`);
    return {
      gateway: url(first.ports.rest),
      management: url(first.ports.management),
      brokers: Object.fromEntries(brokers.map((b) => [b.id, url(b.ports.management)])),
      elasticsearch: url(this.nodes[region].httpPort),
    };
  }
}

function brokerName(id: number): string {
  return `broker-${id}`;
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

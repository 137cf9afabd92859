import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegionEndpoints, RegionName, RepositorySettings, ClusterShape, World } from "../../world";
import { BrokerProcess, eraseBroker, startBroker } from "./broker";
import {
  CamundaDistribution,
  ElasticsearchDistribution,
  readCamunda,
  readElasticsearch,
} from "./distribution";
import { deployProcess, startInstance } from "./instances";
import { findOrInstallJava } from "./java";
import { freePorts, returnPorts } from "../../processes/ports";
import { prepareSearch, SearchDistribution } from "../../processes/prepare";
import {
  OwnProcess,
  removeAtExit,
  removedAlready,
  residentMemory,
} from "../../processes/processes";
import { brokerAnswers, clusterHealthy } from "./readiness";
import { SearchNodes } from "../../search/real/searchNodes";
import type { Log } from "../../../components/clients/poll";
import { stamped } from "../../processes/tools";

/** What such a world is made of: see {@link CamundaWorld}. */
export interface CamundaWorldOptions {
  /** Folder with an unpacked distribution of Camunda 8.6 or later, which the user has. */
  camunda: string;
  /** Folder with an unpacked distribution of Elasticsearch. Default: OpenSearch, which is fetched. */
  elasticsearch?: string;
  /** Default: four brokers with two partitions of four replicas. */
  shape?: Partial<ClusterShape>;
  /** Default: silence. */
  log?: Log;
}

const REGIONS: RegionName[] = ["region0", "region1"];
/** A broker without a quorum does not end by itself, so that waiting longer is of no use. */
const GRACE_MS = 3_000;

/** A dual-region cluster of real brokers, and two real search engines, as processes of this machine. */
export class CamundaWorld implements World {
  readonly kind: string;
  readonly shape: ClusterShape;
  private readonly log: Log;
  private readonly progress: Log;
  private readonly dir = join(tmpdir(), `camunda-dual-region-${randomBytes(4).toString("hex")}`);
  private readonly ports: number[];
  private readonly brokers: BrokerProcess[];
  private readonly processes = new Map<number, OwnProcess>();
  private readonly camunda: CamundaDistribution;
  private readonly elasticsearch?: ElasticsearchDistribution;
  private found?: { search: SearchDistribution; nodes: SearchNodes };
  private deployed = false;

  /** @throws Error with one line when a folder does not hold what it should */
  constructor(options: CamundaWorldOptions) {
    this.camunda = readCamunda(options.camunda);
    if (process.platform !== "linux") {
      throw new Error("--camunda needs Linux: what is started is looked at in /proc");
    }
    if (options.elasticsearch !== undefined) {
      this.elasticsearch = readElasticsearch(options.elasticsearch);
    }
    const { elasticsearch } = this;
    const search = elasticsearch ? `Elasticsearch ${elasticsearch.version}` : "OpenSearch";
    this.kind = `Camunda ${this.camunda.version} on ${search}`;
    this.log = options.log ?? (() => undefined);
    this.progress = stamped(this.log);
    this.shape = { clusterSize: 4, partitionCount: 2, replicationFactor: 4, ...options.shape };
    this.ports = freePorts(5 * this.shape.clusterSize);
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
  }

  get endpoints(): Record<RegionName, RegionEndpoints> {
    return { region0: this.endpointsOf("region0"), region1: this.endpointsOf("region1") };
  }

  get repository(): RepositorySettings {
    return this.started.nodes.repository;
  }

  async start(): Promise<void> {
    const search = await this.searchDistribution();
    const nodes = new SearchNodes(search);
    this.found = { search, nodes };
    removeAtExit(this.dir);
    await mkdir(this.dir, { recursive: true });
    this.progress(`starting ${this.brokers.length} brokers and 2 search engines: ${this.kind}`);
    const begin = Date.now();
    await Promise.all([nodes.start(), ...REGIONS.map((region) => this.startBrokers(region))]);
    const processes = [...nodes.running(), ...this.processes.values()];
    await clusterHealthy(this.endpoints.region0.gateway, this.shape, processes);
    const seconds = Math.round((Date.now() - begin) / 1000);
    const memory = residentMemory(processes.flatMap((process) => process.pids()));
    const gigabytes = (memory / 1e9).toFixed(1);
    this.progress(`the cluster is healthy after ${seconds} s, with ${gigabytes} GB of memory`);
  }

  async lose(region: RegionName): Promise<void> {
    await Promise.all([
      this.started.nodes.lose(region),
      ...this.brokersOf(region).map(({ id }) => this.processes.get(id)?.kill()),
    ]);
    this.progress(`${region} is lost`);
  }

  async recreate(region: RegionName, data: "empty" | "old" = "empty"): Promise<void> {
    const alive = this.brokersOf(region).filter(({ id }) => this.processes.get(id)?.alive);
    if (alive.length > 0) {
      const ids = alive.map(({ id }) => id).join(", ");
      throw new Error(`${region} is not lost: brokers ${ids} run`);
    }
    if (data === "empty") {
      await Promise.all(this.brokersOf(region).map(eraseBroker));
    }
    const begin = Date.now();
    await Promise.all([
      this.started.nodes.recreate(region, data),
      this.startBrokers(region, data === "empty"),
    ]);
    const seconds = Math.round((Date.now() - begin) / 1000);
    this.progress(`${region} is back after ${seconds} s, with ${data} data`);
  }

  async restartBroker(id: number): Promise<void> {
    const broker = this.brokers.find((b) => b.id === id);
    if (broker === undefined) {
      throw new Error(`there is no broker ${id}`);
    }
    await this.processes.get(id)?.kill();
    await this.runBroker(broker);
    this.progress(`broker ${id} is restarted`);
  }

  async startInstances(region: RegionName, count: number): Promise<string[]> {
    const broker = this.brokersOf(region).find(({ id }) => this.processes.get(id)?.alive);
    if (broker === undefined) {
      throw new Error(`no gateway of ${region} is running`);
    }
    const gateway = url(broker.ports.rest);
    if (!this.deployed) {
      await deployProcess(gateway);
    }
    this.deployed = true;
    const keys: string[] = [];
    for (let i = 0; i < count; i++) {
      keys.push(await startInstance(gateway));
    }
    return keys;
  }

  documents(region: RegionName): Promise<Record<string, number>> {
    return this.started.nodes.documents(region);
  }

  instanceKeys(region: RegionName): Promise<Set<string>> {
    return this.started.nodes.instanceKeys(region);
  }

  async stop(): Promise<void> {
    await Promise.all([
      this.found?.nodes.stop(),
      ...[...this.processes.values()].map((process) => process.end(GRACE_MS)),
    ]);
    this.processes.clear();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
    removedAlready(this.dir);
    returnPorts(this.ports);
  }

  /** What a broker printed last. */
  tail(id: number): string {
    return this.processes.get(id)?.tail() ?? "";
  }

  /** Numbers of the processes of the brokers that run. */
  pids(id: number): number[] {
    return this.processes.get(id)?.pids() ?? [];
  }

  private async searchDistribution(): Promise<SearchDistribution> {
    if (this.elasticsearch === undefined) {
      return prepareSearch({ log: this.log });
    }
    const javaHome = await findOrInstallJava(this.progress);
    return { search: "elasticsearch", javaHome, searchHome: this.elasticsearch.home };
  }

  /**
   * @param inTurn whether the other brokers are started when the first one answers. Broker 0 asks all others
   *   what the cluster is: hearing first from another one with an empty disk, it would begin a cluster of its
   *   own beside the survivors', and close its ports when it learns of theirs.
   */
  private async startBrokers(region: RegionName, inTurn = false): Promise<void> {
    const [first, ...others] = this.brokersOf(region).map((broker) => () => this.runBroker(broker));
    const started = first?.();
    if (inTurn) {
      await started;
    }
    await Promise.all([started, ...others.map((start) => start())]);
  }

  private async runBroker(broker: BrokerProcess): Promise<void> {
    const { search, nodes } = this.started;
    const process = await startBroker(this.camunda, search.javaHome, this.shape, broker, {
      contacts: this.brokers.map((b) => b.ports.internal),
      search: search.search,
      searchUrls: { region0: nodes.url("region0"), region1: nodes.url("region1") },
    });
    this.processes.set(broker.id, process);
    await brokerAnswers(url(broker.ports.management), process);
  }

  private get started() {
    if (this.found === undefined) {
      throw new Error("the world has not been started");
    }
    return this.found;
  }

  /** Brokers are spread over the regions in turn, as the Camunda charts do it. */
  private brokersOf(region: RegionName): BrokerProcess[] {
    return this.brokers.filter((broker) => broker.id % REGIONS.length === REGIONS.indexOf(region));
  }

  private endpointsOf(region: RegionName): RegionEndpoints {
    const brokers = this.brokersOf(region);
    const [first] = brokers as [BrokerProcess, ...BrokerProcess[]];
    return {
      gateway: url(first.ports.rest),
      management: url(first.ports.management),
      brokers: Object.fromEntries(brokers.map((b) => [b.id, url(b.ports.management)])),
      elasticsearch: this.started.nodes.url(region),
    };
  }
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

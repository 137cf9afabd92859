import { randomBytes } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegionName, RepositorySettings } from "../../world";
import { requestJson } from "../../processes/http";
import { freePorts, returnPorts } from "../../processes/ports";
import type { SearchDistribution } from "../../processes/prepare";
import { OwnProcess, removeAtExit, removedAlready } from "../../processes/processes";
import { searchReady } from "../../camunda/real/readiness";
import { startS3Server } from "./s3Server";
import { countDocuments, findInstanceKeys } from "./searchQueries";
import {
  eraseSearchNode,
  giveToSearchUser,
  readableBySearch,
  SearchNode,
  startSearchNode,
} from "./searchNode";

const BUCKET = "camunda-backup";
const GRACE_MS = 3_000;
const FIRST_USE_MS = 180_000;

/**
 * The search engines of both regions as processes of this machine, and the repository that both reach: of
 * type `s3` when the distribution brings an S3 server, else of type `fs`.
 */
export class SearchNodes {
  readonly repository: RepositorySettings;
  private readonly dir = join(tmpdir(), `camunda-search-${randomBytes(4).toString("hex")}`);
  private readonly ports = freePorts(5);
  private readonly nodes: Record<RegionName, SearchNode>;
  private readonly processes = new Map<RegionName | "s3", OwnProcess>();
  private distribution: SearchDistribution;

  constructor(distribution: SearchDistribution) {
    this.distribution = distribution;
    const [s3Port, ...ports] = this.ports as [number, number, number, number, number];
    const { search, motoHome } = distribution;
    const repositoryDir = join(this.dir, "repository");
    const node = (region: RegionName, httpPort: number, transportPort: number): SearchNode => ({
      name: `${search}-${region}`,
      dir: join(this.dir, region),
      httpPort,
      transportPort,
      repositoryDir,
      ...(motoHome === undefined ? {} : { s3Url: urlOf(s3Port) }),
    });
    this.nodes = {
      region0: node("region0", ports[0], ports[1]),
      region1: node("region1", ports[2], ports[3]),
    };
    this.repository =
      motoHome === undefined
        ? { type: "fs", settings: { location: repositoryDir } }
        : { type: "s3", settings: { bucket: BUCKET, base_path: "failback", client: "default" } };
  }

  /** Where the node of a region answers, whether it runs or not. */
  url(region: RegionName): string {
    return urlOf(this.nodes[region].httpPort);
  }

  /** Starts both nodes; resolves when they can be used. */
  async start(): Promise<void> {
    removeAtExit(this.dir);
    const { repositoryDir, s3Url } = this.nodes.region0;
    await mkdir(repositoryDir, { recursive: true });
    // The engine may run as another user, whatever our umask says.
    await chmod(this.dir, 0o755);
    await giveToSearchUser(repositoryDir);
    this.distribution = await readableBySearch(this.distribution, join(this.dir, "distribution"));
    const { motoHome } = this.distribution;
    if (motoHome !== undefined && s3Url !== undefined) {
      const port = Number(new URL(s3Url).port);
      this.processes.set("s3", await startS3Server(motoHome, join(this.dir, "s3"), port, BUCKET));
    }
    await Promise.all([this.run("region0"), this.run("region1")]);
  }

  /** Kills the node of a region by SIGKILL. */
  async lose(region: RegionName): Promise<void> {
    await this.processes.get(region)?.kill();
  }

  /** Stops the node of a region as it is, so that it answers nothing and loses nothing, or lets it go on. */
  freeze(region: RegionName, frozen: boolean): void {
    this.processes.get(region)?.signal(frozen ? "SIGSTOP" : "SIGCONT");
  }

  /**
   * Starts the node of a region that was lost; resolves when it can be used.
   *
   * @throws Error when it was not lost
   */
  async recreate(region: RegionName, data: "empty" | "old"): Promise<void> {
    if (this.processes.get(region)?.alive) {
      throw new Error(`${region} is not lost: ${this.nodes[region].name} runs`);
    }
    if (data === "empty") {
      await eraseSearchNode(this.nodes[region]);
    }
    await this.run(region);
  }

  /** Number of documents by index, of Zeebe's records, after a refresh. */
  documents(region: RegionName): Promise<Record<string, number>> {
    return countDocuments(this.url(region));
  }

  /** Keys of the process instances in Zeebe's records, after a refresh. */
  instanceKeys(region: RegionName): Promise<Set<string>> {
    return findInstanceKeys(this.url(region));
  }

  /** Ends everything and removes its files. */
  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.end(GRACE_MS)));
    this.processes.clear();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
    removedAlready(this.dir);
    returnPorts(this.ports);
  }

  /** The processes that run. */
  running(): OwnProcess[] {
    return [...this.processes.values()].filter(({ alive }) => alive);
  }

  private async run(region: RegionName): Promise<void> {
    const process = await startSearchNode(this.distribution, this.nodes[region]);
    this.processes.set(region, process);
    await searchReady(this.url(region), process);
    if (this.repository.type === "s3") {
      await this.useS3(region);
    }
  }

  /** The first use of S3 takes a busy machine half a minute, which is more than a recovery waits for an answer. */
  private async useS3(region: RegionName): Promise<void> {
    const { type, settings } = this.repository;
    const url = `${this.url(region)}/_snapshot/first-use`;
    await requestJson(url, {
      method: "PUT",
      json: { type, settings: { ...settings, base_path: "first-use" } },
      timeout: FIRST_USE_MS,
    });
    await requestJson(url, { method: "DELETE", timeout: FIRST_USE_MS });
  }
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

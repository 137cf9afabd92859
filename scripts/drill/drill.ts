import { isDeepStrictEqual } from "node:util";
import { brokerIds, brokerMap, peerOf } from "../../components/camunda/brokers";
import { waitFor } from "../../components/clients/poll";
import { RecordedRequest, Recorder } from "../recorder";
import { RegionStack, Workspace } from "../workspace";
import type { RegionName, World } from "../world/world";
import type { Check, Report } from "./report";
import { failoverTimes } from "./times";

/** What a drill needs. */
export interface DrillOptions {
  world: World;
  lose: RegionName;
  /** Where progress goes. */
  say: (line: string) => void;
  signal?: AbortSignal;
}

/** Name of the failback attempt of a drill. */
const ATTEMPT = "drill-1";

/**
 * Rehearses the loss of a region from beginning to end: the real engine runs the real program against a
 * world, as an operator would, and everything that the procedure promises is checked.
 */
export async function runDrill(options: DrillOptions): Promise<Report> {
  const drill = new Drill(options);
  try {
    await drill.run();
  } catch (error) {
    drill.report.error = oneLine(options.signal?.aborted ? options.signal.reason : error);
    options.say(`stopped: ${drill.report.error}`);
  } finally {
    await drill.end();
  }
  const { report } = drill;
  report.ok = report.error === undefined && report.checks.every((check) => check.ok);
  return report;
}

class Drill {
  readonly report: Report;
  private readonly world: World;
  private readonly lost: RegionName;
  private readonly survivor: RegionName;
  private readonly startedInstances = new Set<string>();
  private phase = "";
  private recorder!: Recorder;
  private workspace: Workspace | undefined;
  private survivorStack!: RegionStack;

  constructor(private readonly options: DrillOptions) {
    this.world = options.world;
    this.lost = options.lose;
    this.survivor = peerOf(options.lose);
    this.report = {
      world: this.world.kind,
      lost: this.lost,
      ok: false,
      phases: [],
      checks: [],
      requests: [],
      previews: [],
    };
  }

  async run(): Promise<void> {
    await this.during("start both regions", () => this.world.start());
    await this.during("first up of both stacks", () => this.adopt());
    await this.during("work with both regions", () => this.work("region0", 10));
    await this.during(`lose ${this.lost}`, () => this.world.lose(this.lost));
    await this.during("preview of the failover", () => this.previewFailover());
    await this.during("failover", () => this.failOver());
    await this.during("failover again", () => this.again("a second up"));
    await this.during("work with one region", () => this.work(this.survivor, 10));
    await this.during(`recreate ${this.lost}`, () => this.recreate());
    await this.during("preview of the failback", () => this.previewFailback());
    await this.during("failback", () => this.failBack());
    await this.during("work after the failback", () => this.work(this.survivor, 10));
    await this.during("steady again", () => this.finish());
    await this.during("nothing is lost", () => this.nothingLost());
  }

  async end(): Promise<void> {
    this.report.requests = this.recorder?.changes() ?? [];
    await this.world.stop();
    await this.recorder?.close();
    await this.workspace?.dispose();
  }

  private async adopt(): Promise<void> {
    const { recorder, endpoints } = await Recorder.of(this.world);
    this.recorder = recorder;
    const { clusterSize, partitionCount, replicationFactor } = this.world.shape;
    this.workspace = await Workspace.create({
      config: {
        clusterSize,
        partitionCount,
        replicationFactor,
        endpoints,
        snapshotRepository: { name: "camunda_backup", ...this.world.repository },
        // Both worlds write collected records every second.
        timeouts: { settle: 2 },
      },
      signal: this.options.signal,
    });
    this.survivorStack = await this.workspace.stack(this.survivor);
    for (const region of ["region0", "region1"] as const) {
      const stack = await this.workspace.stack(region);
      await stack.up();
      const outputs = await stack.outputs();
      this.check(`${region} is steady`, "steady", phaseOf(outputs));
      this.check(`${region} adopts all brokers`, brokerMap(this.allBrokers()), outputs.brokers);
    }
    this.check("adopting changes nothing", [], this.recorder.changes().map(line));
  }

  private async previewFailover(): Promise<void> {
    await this.survivorStack.set("lostRegion", this.lost);
    const from = this.recorder.requests.length;
    const preview = await this.survivorStack.preview();
    this.show("preview of the failover", preview.text);
    for (const id of this.lostBrokers()) {
      const name = Object.keys(brokerMap([id]))[0] as string;
      this.check(`the preview names ${name}`, true, preview.text.includes(name));
    }
    this.check(
      "the preview shows the cluster's own plan",
      true,
      preview.text.includes("PARTITION_FORCE_RECONFIGURE") &&
        preview.text.includes("BROKER_REMOVE"),
    );
    this.check("the preview changes nothing", [], this.recorder.changes(from).map(line));
  }

  private async failOver(): Promise<void> {
    const from = this.recorder.requests.length;
    const began = Date.now();
    await this.survivorStack.up();
    const up = Date.now() - began;
    const survivors = brokerIds(this.survivor, this.world.shape.clusterSize);
    const exporter = `elasticsearch${this.lost}`;
    const outputs = await this.survivorStack.outputs();
    this.check("phase", "failed-over", phaseOf(outputs));
    this.check("only the survivors are members", brokerMap(survivors), outputs.brokers);
    this.check(
      "the exporter of the lost region is disabled, the other is not",
      { [exporter]: "DISABLED", [`elasticsearch${this.survivor}`]: "ENABLED" },
      outputs.exporters,
    );
    const changes = this.recorder.changes(from);
    this.check(
      "the forced removal, then the exporter, and nothing else",
      ["POST /actuator/cluster/brokers?force=true", `POST /actuator/exporters/${exporter}/disable`],
      changes.map(line),
    );
    this.check(
      "the survivors are kept",
      survivors.map(String),
      JSON.parse(changes[0]?.body ?? "null"),
    );
    this.report.failover = failoverTimes(outputs, changes, this.recorder.start, began, up);
  }

  private async again(what: string): Promise<void> {
    const from = this.recorder.requests.length;
    const result = await this.survivorStack.up();
    this.check(`${what} changes no resource`, {}, changed(result.summary.resourceChanges));
    this.check(
      `${what} sends nothing that changes anything`,
      [],
      this.recorder.changes(from).map(line),
    );
    const refreshed = await this.survivorStack.up({ refresh: true });
    this.check(`with --refresh as well`, {}, changed(refreshed.summary.resourceChanges));
    this.check(`nor then`, [], this.recorder.changes(from).map(line));
  }

  private async recreate(): Promise<void> {
    await this.world.recreate(this.lost);
    await this.workspace?.recreate(this.lost);
    const stack = await this.lostStack();
    await stack.up();
    this.check(
      "the recreated region knows that it is rejoining",
      "rejoining",
      phaseOf(await stack.outputs()),
    );
  }

  private async previewFailback(): Promise<void> {
    await this.survivorStack.set("failback", ATTEMPT);
    const from = this.recorder.requests.length;
    const preview = await this.survivorStack.preview();
    this.show("preview of the failback", preview.text);
    this.check(
      "the preview shows the join of every partition",
      true,
      preview.text.includes("PARTITION_JOIN"),
    );
    this.check("the preview changes nothing", [], this.recorder.changes(from).map(line));
  }

  private async failBack(): Promise<void> {
    const from = this.recorder.requests.length;
    await this.survivorStack.up();
    const outputs = await this.survivorStack.outputs();
    const snapshot = `failback-${this.lost}-${ATTEMPT}`;
    this.check("phase", "restored", phaseOf(outputs));
    this.check("all brokers are members", brokerMap(this.allBrokers()), outputs.brokers);
    this.check(
      "both exporters are enabled",
      { elasticsearchregion0: "ENABLED", elasticsearchregion1: "ENABLED" },
      outputs.exporters,
    );
    const changes = this.recorder.changes(from);
    this.check(
      "the steps of the procedure, in its order",
      [
        `${this.survivor} POST /actuator/exporting/pause`,
        `${this.survivor} PUT /_snapshot/camunda_backup`,
        `${this.survivor} PUT /_snapshot/camunda_backup/${snapshot}`,
        `${this.lost} PUT /_snapshot/camunda_backup`,
        `${this.lost} POST /_snapshot/camunda_backup/${snapshot}/_restore`,
        `${this.survivor} POST /actuator/exporters/elasticsearch${this.lost}/enable`,
        `${this.survivor} POST /actuator/exporting/resume`,
        `${this.survivor} POST /actuator/cluster/brokers?replicationFactor=${this.world.shape.replicationFactor}`,
      ],
      changes.map((request) => `${request.region} ${line(request)}`),
    );
    await this.again("the same failback again");
  }

  private async finish(): Promise<void> {
    await this.survivorStack.unset("failback");
    await this.survivorStack.unset("lostRegion");
    const from = this.recorder.requests.length;
    const result = await this.survivorStack.up();
    this.check("phase", "steady", phaseOf(await this.survivorStack.outputs()));
    this.check(
      "nothing but the bookkeeping goes",
      // Seven steps, and the two resources that verify once more what is declared now.
      { delete: 7, update: 2 },
      changed(result.summary.resourceChanges),
    );
    const stack = await this.lostStack();
    await stack.up();
    this.check("the recreated region is steady", "steady", phaseOf(await stack.outputs()));
    this.check("nothing is sent that changes anything", [], this.recorder.changes(from).map(line));
    await this.again("a last up");
  }

  private async nothingLost(): Promise<void> {
    const documents = await waitFor(
      "both Elasticsearches to hold the same documents",
      120,
      this.options.say,
      async () => {
        const [zero, one] = [
          await this.world.documents("region0"),
          await this.world.documents("region1"),
        ];
        return isDeepStrictEqual(zero, one)
          ? { done: true, value: { region0: sum(zero), region1: sum(one) } }
          : { done: false, seen: `${sum(zero)} in region0, ${sum(one)} in region1` };
      },
    ).catch((error: Error) => ({ region0: error.message, region1: "" }));
    this.check(
      "both Elasticsearches hold the same documents",
      documents.region0,
      documents.region1,
    );
    for (const region of ["region0", "region1"] as const) {
      const known = await this.world.instanceKeys(region);
      const missing = [...this.startedInstances].filter((key) => !known.has(key));
      this.check(
        `no instance is missing in ${region} (RPO 0, ${this.startedInstances.size} started)`,
        [],
        missing,
      );
    }
  }

  /** Starts instances through one region, and waits until its Elasticsearch knows them. */
  private async work(region: RegionName, count: number): Promise<void> {
    const started = await waitFor(
      "the cluster to serve commands",
      60,
      this.options.say,
      async () => {
        try {
          return { done: true, value: await this.world.startInstances(region, count) };
        } catch (error) {
          return { done: false, seen: oneLine(error) };
        }
      },
    );
    started.forEach((key) => this.startedInstances.add(key));
    this.check(`${count} instances started`, count, started.length);
    const exported = await waitFor(
      "the instances to be exported",
      60,
      this.options.say,
      async () => {
        const known = await this.world.instanceKeys(region);
        const missing = started.filter((key) => !known.has(key)).length;
        return missing === 0
          ? { done: true, value: count }
          : { done: false, seen: `${missing} of ${count} not yet in Elasticsearch of ${region}` };
      },
    );
    this.check(`they are exported to ${region}`, count, exported);
  }

  private async lostStack(): Promise<RegionStack> {
    if (this.workspace === undefined) {
      throw new Error("there is no workspace yet");
    }
    return this.workspace.stack(this.lost);
  }

  private allBrokers(): number[] {
    return [...brokerIds("region0", this.world.shape.clusterSize), ...this.regionOne()];
  }

  private regionOne(): number[] {
    return brokerIds("region1", this.world.shape.clusterSize);
  }

  private lostBrokers(): number[] {
    return brokerIds(this.lost, this.world.shape.clusterSize);
  }

  private show(name: string, text: string): void {
    this.report.previews.push({ name, text });
    this.options.say(`${name}:\n${text.replace(/^/gm, "    ")}`);
  }

  private check(name: string, expected: unknown, observed: unknown): void {
    const check: Check = {
      phase: this.phase,
      name,
      ok: isDeepStrictEqual(expected, observed),
      expected,
      observed,
    };
    this.report.checks.push(check);
    if (!check.ok) {
      this.options.say(`  FAILED: ${name}`);
    }
  }

  private async during(name: string, work: () => Promise<void>): Promise<void> {
    this.options.signal?.throwIfAborted();
    this.phase = name;
    const began = Date.now();
    this.options.say(`${name} ...`);
    try {
      await work();
    } finally {
      const seconds = Math.round((Date.now() - began) / 100) / 10;
      this.report.phases.push({ name, seconds });
      this.options.say(`${name}: ${seconds} s`);
    }
  }
}

function line(request: RecordedRequest): string {
  return `${request.method} ${request.path}`;
}

function phaseOf(outputs: Record<string, unknown>): unknown {
  return (outputs.recovery as { phase?: unknown } | undefined)?.phase;
}

/** The resource changes of an `up` without what stayed the same. */
function changed(changes: Record<string, number> | undefined): Record<string, number> {
  return Object.fromEntries(
    Object.entries(changes ?? {}).filter(([operation, count]) => operation !== "same" && count > 0),
  );
}

function sum(documents: Record<string, number>): number {
  return Object.values(documents).reduce((total, count) => total + count, 0);
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const errors = text.split("\n").filter((candidate) => /^\s*(error:|\* )/.test(candidate));
  return (errors.length > 0 ? [...new Set(errors.map((e) => e.trim()))].join("; ") : text).slice(
    0,
    2_000,
  );
}

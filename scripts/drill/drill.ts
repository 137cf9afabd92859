import { isDeepStrictEqual } from "node:util";
import { REGIONS } from "../../components/base/brokers";
import { waitFor } from "../../components/clients/poll";
import { generationOf } from "../../components/generations";
import type { Generation } from "../../components/generations/generation";
import { RecoveryPhase, recoveryOf } from "../../components/stack/contract";
import type { RecordedRequest, Recorder } from "../../world/recorder";
import { EngineError } from "../operator/engine";
import type { Interrupt } from "../operator/interrupt";
import type { RegionStack } from "../operator/stack";
import { RECOVERY_TARGETS } from "../operator/targets";
import type { RegionName } from "../../world/world";
import { failbackRequests, failoverRequests, forced, Rehearsal } from "./procedure";
import type { Check, Report } from "./report";
import { Site, SiteScene } from "./scene";
import { failoverTimes } from "./times";
import { messageOf } from "../../components/base/messageOf";

/** What a drill needs. */
export interface DrillOptions {
  /** Where it takes place. */
  site: Site;
  /** The regions that are lost, one after the other: the second when the first is back. */
  lose: readonly RegionName[];
  /** Where progress goes. */
  say: (line: string) => void;
  /** What may stop it. */
  interrupt?: Interrupt;
}

/**
 * Rehearses the loss of a region from beginning to end: the real engine runs the real program against a
 * world, as an operator would, and everything that the procedure promises is checked.
 */
export async function runDrill(options: DrillOptions): Promise<Report> {
  const drill = new Drill(options);
  try {
    await drill.run();
  } catch (error) {
    drill.report.error = oneLine(error);
    options.say(`stopped: ${messageOf(error)}`);
    if (error instanceof Error && error.cause instanceof EngineError) {
      // What the engine printed besides its errors may say who is to blame.
      options.say(`${error.cause.stdout}${error.cause.stderr}`);
    }
  } finally {
    await drill.end();
  }
  const { report } = drill;
  report.ok = report.error === undefined && report.checks.every((check) => check.ok);
  return report;
}

class Drill extends SiteScene {
  readonly report: Report;
  private readonly generation: Generation;
  private readonly startedInstances = new Set<string>();
  private attempt = "";
  private phase = "";
  private survivorStack!: RegionStack;

  constructor(private readonly options: DrillOptions) {
    super(options.site, options.lose[0] as RegionName, options.say);
    this.generation = generationOf(options.site.camundaVersion);
    this.report = {
      platform: this.site.platform,
      world: this.world.kind,
      lost: options.lose,
      ok: false,
      phases: [],
      checks: [],
      requests: [],
      previews: [],
    };
  }

  async run(): Promise<void> {
    const { site } = this;
    await this.during("start both regions", () => site.start());
    await this.during("first up of both stacks", () => this.installBoth());
    for (const [index, lost] of this.options.lose.entries()) {
      this.loses(lost);
      this.survivorStack = await this.stack(this.survivor);
      this.attempt = `drill-${index + 1}`;
      await this.rehearse();
    }
    await this.during("nothing is lost", () => this.nothingLost());
    const remove = site.remove?.bind(site);
    if (remove !== undefined) {
      await this.during("destroy both stacks", () => remove(this));
    }
  }

  /** One loss, from beginning to end. */
  private async rehearse(): Promise<void> {
    // In a drill of both regions every phase is there twice.
    const of = this.options.lose.length > 1 ? `${this.lost}: ` : "";
    const during = (name: string, work: () => Promise<void>) => this.during(`${of}${name}`, work);
    await during("work with both regions", () => this.work("region0", 10));
    await during(`lose ${this.lost}`, () => this.lose());
    await during("preview of the failover", () => this.previewFailover());
    await during("failover", () => this.failOver());
    await during("failover again", () => this.again("a second up"));
    await during("work with one region", () => this.work(this.survivor, 10));
    await during(`recreate ${this.lost}`, () => this.recreate());
    await during("preview of the failback", () => this.previewFailback());
    await during("failback", () => this.failBack());
    await during("work after the failback", () => this.work(this.survivor, 10));
    await during("steady again", () => this.finish());
  }

  override async end(): Promise<void> {
    this.report.requests = this.recorder?.changes() ?? [];
    await super.end();
  }

  private async installBoth(): Promise<void> {
    // Both worlds write collected records every second, and drop dead brokers within 1.5 s, where real ones need 12.
    await this.install({ timeouts: { settle: 2, absence: 2 } }, this.options.interrupt);
    for (const region of ["region0", "region1"] as const) {
      const outputs = await (await this.stack(region)).outputs();
      this.check(`${region} is steady`, "steady", phaseOf(outputs));
      this.check(
        `${region} has all brokers`,
        this.generation.ids.mapOf(this.allBrokers()),
        outputs.brokers,
      );
    }
  }

  private async lose(): Promise<void> {
    this.lostAt = Date.now();
    await this.site.lose(this.lost);
  }

  private async previewFailover(): Promise<void> {
    await this.survivorStack.set("lostRegion", this.lost);
    const from = this.recorder.requests.length;
    const preview = await this.survivorStack.preview();
    this.show("preview of the failover", preview.text);
    const { operations } = this.generation.cluster;
    for (const id of this.lostBrokers()) {
      const name = Object.keys(this.generation.ids.mapOf([id]))[0] as string;
      this.check(`the preview names ${name}`, true, preview.text.includes(name));
    }
    for (const id of this.exporters[this.lost]) {
      this.check(`the preview names ${id}`, true, preview.text.includes(id));
    }
    this.check(
      "the preview shows the cluster's own plan",
      true,
      [operations.forceReconfigure, operations.remove].every((name) => preview.text.includes(name)),
    );
    this.check("the preview changes nothing", [], this.recorder.changes(from).map(line));
  }

  private async failOver(): Promise<void> {
    const from = this.recorder.requests.length;
    const run = await this.up(this.survivor);
    const survivors = this.generation.ids.of(this.survivor, this.world.shape.clusterSize);
    const outputs = await this.survivorStack.outputs();
    this.check("phase", "failed-over", phaseOf(outputs));
    this.check(
      "only the survivors are members",
      this.generation.ids.mapOf(survivors),
      outputs.brokers,
    );
    this.check(
      "the exporters of the lost region are disabled, the others are not",
      this.exporterStates("DISABLED"),
      outputs.exporters,
    );
    const changes = this.recorder.changes(from);
    this.check(
      "the forced removal, then the exporters, and nothing else",
      failoverRequests(await this.rehearsal()),
      changes.map(lineAt),
    );
    this.check(
      "the survivors are kept",
      forced(await this.rehearsal()).body,
      JSON.parse(changes[0]?.body ?? "null"),
    );
    this.check("the survivor is the active region", this.survivor, outputs.activeRegion);
    this.report.failover = failoverTimes(
      outputs,
      changes,
      this.recorder.start,
      run.began,
      run.ended - run.began,
    );
    this.site.checkFailover?.(this, run);
  }

  private get exporters(): Record<RegionName, readonly string[]> {
    const { region0, region1 } = this.generation.exporter.ids;
    return this.site.exporters ?? { region0: [region0], region1: [region1] };
  }

  /** The state of every exporter, by that of the lost region's. */
  private exporterStates(lost: string): Record<string, string> {
    return Object.fromEntries(
      REGIONS.flatMap((region) =>
        this.exporters[region].map((id) => [id, region === this.lost ? lost : "ENABLED"]),
      ),
    );
  }

  private async again(what: string): Promise<void> {
    const outputs = await this.survivorStack.outputs();
    // The network of a region that is lost cannot be looked at: the recovery alone is refreshed then.
    const targets = phaseOf(outputs) === "failed-over" ? RECOVERY_TARGETS : undefined;
    const from = this.recorder.requests.length;
    const { changed } = await this.up(this.survivor);
    this.check(`${what} changes no resource`, [], changed);
    this.check(
      `${what} sends nothing that changes anything`,
      [],
      this.recorder.changes(from).map(line),
    );
    const refreshed = await this.up(this.survivor, { refresh: true, targets });
    this.check(`with --refresh as well`, [], refreshed.changed);
    this.check(`nor then`, [], this.recorder.changes(from).map(line));
  }

  private async recreate(): Promise<void> {
    await this.recreateLost();
    const outputs = await (await this.stack(this.lost)).outputs();
    this.check("the recreated region knows that it is rejoining", "rejoining", phaseOf(outputs));
    const survivor = await this.survivorStack.outputs();
    this.check("the survivor is still failed over", "failed-over", phaseOf(survivor));
  }

  private async previewFailback(): Promise<void> {
    await this.survivorStack.set("failback", this.attempt);
    const from = this.recorder.requests.length;
    const { operations } = this.generation.cluster;
    const preview = await this.survivorStack.preview();
    this.show("preview of the failback", preview.text);
    this.check(
      "the preview shows that the brokers are added, and that they join the partitions",
      true,
      [operations.add, operations.join].every((name) => preview.text.includes(name)),
    );
    this.check("the preview changes nothing", [], this.recorder.changes(from).map(line));
  }

  private async failBack(): Promise<void> {
    const from = this.recorder.requests.length;
    this.failbackAt = Date.now();
    const run = await this.up(this.survivor);
    const outputs = await this.survivorStack.outputs();
    this.check("phase", "restored", phaseOf(outputs));
    this.check(
      "all brokers are members",
      this.generation.ids.mapOf(this.allBrokers()),
      outputs.brokers,
    );
    this.check(
      "the exporters of both regions are enabled",
      this.exporterStates("ENABLED"),
      outputs.exporters,
    );
    const changes = this.recorder.changes(from);
    this.check(
      "the steps of the procedure, in its order",
      failbackRequests(await this.rehearsal()),
      changes.map(lineAt),
    );
    this.site.checkFailback?.(this, run);
    this.site.checkIsolation?.(this);
    await this.again("the same failback again");
  }

  private async finish(): Promise<void> {
    for (const region of [this.survivor, this.lost]) {
      // The region that was recreated is the passive one from now on.
      await (await this.stack(region)).set("activeRegion", this.survivor);
    }
    await this.survivorStack.unset("failback");
    await this.survivorStack.unset("lostRegion");
    const from = this.recorder.requests.length;
    const { changed } = await this.up(this.survivor);
    this.check("phase", "steady", phaseOf(await this.survivorStack.outputs()));
    this.check(
      "nothing but the bookkeeping goes",
      this.site.bookkeeping,
      counted(changed.map(({ op }) => op)),
    );
    this.check("nothing is sent that changes anything", [], this.recorder.changes(from).map(line));
    await this.up(this.lost);
    const outputs = await (await this.stack(this.lost)).outputs();
    this.check("the recreated region is steady", "steady", phaseOf(outputs));
    this.check(
      "it tries the snapshot repository, and changes nothing else",
      await this.trials([this.lost]),
      this.recorder.changes(from).map(lineAt),
    );
    await this.site.checkSteady?.(this);
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
    const started = await this.startInstances(region, count);
    started.forEach((key) => this.startedInstances.add(key));
    this.check(`${count} instances started`, count, started.length);
    const known = await this.world.instanceKeys(region);
    this.check(
      `they are exported to ${region}`,
      [],
      started.filter((key) => !known.has(key)),
    );
  }

  private get recorder(): Recorder {
    return this.site.recorder;
  }

  /** The loss that is rehearsed, for what follows from it. */
  private async rehearsal(): Promise<Rehearsal> {
    return {
      camundaVersion: this.site.camundaVersion,
      shape: this.world.shape,
      lost: this.lost,
      survivor: this.survivor,
      exporters: this.exporters,
      repository: await this.repository(),
      attempt: this.attempt,
    };
  }

  private allBrokers(): number[] {
    return this.generation.ids.all(this.world.shape.clusterSize);
  }

  private lostBrokers(): number[] {
    return this.generation.ids.of(this.lost, this.world.shape.clusterSize);
  }

  private show(name: string, text: string): void {
    this.report.previews.push({ name, text });
    this.options.say(`${name}:\n${text.replace(/^/gm, "    ")}`);
  }

  check(name: string, expected: unknown, observed: unknown): void {
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
    if (this.options.interrupt?.signal.aborted) {
      throw new Error("stopped on request");
    }
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

function lineAt(request: RecordedRequest): string {
  return `${request.region} ${line(request)}`;
}

function phaseOf(outputs: Record<string, unknown>): RecoveryPhase | undefined {
  return recoveryOf(outputs).phase;
}

/** How often each of them is there. */
function counted(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  names.forEach((name) => (counts[name] = (counts[name] ?? 0) + 1));
  return counts;
}

function sum(documents: Record<string, number>): number {
  return Object.values(documents).reduce((total, count) => total + count, 0);
}

function oneLine(error: unknown): string {
  const text = messageOf(error);
  return text.replace(/\s*\n\s*/g, "; ").slice(0, 2_000);
}

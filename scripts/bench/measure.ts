import { EndpointsSite } from "../drill/endpointsSite";
import { eksSite, kubernetesSite } from "../drill/platforms";
import type { Platform } from "../../components/settings/schema";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { Cost, Counted, medianCost, Pair, Row, SizeRow, timesTable } from "./numbers";
import { BenchScene } from "./scene";
import type { Site } from "../drill/scene";

/** A whole failback lies between two failovers: this many of them, however many pairs of the others. */
const MOST_FAILOVERS = 3;

/** Measures the runs of one platform, each beside the same of an empty program. */
export async function measurePlatform(
  platform: Platform,
  pairs: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const scene = await BenchScene.of(siteOf(platform), say);
  const row = (run: string, measured: Pair[], beside = "empty program"): Row => {
    const made = { platform, run, beside, pairs: measured };
    // A bench that is stopped has said what it had by then.
    say(timesTable([made]).split("\n").at(-1) ?? "");
    return made;
  };
  try {
    // The first run of both finds cold caches.
    await scene.program("up");
    const one = row(
      "preview of one dynamic resource",
      await alternate(scene, "preview", pairs, () => scene.other("preview", "dynamic")),
    );
    const steady = row("preview", await alternate(scene, "preview", pairs));
    const unchanged = row("up without a change", await alternate(scene, "up", pairs));
    const failovers: Pair[] = [];
    let preview: Row | undefined;
    while (failovers.length < Math.min(pairs, MOST_FAILOVERS)) {
      if (preview !== undefined) {
        await failBack(scene);
      }
      await scene.lose();
      preview ??= row("preview of a failover", await alternate(scene, "preview", pairs));
      failovers.push({ beside: await scene.other("up", "empty"), run: await failOver(scene) });
    }
    const up = medianCost(unchanged.pairs.map(({ run }) => run));
    const besideUp = failovers.map(({ run }) => ({ beside: up, run }));
    return [
      one,
      steady,
      ...(preview === undefined ? [] : [preview]),
      unchanged,
      row("failover, without its waits", failovers),
      row("failover, without its waits", besideUp, "up without a change"),
    ];
  } finally {
    await scene.end();
  }
}

/** Counts what a failover and a failback of a cluster send, and times them. */
export async function measureSize(
  brokers: number,
  partitions: number,
  say: (line: string) => void,
): Promise<SizeRow> {
  const shape = { clusterSize: brokers, partitionCount: partitions };
  const scene = await BenchScene.of(new EndpointsSite(new EmbeddedWorld({ shape })), say);
  try {
    await scene.lose();
    const failover = await counted(scene);
    await scene.recreate();
    const failback = await counted(scene);
    return { brokers, partitions, failover, failback };
  } finally {
    await scene.end();
  }
}

function siteOf(platform: Platform): Site {
  switch (platform) {
    case "kubernetes":
      return kubernetesSite();
    case "eks":
      return eksSite();
    case "endpoints":
      return new EndpointsSite(new EmbeddedWorld());
  }
}

/** Pairs of runs that change nothing, the empty program first and the other first in turn. */
async function alternate(
  scene: BenchScene,
  command: "preview" | "up",
  count: number,
  measure = () => scene.program(command),
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  while (pairs.length < count) {
    if (pairs.length % 2 === 0) {
      const beside = await scene.other(command, "empty");
      pairs.push({ beside, run: await measure() });
    } else {
      const run = await measure();
      pairs.push({ beside: await scene.other(command, "empty"), run });
    }
  }
  return pairs;
}

/** The steps run one after the other, so what is left is what the program and the engine take. */
async function failOver(scene: BenchScene): Promise<Cost> {
  const began = Date.now();
  const { cpu, wall } = await scene.program("up");
  return { cpu, wall: wall - (await scene.waited(began)) };
}

async function failBack(scene: BenchScene): Promise<void> {
  await scene.recreate();
  await scene.up(scene.survivor);
  await scene.finish();
}

async function counted(scene: BenchScene): Promise<Counted> {
  const { requests } = scene.site.recorder;
  const from = requests.length;
  const { wall } = await scene.program("up");
  const sent = requests.slice(from);
  return {
    requests: sent.length,
    toLost: sent.filter(({ region }) => region === scene.lost).length,
    seconds: wall,
  };
}

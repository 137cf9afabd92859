import type * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "../../base/brokers";
import { isRecord } from "../../base/json";
import { endedBy } from "../declaration";
import { nameOf, snapshotName } from "../names";
import type { StepRecord } from "../providers/behaviour";
import * as resources from "../resources";
import { Facts, inPause, Scene, Step } from "./step";

type Recorded = pulumi.Resource & { record: pulumi.Output<StepRecord> };

/** Keeps what the step has seen for the outputs, under a name. */
function kept(scene: Scene, name: string, step: Recorded): pulumi.Resource[] {
  scene.made.records[name] = step.record;
  return [step];
}

/** The incident or the drain that a failback ends. */
function ended({ settings, recorded }: Facts): { incident: string } | { drain: string } {
  const of = endedBy(settings, recorded);
  if (of === undefined) {
    throw new Error("a failback without an incident or a drain");
  }
  return of;
}

/** The recreated region is there, clean, and the cluster is still that of the incident. */
export const gate: Step = {
  says: ({ lost, settings, recorded }) =>
    `check that ${lost} is recreated and clean, and the cluster that of ${nameOf(endedBy(settings, recorded) ?? {})}`,
  declare(facts, scene, after) {
    const { attempt, earlier, lost, recorded } = facts;
    const of = ended(facts);
    const noted = recorded.recovery?.["incident" in of ? "incident" : "drain"];
    const before = isRecord(noted) ? noted : {};
    const version = before.id === Object.values(of)[0] ? before.configurationVersion : undefined;
    const inputs = {
      attempt,
      earlier,
      recreated: lost,
      ...of,
      ...(typeof version === "number" ? { configurationVersion: version } : {}),
    };
    const made = new resources.FailbackGate("failback-gate", inputs, scene.after(after));
    return kept(scene, "gate", made);
  },
};

/** Exporting is paused, so that the snapshot holds all that was exported. */
export const exportPause: Step = {
  says: ({ attempt, settings: { exportPauseLimit }, recorded: { pause } }) =>
    `pause exporting on every broker, for at most ${exportPauseLimit} s${pause?.attempt === attempt ? ` (paused at ${pause.at})` : ""}`,
  declare({ attempt }, scene, after) {
    const { gate: asked } = scene.made.records;
    if (asked === undefined) {
      throw new Error("a procedure that pauses exporting without a gate");
    }
    // With --target there may be no record: then nothing that depends on it is made either.
    const gateAt = asked.apply((record) => String(record?.startedAt));
    const made = new resources.ExportPause("export-pause", { attempt, gateAt }, scene.after(after));
    scene.pausedAt = made.record.apply((record) => String(record?.startedAt));
    return kept(scene, "pause", made);
  },
};

/** The repository at the Elasticsearch of one region; that of the lost one only reads, once there is a snapshot. */
function repository(regionOf: (facts: Facts) => RegionName): Step {
  return {
    declare(facts, scene, after) {
      const { attempt, settings, lost } = facts;
      const region = regionOf(facts);
      const readonly = region === lost;
      const inputs = {
        attempt,
        region,
        repository: settings.repository.name,
        readonly,
        ...(readonly ? { snapshot: snapshotName(lost, attempt) } : {}),
        ...inPause(scene),
      };
      return [
        new resources.SnapshotRepository(
          `snapshot-repository-${region}`,
          inputs,
          scene.after(after),
        ),
      ];
    },
  };
}

export const snapshotSource = repository(({ survivor }) => survivor);

export const snapshotTarget = repository(({ lost }) => lost);

/** The pause that the record of its step names. */
function pauseOf({ made }: Scene): pulumi.Output<string> {
  const { pause } = made.records;
  if (pause === undefined) {
    throw new Error("a procedure that takes a snapshot without a pause");
  }
  return pause.apply((record) => String(record?.observed.pause));
}

function snapshotInputs({ attempt, settings, lost }: Facts) {
  return {
    attempt,
    repository: settings.repository.name,
    snapshot: snapshotName(lost, attempt),
  };
}

/** The snapshot of the surviving Elasticsearch. */
export const snapshot: Step = {
  says: (facts) =>
    `snapshot Elasticsearch of ${facts.settings.region} into ${facts.settings.repository.name} as ${snapshotInputs(facts).snapshot}`,
  declare: (facts, scene, after) =>
    kept(
      scene,
      "snapshot",
      new resources.Snapshot(
        "snapshot",
        {
          ...snapshotInputs(facts),
          pause: pauseOf(scene),
          ...ended(facts),
          ...inPause(scene),
        },
        scene.after(after),
      ),
    ),
};

/** The snapshot restored in the recreated Elasticsearch, equal to the survivor's. */
export const restore: Step = {
  says: (facts) => `restore ${snapshotInputs(facts).snapshot} in Elasticsearch of ${facts.lost}`,
  declare: (facts, scene, after) =>
    kept(
      scene,
      "restore",
      new resources.SnapshotRestore(
        "snapshot-restore",
        { ...snapshotInputs(facts), pause: pauseOf(scene), ...inPause(scene) },
        scene.after(after),
      ),
    ),
};

/** Exporting is resumed, and the recreated Elasticsearch lacks no record. */
export const exportResume: Step = {
  says: ({ lost }) => `resume exporting, and wait until ${lost} lacks no record`,
  declare({ attempt }, scene, after) {
    delete scene.pausedAt;
    return kept(
      scene,
      "resume",
      new resources.ExportResume("export-resume", { attempt }, scene.after(after)),
    );
  },
};

import type { FaultScene } from "./scene";
import type { Truth } from "./invariants";

/** Something that an operator does, whose run meets the faults. */
export interface Work extends Task {
  name: string;
  /** What the scene is brought to before, without a fault: the next `up` is the run. */
  prepare(scene: FaultScene): Promise<void>;
}

/** What runs are to come to. */
export interface Task {
  /** How the world is after a success; `refused`: there is none, whatever happens. */
  truth: Truth | "refused";
  /** How many forced removals the runs may send that take effect. */
  forces: 0 | 1;
  /** Declares otherwise before the next `up`, which then succeeds with {@link Task.healed}, where that is another truth. */
  takeBack?(scene: FaultScene): void;
  healed?: Truth;
  /** Declares it anew, by another name, when a refusal has had its declaration removed. */
  begin?(scene: FaultScene, attempt: string): void;
}

const FAILED_OVER: Truth = { members: "survivors", lostExporter: "DISABLED" };

const DRAINED: Truth = { ...FAILED_OVER, otherLives: true };
const WHOLE: Truth = { members: "all", lostExporter: "ENABLED" };

/** The name of the attempt to fail back. */
export const ATTEMPT = "one";

async function loseRegion(scene: FaultScene): Promise<void> {
  await scene.world.lose(scene.lost);
  scene.set({ lostRegion: scene.lost });
}

/** Failed over, and the lost region is there again with empty disks and a new stack. */
async function recreated(scene: FaultScene): Promise<void> {
  await loseRegion(scene);
  await scene.expectUp();
  await scene.work([scene.survivor]);
  await scene.world.recreate(scene.lost);
  scene.keep(scene.lost, []);
}

const failover: Work = {
  name: "failover",
  prepare: loseRegion,
  truth: FAILED_OVER,
  forces: 1,
};

const failback: Work = {
  name: "failback",
  async prepare(scene) {
    await recreated(scene);
    scene.set({ failback: ATTEMPT });
  },
  truth: WHOLE,
  forces: 0,
  begin(scene, attempt) {
    scene.set({ lostRegion: scene.lost, failback: attempt });
  },
};

/** A failback that could not go on after the restore is given up: exporting is paused at that moment. */
const abandon: Work = {
  name: "abandon",
  async prepare(scene) {
    await recreated(scene);
    scene.set({ failback: ATTEMPT });
    const heal = scene.world.inject({
      method: "POST",
      path: /\/actuator\/exporters\/\w+\/enable/,
      respond: { status: 400, body: { message: "not now" } },
    });
    const { ended } = await scene.up({ brisk: true });
    heal();
    if (ended?.ok !== false) {
      throw new Error("the failback that is to be abandoned did not end half way");
    }
    scene.unset(["failback"]);
  },
  truth: FAILED_OVER,
  forces: 0,
};

/** A region is declared lost that lives: nothing that is answered wrongly may make that true. */
const mistaken: Work = {
  name: "mistaken",
  prepare(scene) {
    scene.set({ lostRegion: scene.lost });
    return Promise.resolve();
  },
  truth: "refused",
  forces: 0,
  takeBack(scene) {
    scene.unset(["lostRegion"]);
  },
  healed: WHOLE,
};

/** A region that lives is taken out for a maintenance: never by force. */
const drain: Work = {
  name: "drain",
  prepare(scene) {
    scene.set({ drainRegion: scene.lost });
    return Promise.resolve();
  },
  truth: DRAINED,
  forces: 0,
};

/** The failback of a drained region, whose brokers have run all the time and whose Elasticsearch was emptied. */
const comeback: Work = {
  name: "return",
  async prepare(scene) {
    const { world, lost, survivor } = scene;
    scene.set({ drainRegion: lost });
    await scene.expectUp();
    await scene.expectUp({ region: lost });
    await scene.work([survivor]);
    await world.emptyElasticsearch(lost);
    scene.set({ failback: ATTEMPT });
  },
  truth: WHOLE,
  forces: 0,
  begin(scene, attempt) {
    scene.set({ drainRegion: scene.lost, failback: attempt });
  },
};

/** What is declared of a region that is lost while it is drained. */
export const lossOf: Task = {
  truth: FAILED_OVER,
  forces: 1,
  takeBack(scene) {
    scene.unset(["drainRegion"]);
    scene.set({ lostRegion: scene.lost });
  },
};

/** All of them. */
export const WORKS: readonly Work[] = [failover, failback, abandon, mistaken, drain, comeback];

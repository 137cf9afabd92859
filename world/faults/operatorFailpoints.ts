import { peerOf } from "../../components/base/brokers";
import type { RegionName } from "../world";
import { EngineProcess, StackState, STACK_TYPE } from "./engine";
import type { Left } from "./engine";
import type { Failpoint } from "./failpoint";
import type { FaultScene } from "./scene";
import type { Work } from "./works";

/** What an operator does otherwise than the documentation says. */
interface Slip {
  name: string;
  /** The same, of whichever resource; default: the name. */
  kind?: string;
  /** Whether an operator could do so before that work. */
  available(work: Work): boolean;
  run(scene: FaultScene): Promise<Left[]>;
  /** The run is not to do all of the work, so its success says nothing. */
  partial?: true;
}

/** The engines of two operators: each has its own. */
async function beside(
  scene: FaultScene,
  other: (engine: EngineProcess) => Promise<Left>,
): Promise<Left[]> {
  const engine = new EngineProcess();
  try {
    return await Promise.all([scene.up({ brisk: true }), other(engine)]);
  } finally {
    engine.kill();
  }
}

const always = () => true;
const oneUp = async (scene: FaultScene) => [await scene.up({ brisk: true })];

const withState = (state: (scene: FaultScene) => StackState) => async (scene: FaultScene) => {
  scene.keep(scene.survivor, state(scene));
  return oneUp(scene);
};

const SLIPS: readonly Slip[] = [
  {
    name: "two runs of one stack at once",
    available: always,
    run: (scene) => beside(scene, (engine) => scene.up({ brisk: true, engine })),
  },
  {
    name: "runs of both stacks at once",
    available: always,
    run: (scene) =>
      beside(scene, (engine) => scene.up({ brisk: true, engine, region: scene.lost })),
  },
  {
    name: "both stacks declare each other lost at once",
    // After that the other one has no member that could be forced to anything.
    available: ({ name }) => name === "failover" || name === "mistaken",
    run(scene) {
      scene.set({ lostRegion: scene.survivor }, scene.lost);
      return beside(scene, (engine) => scene.up({ brisk: true, engine, region: scene.lost }));
    },
  },
  {
    name: "the loss is declared on the other stack",
    available: always,
    async run(scene) {
      scene.set({ lostRegion: scene.survivor }, scene.lost);
      return [await scene.up({ brisk: true, region: scene.lost })];
    },
    partial: true,
  },
  {
    name: "the configuration of the other region",
    available: always,
    run: async (scene) => [await scene.up({ brisk: true, configOf: peerOf(scene.survivor) })],
  },
  {
    name: "the state of before the last run",
    // Before the first piece of work that is no state at all.
    available: ({ name }) => name === "failback" || name === "abandon",
    run: withState(({ earlier }) => earlier.at(-1) ?? []),
  },
  { name: "no state", available: always, run: withState(() => []) },
];

function target(resource: string): Slip {
  return {
    kind: "up --target",
    name: `up --target ${resource}`,
    available: always,
    run: async (scene) => [await scene.up({ brisk: true, targets: [resource] })],
    partial: true,
  };
}

/** What takes a resource away, by its name. */
const TAKING: readonly ((resource: string) => Slip)[] = [
  (resource) => ({
    kind: "state delete",
    name: `state delete ${resource}`,
    available: always,
    run: withState((scene) => without(scene, resource)),
  }),
  (resource) => ({
    kind: "destroy --target",
    name: `destroy --target ${resource}`,
    available: always,
    async run(scene) {
      const gone = await scene.up({ brisk: true, destroy: [resource] });
      return gone.ended?.ok === true ? [await scene.up({ brisk: true })] : [gone];
    },
  }),
];

const NAME = /^(?:up --target|state delete|destroy --target) (\S+)$/;

function without({ states, survivor }: FaultScene, resource: string): StackState {
  return (states[survivor] ?? []).filter(({ name }) => name !== resource);
}

/** Every slip in that work, by the state before and after it. */
export function operatorFailpoints(work: Work, before: StackState, after: StackState): Failpoint[] {
  const names = (state: StackState) =>
    state.filter(({ type }) => type !== STACK_TYPE).map(({ name }) => name);
  const targets = [...new Set([...names(before), ...names(after)])].map(target);
  return [...SLIPS, ...targets, ...TAKING.flatMap((take) => names(before).map(take))]
    .filter((slip) => slip.available(work))
    .map(slipping);
}

/** The failpoint of that name, when it is one of an operator. */
export function operatorFailpoint(name: string): Failpoint | undefined {
  const resource = NAME.exec(name)?.[1];
  const slips = resource === undefined ? SLIPS : [target, ...TAKING].map((of) => of(resource));
  const slip = slips.find((one) => one.name === name);
  return slip && slipping(slip);
}

function slipping({ name, kind = name, run, partial }: Slip): Failpoint {
  return {
    family: "operators",
    kind,
    name,
    ...(partial === undefined ? {} : { partial }),
    arm(scene) {
      const { survivor, lost } = scene;
      const { states } = scene;
      return {
        hits: 1,
        heal() {
          scene.unset(["lostRegion"], lost);
          for (const region of [survivor, lost] as RegionName[]) {
            putBack(scene, region, states[region] ?? []);
          }
        },
      };
    },
    run,
  };
}

/** Puts resources back that are missing: what the operator has taken away, from the backup of the state. */
function putBack(scene: FaultScene, region: RegionName, before: StackState): void {
  const now = scene.states[region] ?? [];
  const known = new Set(now.map(({ type, name }) => `${type} ${name}`));
  const missing = before.filter(({ type, name }) => !known.has(`${type} ${name}`));
  scene.keep(region, [...missing, ...now]);
}

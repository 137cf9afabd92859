import type { Failpoint } from "./failpoint";
import { isLike, LearntRequest, REQUEST, RequestId, requestOf, shapeOf, textOf } from "./requests";

const MOMENTS = ["before", "after"] as const;

type Moment = (typeof MOMENTS)[number];

const NAME = new RegExp(`^killed (${MOMENTS.join("|")}) ${REQUEST}$`);

/** A kill of the engine with all that it runs, before and after every request that changes something. */
export function killingFailpoints(learnt: readonly LearntRequest[]): Failpoint[] {
  return learnt
    .filter(({ changes }) => changes)
    .flatMap(({ id }) => MOMENTS.map((moment) => killing(id, moment)));
}

/** The failpoint of that name, when it is one of a kill. */
export function killingFailpoint(name: string): Failpoint | undefined {
  const [moment, ...groups] = NAME.exec(name)?.slice(1) ?? [];
  return moment === undefined ? undefined : killing(requestOf(groups), moment as Moment);
}

function killing(id: RequestId, moment: Moment): Failpoint {
  return {
    family: "kills",
    kind: `killed ${moment}`,
    name: `killed ${moment} ${textOf(id)}`,
    at: shapeOf(id),
    kills: true,
    arm({ world, engine }) {
      let like = 0;
      let hits = 0;
      const heal = world.inject({
        path: /./,
        tell: async (truth, request) => {
          if (!isLike(id, request) || ++like !== id.number) {
            return truth();
          }
          hits++;
          if (moment === "after") {
            await truth();
          }
          engine.kill();
          return { ends: "reset" };
        },
      });
      return {
        get hits() {
          return hits;
        },
        heal,
      };
    },
  };
}

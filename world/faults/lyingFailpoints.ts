import { setTimeout as sleep } from "node:timers/promises";
import type { Reply } from "../camunda/embedded";
import type { Failpoint } from "./failpoint";
import { Lie, LIES } from "./lies";
import { isLike, LearntRequest, REQUEST, RequestId, requestOf, shapeOf, textOf } from "./requests";

/** How often a lie is told. */
const TIMES = { once: 1, thrice: 3, always: Infinity };

type Often = keyof typeof TIMES;

/** So long a server takes to open its port again. */
const OPENS_MS = 50;

const OFTEN = Object.keys(TIMES) as Often[];

const NAME = new RegExp(`^${REQUEST} answers (\\S+) (${OFTEN.join("|")})$`);

/** Every lie to every request, where it is one. */
export function lyingFailpoints(learnt: readonly LearntRequest[]): Failpoint[] {
  return learnt.flatMap(({ id, changes, reply }) =>
    LIES.filter((lie) => lie.available(reply, changes)).flatMap((lie) =>
      OFTEN.map((often) => lying(id, lie, often, changes)),
    ),
  );
}

/** The failpoint of that name, when it is one of a lie. */
export function lyingFailpoint(
  name: string,
  changes: (id: RequestId) => boolean,
): Failpoint | undefined {
  const groups = NAME.exec(name)?.slice(1);
  const lie = LIES.find((one) => one.name === groups?.[4]);
  if (groups === undefined || lie === undefined) {
    return undefined;
  }
  const id = requestOf(groups);
  return lying(id, lie, groups[5] as Often, changes(id));
}

function lying(id: RequestId, lie: Lie, often: Often, changes: boolean): Failpoint {
  return {
    family: "lies",
    kind: lie.name,
    name: `${textOf(id)} answers ${lie.name} ${often}`,
    at: shapeOf(id),
    arm({ world, lost }) {
      let like = 0;
      let hits = 0;
      let before: Reply | undefined;
      let refusesUntil = 0;
      const heal = world.inject({
        path: /./,
        tell: async (truth, request) => {
          const number = isLike(id, request) ? ++like : 0;
          if (number >= id.number && number < id.number + TIMES[often]) {
            hits++;
            const told = await lie.tell({ truth, before, lost, changes });
            if ("ends" in told && told.refusesMs !== undefined) {
              refusesUntil = Date.now() + told.refusesMs;
            }
            return told;
          }
          const reply = await truth();
          before = number > 0 ? reply : before;
          return reply;
        },
      });
      return {
        get hits() {
          return hits;
        },
        async heal() {
          heal();
          await sleep(Math.max(0, refusesUntil - Date.now()) + OPENS_MS);
        },
      };
    },
  };
}

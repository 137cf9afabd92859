import type { RegionName } from "../world";
import { ClusterEvent, EVENTS } from "./events";
import type { Failpoint } from "./failpoint";
import { isLike, LearntRequest, REQUEST, RequestId, requestOf, textOf } from "./requests";
import type { Work } from "./works";

const NAME = new RegExp(String.raw`^(\S+) before ${REQUEST}$`);

/** Every event at the beginning of a run and before each request that changes something, where it can happen. */
export function eventFailpoints(
  learnt: readonly LearntRequest[],
  work: Work,
  lost: RegionName,
): Failpoint[] {
  return learnt.flatMap((next, index) =>
    index === 0 || next.changes
      ? EVENTS.filter((event) =>
          event.available({ work, lost, before: learnt.slice(0, index), next }),
        ).map((event) => happening(event, next.id))
      : [],
  );
}

/** The failpoint of that name, when it is one of an event. */
export function eventFailpoint(name: string): Failpoint | undefined {
  const [word, ...groups] = NAME.exec(name)?.slice(1) ?? [];
  const event = EVENTS.find((one) => one.name === word);
  return event && happening(event, requestOf(groups));
}

function happening(event: ClusterEvent, id: RequestId): Failpoint {
  return {
    family: "events",
    kind: event.name,
    name: `${event.name} before ${textOf(id)}`,
    ...(event.turns && { turns: event.turns }),
    arm(scene) {
      const { world } = scene;
      let like = 0;
      let hits = 0;
      let end: (() => void | Promise<void>) | undefined;
      const stop = world.inject({
        path: /./,
        tell: async (truth, request) => {
          if (isLike(id, request) && ++like === id.number) {
            end = await event.happen(scene);
            hits += end === undefined ? 0 : 1;
          }
          const { brokerId, region } = request;
          const isThere =
            brokerId === undefined ? world.isSearching(region) : world.isRunning(brokerId);
          return isThere ? truth() : { ends: "reset" };
        },
      });
      return {
        get hits() {
          return hits;
        },
        async heal() {
          stop();
          await end?.();
        },
      };
    },
  };
}

import { listed, shortened } from "../../base/bounded";
import { partitionIds } from "../../clients/topology";
import { waitFor } from "../../clients/poll";
import type { Session } from "../session";
import { Look, readPhases } from "./phases";
import { undeclaredExporters } from "./undeclared";

/**
 * Waits until every exporter that is enabled has written what was processed up to now. They write in bulks, some
 * seconds after a resume; one that fails comes no further, and holds up whatever waits for them all.
 *
 * @param look what every broker has just answered
 */
export async function awaitWritten(
  session: Session,
  seconds: number,
  { replicas, phases }: Look,
): Promise<void> {
  const known = new Map(phases);
  const upTo = new Map<number, number>();
  let asked: number[] = [];
  let undeclared: string[] | undefined;
  await waitFor<void>(
    "the exporters to write what was processed",
    seconds,
    session.log,
    async () => {
      for (const [broker, reported] of await readPhases(session, asked)) {
        known.set(broker, reported);
      }
      const exported = new Map<number, number>();
      for (const { partition, role, ...leader } of [...known.values()].flat()) {
        if (role === "LEADER") {
          // Of two that take themselves for the leader, as during an election, the one that is behind counts.
          exported.set(
            partition,
            Math.min(exported.get(partition) ?? Infinity, leader.exportedPosition),
          );
          upTo.set(partition, upTo.get(partition) ?? leader.processedPosition);
        }
      }
      const behind = partitionIds(session.settings.partitionCount).filter(
        (partition) => !((exported.get(partition) ?? -1) >= (upTo.get(partition) ?? Infinity)),
      );
      if (behind.length === 0) {
        return { done: true, value: undefined };
      }
      // Whoever has no replica of these has nothing to say that it has not said.
      asked = [...replicas]
        .filter(([, held]) => held.some((partition) => behind.includes(partition)))
        .map(([broker]) => broker);
      undeclared ??= undeclaredExporters((await session.observe()).configuration, session);
      const described = behind.map((partition) => {
        const at = exported.get(partition);
        return `partition ${partition} ${at === undefined ? "without a leader" : `at ${at} of ${upTo.get(partition)}`}`;
      });
      return { done: false, seen: listed(described, "; ") };
    },
    {
      refuse: (last) =>
        `not all that was processed is exported (${shortened(last, 45)}, after ${seconds} s): ${whatFails(undeclared)}`,
    },
  );
}

/** What to do. The position that is told is of all exporters together: which of them is the last it does not say. */
function whatFails(undeclared: readonly string[] = []): string {
  return undeclared.length === 0
    ? "see the brokers' logs, then pulumi up again"
    : `${shortened(undeclared.join(", "), 25)}, not in exporters, may hold it up; declare or disable it`;
}

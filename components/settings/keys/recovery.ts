import { REGIONS } from "../../base/brokers";
import * as s from "../schema";

/** The interlocks that a written reason may pass, and what each protects from. */
export const OVERRIDES = {
  "peer-declares-loss":
    "Two halves that force each other out go on alone, and data is lost for good.",
  "export-gap":
    "The records of the time in which the exporter was disabled would be missing where it writes.",
  "fence-unproved": "A lost region that lives on could still be heard.",
  "still-seen": "The fence and the forced removal would take a healthy half out of the cluster.",
  "switch-back":
    "The end of a failback would move the users to a region that was empty an hour ago.",
} as const;

/** Name of a refusal that can be overridden. */
export type Override = keyof typeof OVERRIDES;

/** Those that are met when a loss is declared: a reason is for one incident, and must not pass the next one's. */
export const INCIDENT_OVERRIDES: readonly Override[] = [
  "peer-declares-loss",
  "fence-unproved",
  "still-seen",
];

const reason = s.custom<string>(
  (value) => typeof value === "string" && value.trim().length >= 10,
  "must be a written reason of at least 10 characters",
);

/** A part for each of some names. */
function each<N extends string, S extends s.Schema>(
  texts: Record<N, string>,
  schema: (name: N) => S,
): Record<N, ReturnType<typeof s.part<S>>> {
  return Object.fromEntries(
    Object.entries<string>(texts).map(([name, what]) => [name, s.part(schema(name as N), what)]),
  ) as Record<N, ReturnType<typeof s.part<S>>>;
}

/** Less is no time for any answer; more, and Node's timers would fire at once. */
const [SHORTEST, LONGEST] = [0.1, 1_000_000];

const seconds = s.custom<number>(
  (value) => typeof value === "number" && value >= SHORTEST && value <= LONGEST,
  ({ input }) =>
    `must be a number of seconds from ${SHORTEST} to ${LONGEST}, not ${s.quoted(input)}`,
);

const until = (otherwise: number, what: string) => s.part(s.optional(seconds, otherwise), what);

export const RECOVERY = s.section("The recovery", s.EVERYWHERE, {
  lostRegion: {
    type: "string",
    schema: s.optional(s.oneOf(REGIONS)),
    text: "The region that you declare lost, on the stack of the other one. `up` forces its brokers out of the cluster and disables its exporters. Removed when a failback has finished.",
    change: "as [the operator's page](recovery.md) says",
  },
  drainRegion: {
    type: "string",
    schema: s.optional(s.oneOf(REGIONS)),
    text: "The region that you take out for a maintenance, on the stack of the other one. `up` removes its brokers by an ordinary change, for which all brokers must run, and disables its exporters. Never beside `lostRegion`. Removed when a failback has finished.",
    change: "as [the operator's page](recovery.md#take-a-region-out-for-a-maintenance) says",
  },
  failback: {
    type: "string",
    schema: s.optional(
      s.matching(
        /^(?!false$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
        (it) =>
          `is ${it}, not a name of an attempt: a date or a ticket, of letters, digits, ".", "_" and "-"`,
      ),
    ),
    text: "Name of an attempt to fail back to the recreated `lostRegion`, or to the emptied `drainRegion`, a date or a ticket; new for each attempt. Removing it half way abandons the attempt. Letters, digits, `.`, `_`, `-`, at most 63. Needs `lostRegion` or `drainRegion`. The snapshot is `failback-REGION-NAME`.",
    change: "as [the operator's page](recovery.md) says",
  },
  reason: {
    type: "string",
    schema: s.optional(
      s.matching(/^[^\p{C}]{1,200}$/u, (it) => `is ${it}, not one line of at most 200 characters`),
    ),
    open: "the ticket that it names",
    text: "Why `lostRegion` or `drainRegion` is declared, in a line of at most 200 characters: what was seen, or a ticket. It is kept with the incident or the drain, in the state and the outputs.",
    change: "at any time",
  },
  overrides: {
    type: "object",
    schema: s.object(each(OVERRIDES, () => s.optional(reason))),
    text: "Refusals to override, each with a written reason of at least 10 characters, which is kept in the outputs. `still-seen` is met on `eks` and `kubernetes`.",
    change: "when its refusal is met, and removed afterwards",
  },
  exportPauseLimit: {
    type: "integer",
    schema: s.whole(
      7200,
      (value) => value >= 1 && value <= LONGEST,
      (value) => `must be from 1 to ${LONGEST} seconds, not ${value}`,
    ),
    text: "How long a failback may keep exporting paused, in seconds, from the first pause of an attempt on, through all its runs. While it is paused the brokers' disks fill. Past it the run resumes exporting and fails, and the attempt is spent; so does the next run when none was running then. The default is the time that snapshot and restore may take together (`timeouts.snapshot`, `timeouts.restore`). Set it to what the brokers' disks take: the free space, less that of their watermark, by what the log grows in a second.",
    change: "at any time. An attempt that is past it stays so: a new name",
  },
  timeouts: {
    type: "object",
    schema: s.object({
      request: until(10, "one HTTP request has been answered"),
      loss: until(
        60,
        "the survivors no longer see the lost brokers (they take 10 to 12 s); the fence is proved",
      ),
      absence: until(
        12,
        "the survivors have missed every broker of the lost region for so long without a break, before it counts as lost: the time in which brokers find out by themselves that others are gone (10 to 12 s on 8.6); a gateway that has just started misses them for a moment",
      ),
      failover: until(120, "the removal, forced or of a drain, and the elections after it"),
      exporter: until(60, "an exporter is enabled or disabled in every partition"),
      exporting: until(60, "every broker has paused or resumed exporting"),
      settle: until(
        6,
        "the surviving Elasticsearch has held the same number of records for so long after a pause, before it is snapshotted: longer than the exporters' bulk delay (5 s unless the brokers say otherwise), since they write what they have collected even when paused",
      ),
      gate: until(
        300,
        "the other region is reached from a pod; the survivors know the brokers of the recreated region; the exporters have written what was processed, before they are paused; a node of the recreated Elasticsearch that was lost in the restore is back",
      ),
      snapshot: until(
        3600,
        "the snapshot of the surviving Elasticsearch is taken; grows with the data",
      ),
      restore: until(3600, "it is restored in the recreated Elasticsearch; grows with the data"),
      catchUp: until(900, "the recreated Elasticsearch has the records of the pause"),
      join: until(1800, "the brokers have joined every partition; grows with the data"),
      formation: until(
        1200,
        "a cluster that is being installed has all its brokers and is healthy",
      ),
      webApps: until(300, "the pods of Operate and Tasklist are gone, or ready"),
      release: until(
        300,
        "an operation of Helm that a killed run has left unended counts as dead, when nobody has written it for so long: the deadline of Helm's own waits",
      ),
    }),
    text: "How long each kind of wait may take, in seconds. Past a timeout the step fails, names what it saw last, and the next `up` goes on.",
    change: "at any time",
  },
});

import type { Left } from "./engine";
import type { FaultScene } from "./scene";
import type { Task } from "./works";

/** What goes wrong: answers, processes, the cluster, or what operators do. */
export const FAMILIES = ["lies", "kills", "events", "operators"] as const;

export type Family = (typeof FAMILIES)[number];

/** Something that goes wrong in a run, at a place that its name says. */
export interface Failpoint {
  family: Family;
  /** What happens, wherever it does. */
  kind: string;
  /** The same in every run, so that a case can be repeated by it. */
  name: string;
  /** What kind of request it happens at, when it happens at one. */
  at?: string;
  /** Lets it happen when its place is reached. */
  arm(scene: FaultScene): Armed;
  /** Whether the run is killed by it. */
  kills?: true;
  /** How the run is made, when not by one `up` of the survivor's stack: what each `up` has left. */
  run?(scene: FaultScene): Promise<Left[]>;
  /** Whether the run is not to do all of the work: a success of it says nothing, the next run is to do the rest. */
  partial?: true;
  /** What is to be done from then on instead, when it has happened. */
  turns?: Task;
}

/** A failpoint that waits for its place. */
export interface Armed {
  /** How often it has happened. */
  readonly hits: number;
  /** Takes the fault away: what is broken then works again. */
  heal(): void | Promise<void>;
}

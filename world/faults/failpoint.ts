import type { FaultScene } from "./scene";

/** Something that goes wrong in a run, at a place that its name says. */
export interface Failpoint {
  family: "lies" | "kills";
  /** The same in every run, so that a case can be repeated by it. */
  name: string;
  /** Lets it happen when its place is reached. */
  arm(scene: FaultScene): Armed;
  /** How the run is made, when not by one `up` of the survivor's stack. */
  run?: "killed";
}

/** A failpoint that waits for its place. */
export interface Armed {
  /** How often it has happened. */
  readonly hits: number;
  /** Takes the fault away: what is broken then works again. */
  heal(): void | Promise<void>;
}

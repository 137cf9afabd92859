/** What the state has of a resource. */
export interface RecordedResource {
  type: string;
  name: string;
  id: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
  /** Why its last operation has failed half way: it is done again by the next run, changed or not. */
  unfinished?: readonly string[];
}

/** The state of a stack: its resources in the order in which they were made. */
export type StackState = readonly RecordedResource[];

/** The states of all stacks of the project, by name. */
export type States = Readonly<Record<string, StackState>>;

/** The type under which a stack keeps its own outputs. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/** What a run adds to the state of its stack, at once when it is known: a kill loses nothing that was said. */
export type Checkpoint = { made: RecordedResource } | { gone: string };

/** The name of a resource within a stack. */
export function keyOf({ type, name }: Pick<RecordedResource, "type" | "name">): string {
  return `${type}::${name}`;
}

/** The state after a checkpoint. */
export function after(state: StackState, checkpoint: Checkpoint): StackState {
  const gone = "made" in checkpoint ? keyOf(checkpoint.made) : checkpoint.gone;
  const others = state.filter((resource) => keyOf(resource) !== gone);
  return "made" in checkpoint ? [...others, checkpoint.made] : others;
}

import type * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";
import type { Shape } from "./phase";
import type { RepositoryTrialInputs } from "./providers/repositoryTrial";
import { RepositoryTrial } from "./resources";

/**
 * Declares that the snapshot repository is tried once in normal operation, and again when its configuration changes.
 *
 * As long as a recovery is not finished nothing is tried: what is recorded stays as it is, and a repository that cannot be
 * used keeps no run from deleting what ends the recovery, which the engine does last. It is no step of a procedure, and
 * in no component of one: a run that is held to the recovery by `--target` does not try it either.
 *
 * @param after all that a run must have done before it may fail because of the repository
 */
export function declareTrial(
  { repository }: Settings,
  shape: Shape,
  recorded: RecordedState,
  after: pulumi.Resource[],
): void {
  const isNormal =
    shape === "steady" && recorded.incident === undefined && recorded.drain === undefined;
  if (!isNormal && recorded.repositoryTried !== true) {
    return;
  }
  const { name, type, settings } = repository;
  const inputs: RepositoryTrialInputs = { repository: name, type, settings: digestOf(settings) };
  new RepositoryTrial("repository-trial", inputs, {
    dependsOn: after,
    ...(isNormal ? {} : { ignoreChanges: Object.keys(inputs) }),
  });
}

/** The same for the same settings, in whichever order they are written. */
function digestOf(settings: Settings["repository"]["settings"]): string {
  const sorted = Object.entries(settings).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}

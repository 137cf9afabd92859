import { tryRepository } from "../checks/repository";
import { implement } from "./behaviour";

/** Inputs of a `RepositoryTrial`: what is configured of the repository. When it changes, it is tried again. */
export interface RepositoryTrialInputs {
  /** Name of the snapshot repository. */
  repository: string;
  /** Its type. */
  type: string;
  /** By what its settings are known again: they may be encrypted in the configuration, and the state would show them. */
  settings: string;
}

/**
 * The snapshot repository of a failback can be used from this region's Elasticsearch, which has it for a moment only: a
 * wrong bucket or a right that is missing is found in normal operation.
 */
export const provider = implement<RepositoryTrialInputs>({
  id: () => "repository-trial",
  async converge({ repository }, { session }) {
    const { nodes } = await tryRepository(session, session.settings.region, false);
    return { how: "already true", observed: { repository, nodes } };
  },
});

import type { World } from "../world";

/** The configuration of both stacks of a cluster that is there already. */
export function endpointsConfig({ shape, endpoints, repository }: World): Record<string, unknown> {
  return {
    platform: "endpoints",
    ...shape,
    endpoints,
    snapshotRepository: { name: "camunda_backup", ...repository },
  };
}

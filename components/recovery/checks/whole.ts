import { listed } from "../../base/bounded";
import { exporterStates, notReadyToLeave } from "../../clients/topology";
import type { MembershipIntent } from "../planner";
import type { Observation, Session } from "../session";

/**
 * What is to be mended before a region is taken out that lives: an ordinary change in a cluster that is not whole may
 * stay pending for ever, and what is left exports nothing without its own exporters and their Elasticsearch.
 */
export async function notWhole(
  session: Session,
  intent: MembershipIntent,
  { configuration, topology }: Observation,
): Promise<{ seen: string; refusal: string } | undefined> {
  const { region, exporters, partitionCount } = session.settings;
  const { brokers, replicationFactor } = intent;
  const problems = notReadyToLeave(
    configuration,
    topology,
    brokers,
    replicationFactor,
    partitionCount,
  );
  for (const id of exporters[region]) {
    const states = exporterStates(configuration, id);
    if (states.length !== 1 || states[0] !== "ENABLED") {
      problems.push(`exporter ${id} is ${states.join(" and ") || "unknown"}`);
    }
  }
  if ((await session.elasticsearch(region).health()).status === "red") {
    problems.push(`Elasticsearch of ${region} is red`);
  }
  const seen = listed(problems, "; ");
  return problems.length === 0
    ? undefined
    : {
        seen,
        refusal: `the cluster is not whole (${seen}): a drain takes half of it out; mend it first`,
      };
}

import type { Declaration } from "../../base/declaration";
import { memberIds, partitionsWithout, seenIds } from "../../clients/topology";
import type { MembershipFacts, MembershipIntent } from "../planner";
import type { Observation, Session } from "../session";

/** What the cluster shows for the decision about its members. */
export function membershipFacts(
  { configuration, topology }: Observation,
  session: Session,
): MembershipFacts {
  return {
    members: memberIds(configuration),
    seen: seenIds(topology),
    replicationFactor: topology.replicationFactor,
    partitionsLost: partitionsWithout(configuration, session.own, session.settings.partitionCount),
  };
}

/** What is declared of its members. */
export function membershipIntent(
  desired: { ids: readonly number[]; replicationFactor: number },
  { lost, attempt }: Declaration,
  session: Session,
): MembershipIntent {
  const { region, clusterSize } = session.settings;
  return {
    brokers: desired.ids,
    replicationFactor: desired.replicationFactor,
    region,
    regions: session.generation.ids.byRegion(clusterSize),
    lostRegion: lost,
    failback: attempt,
  };
}

import type { Settings } from "../settings";
import type { RecordedState } from "../stack/stackState";

/** A minor that takes the place of another one in the region of this stack. */
export interface Upgrade {
  /** What the release of Camunda is of. */
  from: string;
  /** What is configured. */
  to: string;
}

/**
 * What a run would do to the generation of its region; undefined when nothing. Where Camunda is there already, on
 * `endpoints`, the configuration says what runs, and upgrades nothing.
 */
export function upgradeOf(settings: Settings, recorded: RecordedState): Upgrade | undefined {
  const from = settings.installation === undefined ? undefined : recorded.camunda?.applied;
  const to = settings.camundaVersion;
  return from === undefined || from === to ? undefined : { from, to };
}

/** What an upgrade does and costs, for a preview. */
export function upgradePlan({ region, peer }: Settings, { from, to }: Upgrade): string {
  return [
    `upgrade plan: ${region} from Camunda ${from} to ${to}`,
    "  1. restart the nodes of Elasticsearch, one at a time, where their image changes",
    `  2. restart the brokers of ${region}, one at a time: of each of its partitions three replicas stay; and gateways, Operate and Tasklist`,
    `  3. wait until the brokers of ${region} are of ${to} and every partition has its leader and all its replicas`,
    region === "region0"
      ? `  then ${peer}, by its own stack: npm run up does one after the other`
      : `  ${peer} is of ${to} already`,
  ].join("\n");
}

import { drillHolds } from "../support/drill";
import { EmbeddedWorld } from "../../world/camunda/embedded";

describe("the drill on the embedded world, with more brokers", () => {
  drillHolds("region1", () => new EmbeddedWorld({ shape: { clusterSize: 8, partitionCount: 3 } }));
});

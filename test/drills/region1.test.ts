import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { drillHoldsAt } from "../support/drill";
import { TWO_EACH, TWO_EACH_TARGETS } from "../support/exporters";

describe("the drill on the embedded world, with more brokers and two exporters for each region", () => {
  drillHoldsAt(["region1"], () => {
    const shape = { clusterSize: 8, partitionCount: 3 };
    const world = new EmbeddedWorld({ shape, exporters: TWO_EACH_TARGETS });
    return new EndpointsSite(world, undefined, TWO_EACH);
  });
});

import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import { kubernetesSite } from "../../scripts/drill/platforms";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { DIALECTS } from "../../world/camunda/embedded/dialect";
import { drillHoldsAt } from "../support/drill";

// A share: each generation on one platform that is there and one that is installed, each direction once.
describe("the drill on Camunda 8.7", () => {
  const dialect = DIALECTS["8.7"];
  drillHoldsAt(["region0"], () => new EndpointsSite(new EmbeddedWorld({ dialect }), "8.7"));
  drillHoldsAt(["region1"], () => kubernetesSite({ camundaVersion: "8.7" }), 66);
});

import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import { EmbeddedOnSearch } from "../../world/search/real/embeddedOnSearch";
import { drillHoldsAt } from "../support/drill";

describe("the drill on real OpenSearch", () => {
  drillHoldsAt(
    ["region1", "region0"],
    () => new EndpointsSite(new EmbeddedOnSearch({ log: (line) => console.log(line) })),
    80,
  );
});

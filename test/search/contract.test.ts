import { EmbeddedOnSearch } from "../../world/search/real/embeddedOnSearch";
import { contract } from "../contract/suite";

describe("contract: embedded brokers on real OpenSearch", function () {
  this.slow(60_000);
  contract(() => new EmbeddedOnSearch());
});

import { drillHolds } from "../support/drill";
import { RealWorld } from "../../scripts/world/real/realWorld";

describe("the drill on real brokers and a real Elasticsearch", () => {
  drillHolds("region1", () => new RealWorld({ log: (line) => console.log(line) }));
  drillHolds("region0", () => new RealWorld({ log: (line) => console.log(line) }));
});

import { eksSite } from "../../scripts/drill/platforms";
import { drillHoldsAt } from "../support/drill";

// The second loss meets what the failback from the first has left in the other direction.
describe("the drill with two EKS regions", () => {
  drillHoldsAt(["region1", "region0"], () => eksSite(), 110);
});

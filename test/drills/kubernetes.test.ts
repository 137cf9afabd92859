import { kubernetesSite } from "../../scripts/drill/platforms";
import { drillHoldsAt } from "../support/drill";

describe("the drill with two clusters that are there", () => {
  drillHoldsAt(["region0"], () => kubernetesSite(), 66);
});

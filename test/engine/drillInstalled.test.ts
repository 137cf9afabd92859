import { eksSite, kubernetesSite } from "../../scripts/drill/platforms";
import { drillHoldsAt } from "../support/drill";

describe("the drill with two clusters that are there", () => {
  drillHoldsAt("region0", () => kubernetesSite(), 67);
  drillHoldsAt("region1", () => kubernetesSite(), 67);
});

describe("the drill with two EKS regions", () => {
  drillHoldsAt("region0", () => eksSite(), 67);
  drillHoldsAt("region1", () => eksSite(), 67);
});

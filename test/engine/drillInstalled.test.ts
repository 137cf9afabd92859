import { eksSite, kubernetesSite } from "../../scripts/drill/platforms";
import { drillHoldsAt } from "../support/drill";

// Each region is lost once, and each platform is drilled once: the other two are `npm run drill -- --platform`.
describe("the drill with two clusters that are there", () => {
  drillHoldsAt("region1", () => kubernetesSite(), 67);
});

describe("the drill with two EKS regions", () => {
  drillHoldsAt("region0", () => eksSite(), 67);
});

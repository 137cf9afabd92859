import { realKubernetesSite } from "../../scripts/drill/realKubernetesSite";
import { drillHoldsAt } from "../support/drill";

describe("the drill on two real Kubernetes APIs, through Pulumi's real provider", () => {
  drillHoldsAt(["region1", "region0"], () => realKubernetesSite(), 100);
});

import { realKubernetesSite } from "../../scripts/drill/realKubernetesSite";
import { drillHoldsAt } from "../support/drill";

describe("the drill on two real Kubernetes APIs, through Pulumi's real provider", () => {
  drillHoldsAt(["region1"], () => realKubernetesSite(), 66);
});

import { realKubernetesSite } from "../../scripts/drill/platforms";
import { drillHoldsAt } from "../support/drill";

describe("the drill on two real Kubernetes APIs, through Pulumi's real provider", () => {
  drillHoldsAt(["region1"], () => realKubernetesSite(), 66);
});

import assert from "node:assert/strict";
import { byHand } from "../../../../components/recovery/checks/byHand";
import { credentialsOf } from "../../../support/config";
import type { Session } from "../../../../components/recovery/session";

const command = (management: string, asked?: object) =>
  byHand(
    {
      zeebe: { endpoints: { management } },
      settings: {
        region: "region0",
        credentials: asked && credentialsOf({ management: asked }),
      },
    } as Session,
    "DELETE",
    "/actuator/cluster/changes/8",
  );

describe("a request that an operator sends himself", () => {
  it("is one to the management API", () => {
    assert.equal(
      command("http://gateway.example:9600"),
      "curl -X DELETE http://gateway.example:9600/actuator/cluster/changes/8",
    );
  });

  it("signs in without the secret", () => {
    const url = "http://gateway.example:9600";
    const rest = "-X DELETE http://gateway.example:9600/actuator/cluster/changes/8";
    assert.equal(command(url, {}), `curl ${rest}`);
    assert.equal(command(url, { user: "ops", password: "hush" }), `curl -u 'ops' ${rest}`);
    assert.equal(command(url, { user: "o'c", password: "x" }), `curl -u 'o'\\''c' ${rest}`);
    assert.equal(command(url, { token: "hush" }), `curl -H "Authorization: Bearer $TOKEN" ${rest}`);
  });

  it("goes through a port-forward where that API is in a cluster", () => {
    assert.equal(
      command("eks://eu-west-3/camunda-region1/camunda-paris/service/camunda-zeebe-gateway/9600"),
      "aws eks update-kubeconfig --region eu-west-3 --name camunda-region1 && kubectl -n camunda-paris port-forward service/camunda-zeebe-gateway 9600:9600, and beside it curl -X DELETE http://localhost:9600/actuator/cluster/changes/8",
    );
    assert.equal(
      command("kubernetes://gke%20paris/camunda-paris/service/camunda-zeebe-gateway/9600"),
      "kubectl --context 'gke paris' -n camunda-paris port-forward service/camunda-zeebe-gateway 9600:9600, and beside it curl -X DELETE http://localhost:9600/actuator/cluster/changes/8",
    );
  });
});

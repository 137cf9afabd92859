import assert from "node:assert/strict";
import { camundaValues } from "../../../../components/installation/camunda/helmValues";
import { isInstalled, readSettings } from "../../../../components/settings";
import { renderCamunda } from "../../../../world/kubernetes/played/charts";
import { eksConfig, lookup } from "../../../support/config";

const values = () => {
  const settings = readSettings(lookup(eksConfig()));
  assert.ok(isInstalled(settings));
  return camundaValues(settings, { webApps: true });
};

const budgets = (zeebe: Record<string, unknown>) =>
  renderCamunda({ release: "camunda", namespace: "camunda-london", values: { zeebe } })
    .objects.filter(({ kind }) => kind === "PodDisruptionBudget")
    .map(({ metadata, spec }) => ({ name: metadata.name, spec }));

describe("Camunda's chart, as it is rendered here", () => {
  const selector = {
    matchLabels: {
      "app.kubernetes.io/instance": "camunda",
      "app.kubernetes.io/component": "zeebe-broker",
    },
  };

  it("lets one broker go at a time with the values of the program", () => {
    assert.deepEqual(budgets(values().zeebe as Record<string, unknown>), [
      { name: "camunda-zeebe", spec: { maxUnavailable: 1, selector } },
    ]);
  });

  it("has no budget by default, and one of minAvailable when that is given", () => {
    assert.deepEqual(budgets({}), []);
    assert.deepEqual(budgets({ podDisruptionBudget: { enabled: true, minAvailable: 3 } }), [
      { name: "camunda-zeebe", spec: { minAvailable: 3, selector } },
    ]);
  });
});

import assert from "node:assert/strict";
import { TrafficRouting } from "../../../../components/installation/eks/trafficRouting";
import type { RegionName } from "../../../../components/base/brokers";
import { declare, eksSettings } from "./declared";
import { ownProvider } from "./scene";

const traffic = {
  zoneId: "Z1",
  name: "camunda.example.com",
  targets: { region0: "london.example.com", region1: "paris.example.com" },
  healthCheckPath: "/ready",
};

async function routed(region: RegionName, active: boolean) {
  const { declared } = await declare(() => {
    const { options } = ownProvider(eksSettings(), region);
    return void new TrafficRouting("traffic", { traffic, region, active }, options);
  });
  return {
    record: declared.only("aws:route53/record:Record"),
    check: declared.only("aws:route53/healthCheck:HealthCheck"),
  };
}

describe("TrafficRouting", () => {
  for (const [region, target] of [
    ["region0", "london.example.com"],
    ["region1", "paris.example.com"],
  ] as const) {
    for (const [active, weight] of [
      [true, 255],
      [false, 0],
    ] as const) {
      it(`declares the record of ${region} alone, with weight ${weight}`, async () => {
        const { record, check } = await routed(region, active);
        assert.deepEqual(record.inputs, {
          zoneId: "Z1",
          name: "camunda.example.com",
          type: "CNAME",
          ttl: 30,
          records: [target],
          setIdentifier: region,
          weightedRoutingPolicies: [{ weight }],
          healthCheckId: "traffic-health-id",
          allowOverwrite: true,
        });
        assert.equal(check.inputs.fqdn, target);
        assert.equal(check.inputs.type, "HTTPS");
        assert.equal(check.inputs.resourcePath, "/ready");
        assert.match(record.provider, /pulumi:providers:aws::aws::/);
      });
    }
  }
});

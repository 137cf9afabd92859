import assert from "node:assert/strict";
import { readable } from "../../../../scripts/operator/readable";

/** As the engine prints it, shortened. */
const DRIFT = `Previewing update (region0):
~ pulumi:pulumi:Stack: (refresh)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
        ~ pulumi-nodejs:dynamic/camunda:Exporter: (refresh)
            [id=exporter-region1]
            [urn=urn:pulumi:region0::camunda-dual-region::camunda8:recovery:Recovery$pulumi-nodejs:dynamic/camunda:Exporter::exporter-region1]
            --outputs:--
          ~ exporters     : {
              ~ elasticsearchregion1: "ENABLED" => "DISABLED"
            }
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:region0::camunda-dual-region::pulumi:pulumi:Stack::camunda-dual-region-region0]
    ~ pulumi-nodejs:dynamic/camunda:Exporter: (update)
        [id=exporter-region1]
        [urn=urn:pulumi:region0::camunda-dual-region::camunda8:recovery:Recovery$pulumi-nodejs:dynamic/camunda:Exporter::exporter-region1]
      ~ exporters: {
          ~ elasticsearchregion1: "DISABLED" => "ENABLED"
        }
    --outputs:--
  ~ recovery: {
      ~ phase: "steady" => "failed-over"
    }
Resources:
    ~ 1 to update
    5 unchanged
`;

describe("a preview for people", () => {
  it("has resources by name, what was found and what would change, and not the stack's outputs", () => {
    assert.equal(
      readable(DRIFT),
      `~ pulumi:pulumi:Stack: (refresh)
        ~ Exporter exporter-region1 (refresh)
            --outputs:--
          ~ exporters     : {
              ~ elasticsearchregion1: "ENABLED" => "DISABLED"
            }
    ~ Exporter exporter-region1 (update)
      ~ exporters: {
          ~ elasticsearchregion1: "DISABLED" => "ENABLED"
        }
Resources:
    ~ 1 to update
    5 unchanged`,
    );
  });
});

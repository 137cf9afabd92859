import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
import * as path from "node:path";
import type { Contract } from "../../examples/platform-pipeline/contract";
import { REPOSITORY } from "../../scripts/repository";
import { ThrowAwayPulumi } from "../../world/pulumi/throwAway";

const PROJECT = "camunda-dual-region";
const EXAMPLE = path.join(REPOSITORY, "examples", "platform-pipeline");

function contract(region: Contract["region"], recovery: Contract["recovery"]): Contract {
  return {
    contractVersion: 1,
    region,
    activeRegion: "region0",
    camunda: { gateway: `http://gateway.${region}.test:8080` },
    recovery,
  };
}

describe("the example of a platform pipeline", function () {
  this.timeout(900_000);
  let sandbox: ThrowAwayPulumi;
  let pipeline: Stack;

  beforeEach(async () => {
    sandbox = await ThrowAwayPulumi.create();
    pipeline = await sandbox.program(EXAMPLE, "production");
  });

  afterEach(() => sandbox?.dispose());

  /** Makes the stack of a region that exports such outputs. */
  async function say(outputs: Contract): Promise<void> {
    const stack = await sandbox.inline(PROJECT, outputs.region, async () => ({ ...outputs }));
    await stack.up({ color: "never" });
  }

  async function verdict(): Promise<Record<string, unknown>> {
    const { outputs } = await pipeline.up({ color: "never" });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]),
    );
  }

  it("lets planned work begin while both regions are steady", async () => {
    await say(contract("region0", { phase: "steady", fenced: false }));
    await say(contract("region1", { phase: "steady", fenced: false }));
    assert.deepEqual(await verdict(), {
      activeRegion: "region0",
      activeGateway: "http://gateway.region0.test:8080",
      degraded: false,
      maySchedule: true,
      why: "both regions are steady",
    });
  });

  it("goes to the survivor after a failover, also when the lost region's stack is gone", async () => {
    const lost = { phase: "failed-over", lostRegion: "region0", fenced: true };
    await say({ ...contract("region1", lost), activeRegion: "region1" });
    await assert.rejects(pipeline.up({ color: "never" }), /unknown stack|no stack named/i);
    await pipeline.workspace.setConfig(
      "production",
      "stacks[0]",
      { value: `organization/${PROJECT}/region1` },
      true,
    );
    assert.deepEqual(await verdict(), {
      activeRegion: "region1",
      activeGateway: "http://gateway.region1.test:8080",
      degraded: true,
      maySchedule: false,
      why: "region1 says failed-over, lost: region0",
    });
  });

  it("refuses a contract that it does not know, in one line, and changes nothing", async () => {
    await say(contract("region0", { phase: "steady" }));
    await say(contract("region1", { phase: "steady" }));
    const before = await verdict();
    await say({ ...contract("region1", { phase: "steady" }), contractVersion: 2 });
    const failure = await pipeline.up({ color: "never" }).then(
      () => assert.fail("up succeeded"),
      (error: Error) => error.message,
    );
    assert.match(failure, /the stack of region1 has contractVersion 2, this program knows 1/);
    assert.doesNotMatch(failure, /\bat .*\.ts:\d+/);
    assert.equal((await pipeline.outputs()).why?.value, before.why);
  });
});

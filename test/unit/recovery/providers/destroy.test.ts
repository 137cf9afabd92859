import assert from "node:assert/strict";
import { provider as exporting } from "../../../../components/recovery/providers/exporting";
import { provider as pause } from "../../../../components/recovery/providers/exportPause";
import { provider as membership } from "../../../../components/recovery/providers/membership";
import { useClusterBench } from "../../../support/clusterBench";
import { refusal } from "../../../support/failure";

describe("the records of a stack that is destroyed", () => {
  const bench = useClusterBench();
  const brokers = {
    brokers: { "region0/0": 0 },
    replicationFactor: 2,
    declaration: { kind: "steady" as const },
  };
  const remove = {
    membership: () => membership.delete("broker-membership", brokers),
    exporting: () =>
      exporting.delete("exporting", {
        exporting: "running",
        attempt: "none",
        abandoned: false,
        declaration: { kind: "steady" },
        earlier: [],
      }),
    step: () => pause.delete("export-pause", { attempt: "one", gateAt: "2026-11-21T00:00:00Z" }),
  };

  it("stay while its cluster does not answer, since nothing else of it can go", async () => {
    await bench().start();
    bench().configure({ timeouts: { request: 1 } });
    bench().api.lose(60_000);
    for (const record of [remove.membership, remove.exporting]) {
      await refusal(
        record(),
        /^the cluster of region0 cannot be asked \(no answer within 1 s.*\): the records stay; .*stack rm --force$/,
        /^.{1,160}$/,
      );
    }
    await remove.step();
  });

  it("go when it answers", async () => {
    await bench().start();
    await remove.membership();
    assert.deepEqual(
      bench().api.requests.map(({ path, status }) => [path, status]),
      [["/version", 200]],
    );
  });
});

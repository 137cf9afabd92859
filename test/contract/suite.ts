import type { World } from "../../world/world";
import { Bench } from "./bench";
import { failback } from "./failback";
import { failover } from "./failover";
import { healthyCluster } from "./healthy";
import { searchEngine } from "./search";

/**
 * What the program relies on, as tests of one world that build on each other: a healthy cluster, then
 * each region lost, recreated and taken back. The embedded world must pass what the real one passes.
 */
export function contract(make: () => World): void {
  const bench = new Bench(make());

  before(function () {
    this.timeout(600_000);
    return bench.world.start();
  });

  beforeEach(function () {
    // Whatever comes after a broken step would only tell of that step again.
    if (bench.failedStep !== undefined) {
      this.skip();
    }
  });

  after(function () {
    this.timeout(120_000);
    return bench.world.stop();
  });

  describe("a healthy cluster", function () {
    this.timeout(600_000);
    healthyCluster(bench);
  });

  describe("a search engine", function () {
    this.timeout(300_000);
    searchEngine(bench);
  });

  describe("region1 lost, and recreated empty", function () {
    this.timeout(600_000);
    failover(bench, "region1");
    failback(bench, "region1", "empty");
  });

  describe("region0 lost, which has the coordinator, and back with old data", function () {
    this.timeout(600_000);
    failover(bench, "region0");
    failback(bench, "region0", "old");
  });
}

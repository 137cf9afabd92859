import { realWorldAvailable } from "../../scripts/world/real/prepare";
import { RealWorld } from "../../scripts/world/real/realWorld";
import { contract } from "./suite";

describe("contract: the real world", function () {
  this.slow(60_000);

  before(async function () {
    const available = await realWorldAvailable();
    if (!available.ok) {
      console.log(`    left out: ${available.why}`);
      this.skip();
    }
  });

  contract(() => new RealWorld());
});

import * as path from "node:path";
import { EndpointsSite } from "../../scripts/drill/endpointsSite";
import { EmbeddedWorld } from "../../world/camunda/embedded";
import { forgetMirrored, knowMirrored, MIRRORED, MIRRORED_WORLD } from "../generation/mirrored";
import { drillHoldsAt } from "../support/drill";

/** Of a generation that the program does not have by itself. */
class MirroredSite extends EndpointsSite {
  constructor() {
    super(new EmbeddedWorld(MIRRORED_WORLD), MIRRORED);
  }

  override settings() {
    return { ...super.settings(), program: path.join(__dirname, "../generation/project") };
  }
}

describe("the drill on a generation with other ids, order and dialect", () => {
  before(knowMirrored);
  after(forgetMirrored);

  // The broker that is asked for the configuration is one of the lost.
  drillHoldsAt(["region1"], () => new MirroredSite());
});

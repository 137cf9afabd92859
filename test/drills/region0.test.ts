import { drillHolds } from "../support/drill";
import { EmbeddedWorld } from "../../world/camunda/embedded";

describe("the drill on the embedded world", () => {
  drillHolds("region0", () => new EmbeddedWorld());
});

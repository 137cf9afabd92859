import { EmbeddedWorld } from "../../world/camunda/embedded";
import { LONG_JOINS } from "./bench";
import { contract } from "./suite";

describe("contract: the embedded world, where brokers with old data hang", () =>
  contract(() => new EmbeddedWorld({ ...LONG_JOINS, oldData: "hangs" })));

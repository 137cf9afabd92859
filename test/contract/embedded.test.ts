import { EmbeddedWorld } from "../../world/camunda/embedded";
import { LONG_JOINS } from "./bench";
import { contract } from "./suite";

describe("contract: the embedded world", () => contract(() => new EmbeddedWorld(LONG_JOINS)));

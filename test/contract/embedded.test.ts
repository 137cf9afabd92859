import { EmbeddedWorld } from "../../world/camunda/embedded";
import { contract } from "./suite";

describe("contract: the embedded world", () => contract(() => new EmbeddedWorld()));

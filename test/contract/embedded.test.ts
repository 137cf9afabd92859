import { EmbeddedWorld } from "../../scripts/world/embedded";
import { contract } from "./suite";

describe("contract: the embedded world", () => contract(() => new EmbeddedWorld()));

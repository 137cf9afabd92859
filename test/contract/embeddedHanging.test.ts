import { EmbeddedWorld } from "../../world/camunda/embedded";
import { contract } from "./suite";

describe("contract: the embedded world, where brokers with old data hang", () =>
  contract(() => new EmbeddedWorld({ oldData: "hangs" })));

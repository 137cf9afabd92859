import { CamundaWorld } from "../../world/camunda/real/camundaWorld";
import { contract } from "../contract/suite";

const { CAMUNDA_FOLDER, ELASTICSEARCH_FOLDER } = process.env;
if (CAMUNDA_FOLDER === undefined) {
  throw new Error("no folder with Camunda: npm test -- camunda --camunda DIR");
}

describe("contract: brokers of a Camunda that somebody has", function () {
  this.slow(60_000);
  contract(
    () => new CamundaWorld({ camunda: CAMUNDA_FOLDER, elasticsearch: ELASTICSEARCH_FOLDER }),
  );
});

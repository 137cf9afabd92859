import type { ExporterTarget } from "../../world/camunda/embedded";
import { settingsFrom } from "../../world/camunda/embedded/options";
import type { RegionName } from "../../world/world";

/** Two exporters for each region, as a stack is told of them: the second writes to a Kafka of the region. */
export const TWO_EACH: Record<RegionName, [string, ...string[]]> = {
  region0: ["elasticsearchregion0", "kafkaregion0"],
  region1: ["elasticsearchregion1", "kafkaregion1"],
};

/** An exporter to a Kafka of a region. */
export function kafkaOf(region: RegionName): ExporterTarget {
  return { region, type: "io.zeebe.exporters.kafka.KafkaExporter", elsewhere: true };
}

/** The brokers' own of {@link TWO_EACH}. */
export const TWO_EACH_TARGETS: Record<string, ExporterTarget> = {
  ...settingsFrom({}).exporters,
  kafkaregion0: kafkaOf("region0"),
  kafkaregion1: kafkaOf("region1"),
};

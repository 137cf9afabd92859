import { fits } from "../generations";
import type { Generation } from "../generations/generation";
import type { Topology } from "../clients/topology";

/** What is below the least patch of its generation, first found, in words; undefined when nothing is. */
function oldest(topology: Topology, generation: Generation): string | undefined {
  if (fits(generation, topology.gatewayVersion) === "old") {
    return `the gateway is of version ${topology.gatewayVersion}`;
  }
  const broker = topology.brokers.find(({ version }) => fits(generation, version) === "old");
  return broker === undefined ? undefined : `broker ${broker.id} is of version ${broker.version}`;
}

/** Why nothing should be begun with these patches, or what to mind when it must be; undefined when they are safe. */
export function oldPatch(
  topology: Topology,
  generation: Generation,
  wayOut: string,
): string | undefined {
  const { minor, patch } = generation.versions;
  const found = oldest(topology, generation);
  return found === undefined
    ? undefined
    : `${found}: below ${minor}.${patch} a restart enables a disabled exporter again; ${wayOut}`;
}

import { CAMUNDA_VERSIONS, fits, generationOf } from "../generations";
import type { Topology } from "../clients/topology";

/** Why nothing should be begun with these patches, or what to mind when it must be; undefined when they are safe. */
export function oldPatch(
  { brokers, gatewayVersion }: Topology,
  wayOut: string,
): string | undefined {
  const answers = [
    { who: "the gateway", version: gatewayVersion },
    ...brokers.map(({ id, version }) => ({ who: `broker ${id}`, version })),
  ];
  for (const { who, version } of answers) {
    // In an upgrade there are two minors, whatever is configured.
    const old = CAMUNDA_VERSIONS.map(generationOf).find((one) => fits(one, version) === "old");
    if (old !== undefined) {
      const { minor, patch } = old.versions;
      return `${who} is of version ${version}: below ${minor}.${patch} a restart enables a disabled exporter again; ${wayOut}`;
    }
  }
  return undefined;
}

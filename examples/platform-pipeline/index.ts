import * as pulumi from "@pulumi/pulumi";
import { Contract, judge } from "./contract";

/**
 * Reads the contract of one stack. A StackReference to a stack that is missing or unreadable fails the
 * whole run, and cannot be caught: so which stacks are asked is configuration, and on the day of a loss
 * it is the survivor's alone.
 */
async function contractOf(stack: string): Promise<Contract> {
  const reference = new pulumi.StackReference(stack);
  const read = async <T>(name: keyof Contract): Promise<T> =>
    (await reference.getOutputDetails(name)).value as T;
  return {
    contractVersion: await read("contractVersion"),
    region: await read("region"),
    activeRegion: await read("activeRegion"),
    // Absent in a contract of another version, which is judged first.
    camunda: (await read<Contract["camunda"] | undefined>("camunda")) ?? { gateway: "" },
    recovery: (await read<Contract["recovery"] | undefined>("recovery")) ?? { phase: "unknown" },
  };
}

/** Everything is awaited before the first resource: a refusal leaves what is there as it is. */
export = async () => {
  const stacks = new pulumi.Config().requireObject<string[]>("stacks");
  const verdict = judge(await Promise.all(stacks.map(contractOf)));
  if (verdict.degraded) {
    await pulumi.log.warn(`Camunda is degraded: ${verdict.why}`);
  }
  return verdict;
};

import { setTimeout as delay } from "node:timers/promises";

/** A region that does not answer. */
export class RegionUnreachable extends Error {}

/** Which regions are lost, for all providers and models of a world. */
export class Outages {
  private readonly lost = new Set<string>();

  /** @param hangMs how long a call to a lost region hangs before it fails */
  constructor(readonly hangMs = 300) {}

  /** From now on, calls that need this region hang for a while and then fail. */
  lose(region: string): void {
    this.lost.add(region);
  }

  /** The region answers again. */
  recover(region: string): void {
    this.lost.delete(region);
  }

  /** Whether a region is lost. */
  has(region: string): boolean {
    return this.lost.has(region);
  }

  /**
   * Resolves when all regions answer that a call needs.
   *
   * @throws Unreachable after a while, when one is lost
   */
  async reach(regions: readonly string[], what: string, signal: AbortSignal): Promise<void> {
    const region = regions.find((name) => this.lost.has(name));
    if (region !== undefined) {
      await delay(this.hangMs, undefined, { signal });
      throw new RegionUnreachable(`${region} does not answer: ${what}`);
    }
  }
}

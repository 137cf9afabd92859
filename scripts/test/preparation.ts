import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import * as path from "node:path";
import { cacheRoot } from "../../world/processes/cache";
import type { Processes } from "./processes";
import { TIERS } from "./tiers";

const SAY_MS = 30_000;
const LINES_SHOWN = 15;

/** What a tier needs, being made in the background. */
export class Preparation {
  private readonly log: string;
  private readonly ended: Promise<number | null>;

  /** Starts it, in a process of its own that yields to the tests of other tiers. */
  constructor(
    private readonly tier: string,
    processes: Processes,
  ) {
    const folder = path.join(cacheRoot(), "logs");
    mkdirSync(folder, { recursive: true });
    this.log = path.join(folder, `${tier}.log`);
    const output = openSync(this.log, "w");
    const child = processes.start(process.execPath, ["-r", "tsx/cjs", __filename, tier], {
      output,
    });
    closeSync(output);
    if (child.pid !== undefined) {
      setPriority(child.pid, constants.priority.PRIORITY_LOW);
    }
    this.ended = once(child, "exit").then(([code]) => code as number | null);
  }

  /**
   * Waits for its end, and says so when that takes long.
   *
   * @throws Error with the end of its log when it has failed
   */
  async done(say: (line: string) => void): Promise<void> {
    const timer = setInterval(
      () => say(`tier ${this.tier} waits for what it needs: ${this.lines(1)} (${this.log})`),
      SAY_MS,
    );
    const code = await this.ended.finally(() => clearInterval(timer));
    if (code !== 0) {
      throw new Error(`what tier ${this.tier} needs could not be made: ${this.lines(LINES_SHOWN)}`);
    }
  }

  private lines(count: number): string {
    return readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-count).join("\n");
  }
}

// The process of its own.
if (require.main === module) {
  const tier = TIERS.find(({ name }) => name === process.argv[2]);
  void tier?.prepare?.(console.log).catch((error: Error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
}

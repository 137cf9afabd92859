/** What a person is told at each signal. */
const STEPS = [
  "stopping: the step that runs is finished first (again: what an immediate end leaves behind)",
  "still stopping: every step has a deadline. Ended at once, its result is not recorded: the same command finds it out, so nothing is lost but certainty. Once more ends the engine at once",
  "ending the engine at once: run the same command again, it goes on from what is there",
] as const;

/**
 * Ctrl-C, without surprises. The engine takes one SIGINT as "finish the step and stop", a second as "stop
 * at once", which leaves a step undecided. So the first signal is passed on once, the second only explains,
 * and the third ends it.
 */
export class Interrupt {
  private readonly controller = new AbortController();
  private readonly forcing: (() => void)[] = [];
  private count = 0;

  /** Listens to the signals of this process. `say` gets what a person must know. */
  constructor(private readonly say: (line: string) => void) {
    // SIGHUP: the terminal was closed, the recovery must not die of it in the middle of a step.
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => this.trigger());
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Calls back at the third signal. */
  onForce(callback: () => void): void {
    this.forcing.push(callback);
  }

  /** A signal, or Ctrl-C in a prompt, which is none. */
  trigger(): void {
    this.say(STEPS[Math.min(this.count, STEPS.length - 1)] as string);
    this.count += 1;
    if (this.count === 1) {
      this.controller.abort();
    } else if (this.count >= STEPS.length) {
      this.forcing.forEach((callback) => callback());
    }
  }
}

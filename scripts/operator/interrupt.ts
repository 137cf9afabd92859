/** What a person is told at each signal. */
const STEPS = [
  "stopping as soon as what runs now has ended; once more tells what an immediate end would leave",
  "still stopping: a step ends by itself, at its deadline at the latest. Ended at once, it may go on in the cluster without being recorded, until the same command is run again; once more ends the engine at once",
  "ending the engine at once",
] as const;

/**
 * Ctrl-C, without surprises. The engine takes one SIGINT as "finish the step and stop", a second as "stop
 * at once", which leaves a step undecided. So the first signal is passed on once, the second only explains,
 * and the third ends it.
 */
export class Interrupt {
  private readonly stopping = new AbortController();
  private readonly forcing = new AbortController();
  private count = 0;

  /** `say` gets what a person must know. */
  constructor(private readonly say: (line: string) => void) {}

  /** Listens to the signals of this process. */
  listen(): this {
    // SIGHUP: the terminal was closed, the recovery must not die of it in the middle of a step.
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => this.trigger());
    }
    return this;
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Aborted by the third. */
  get force(): AbortSignal {
    return this.forcing.signal;
  }

  /** A signal, or Ctrl-C in a prompt, which is none. */
  trigger(): void {
    this.say(STEPS[Math.min(this.count, STEPS.length - 1)] as string);
    this.count += 1;
    if (this.count === 1) {
      this.stopping.abort();
    } else if (this.count === STEPS.length) {
      this.forcing.abort();
    }
  }
}

import { ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import type { Ended, Run } from "./playedEngine";
import type { Said } from "./process";
import { after, StackState } from "./state";

export { PROJECT } from "./playedEngine";
export type { Run } from "./playedEngine";
export type { StackState, States } from "./state";
export { STACK_TYPE } from "./state";

const REPOSITORY = path.join(__dirname, "../../..");

/** What a run has left behind. */
export interface Left {
  /** How it ended by itself; missing when it was killed, has crashed, or had to be ended. */
  ended?: Ended;
  /** A stack trace that nobody has caught. */
  crashed?: string;
  /** Whether its time was over. */
  hung?: true;
  /** The state of its stack afterwards. */
  state: StackState;
}

/**
 * A process in which the engine, the program and the providers of one run live, and die together when it is killed.
 */
export class EngineProcess {
  private child: ChildProcess | undefined;
  private lines: string[] = [];

  /** One `up`. */
  async up(run: Run, seconds: number): Promise<Left> {
    const child = (this.child ??= this.start());
    let state: StackState = run.states[run.stack] ?? [];
    let timer: NodeJS.Timeout | undefined;
    const left = await new Promise<Omit<Left, "state">>((resolve) => {
      timer = setTimeout(() => resolve({ hung: true }), seconds * 1000);
      child.on("message", (said: Said) => {
        if ("checkpoint" in said) {
          state = after(state, said.checkpoint);
        } else {
          resolve(said);
        }
      });
      child.once("exit", () => resolve({}));
      child.send(run);
    });
    clearTimeout(timer);
    child.removeAllListeners("message");
    child.removeAllListeners("exit");
    if (left.ended === undefined) {
      this.kill();
    }
    return { ...left, state };
  }

  /** What the providers have said so far, for a person who looks at a case. */
  get log(): readonly string[] {
    return this.lines;
  }

  /** Kills the run with everything that it consists of. The next one has a new process. */
  kill(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  private start(): ChildProcess {
    const child = fork(path.join(__dirname, "process.ts"), {
      cwd: REPOSITORY,
      // As both processes that Pulumi starts load the program.
      execArgv: ["-r", path.join(REPOSITORY, "components/loader.js")],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (text: Buffer) => this.lines.push(text.toString("utf8").trimEnd()));
    }
    return child;
  }
}

import { shortened } from "../../base/bounded";
import { operatorLine } from "../../base/operatorLine";
import { Unreachable } from "../../clients/http";
import { withinPause } from "../checks/pauseLimit";
import { allAre, distinct, lookOnce } from "../checks/phases";
import { configureSession, ProviderConfiguration, Session, session } from "../session";

/** What is known when a step has been verified: kept in the state as the audit trail of the recovery. */
export interface StepRecord {
  /** How it came to be true: by this program, by somebody before it, or by an operation found under way. */
  how: "done" | "already true" | "awaited";
  /** When the operation began, ISO 8601. */
  startedAt: string;
  /** From the beginning of the operation until it was verified. */
  seconds: number;
  /** The cluster's id of the change, when it was one. */
  changeId?: number;
  /** What the cluster said it would do: the first few operations of each kind, and how many more. */
  operations?: string[];
  /** What was seen at the end, by the field that decides. */
  observed: Record<string, unknown>;
}

/** One run of an operation. */
export interface Run<I> {
  session: Session;
  /** What the state has of this resource, when it has it. */
  previous: (I & { record?: StepRecord }) | undefined;
  /** To be called right before the first request that changes something: a failure after it is kept in the state. */
  begin(): void;
}

/** What an operation found and did. Its times are taken here, unless an earlier record still holds. */
export type Outcome = Omit<StepRecord, "startedAt" | "seconds"> &
  Partial<Pick<StepRecord, "startedAt" | "seconds">>;

/** The logic of one resource type. */
export interface Behaviour<I> {
  /** Id of the resource in the state. */
  id(inputs: I): string;
  /** Observe → already true? → interlocks → act → wait → verify. Creating and updating are the same thing. */
  converge(inputs: I, run: Run<I>): Promise<Outcome>;
  /**
   * Past the limit of the pause in which it is done: whether all is done but to resume exporting. Then it is not resumed
   * and refused, but found so.
   */
  cameAbout?(inputs: I, session: Session): Promise<boolean>;
  /** For a persistent resource: its inputs as the cluster has them now. A step keeps what is recorded. */
  live?(inputs: I, session: Session): Promise<I>;
  /** Undoes what an interrupted run may have left, when the resource goes. Best effort. */
  release?(inputs: I, session: Session): Promise<void>;
  /**
   * For a step: what names the attempt. A step of the same attempt that is recorded as verified is not
   * done again, whatever else has changed: after a failback it would pause the cluster anew.
   */
  attempt?(inputs: I): string;
}

type State<I> = I & { record?: StepRecord; schema?: number; __provider?: string };

/** Version of the shape of the outputs in the state. Code of today must read states of earlier versions. */
const SCHEMA = 1;

/**
 * What a failure in the middle of a failback adds, by what the surviving brokers say: whoever reads it must not
 * learn from full disks that exporting is paused.
 */
async function pausedStill(session: Session): Promise<string> {
  if (session.settings.failback === undefined) {
    return "";
  }
  const stays = await lookOnce(session, session.own).then(
    (look) => {
      if (allAre("EXPORTING", look, session)) {
        return undefined;
      }
      return distinct(look.phases).some((phase) => phase !== "EXPORTING") ? "stays" : "may stay";
    },
    // The failure that is reported may be that they do not answer.
    () => "may stay",
  );
  return stays === undefined ? "" : ` (exporting ${stays} paused)`;
}

let mutating: Promise<unknown> = Promise.resolve();

/** One operation on the cluster at a time: Pulumi runs up to eight in one provider process. */
function exclusively<T>(operation: () => Promise<T>): Promise<T> {
  const next = mutating.then(operation, operation);
  mutating = next.catch(() => undefined);
  return next;
}

/** Makes the methods that the dynamic provider forwards to. */
export function implement<I extends object>(behaviour: Behaviour<I>) {
  const converge = async (id: string, inputs: I, previous: State<I> | undefined) => {
    const started = Date.now();
    const effect = { begun: false };
    const begin = () => {
      effect.begun = true;
    };
    let here: Session | undefined;
    try {
      const current = (here = session());
      const outcome = await exclusively(() =>
        withinPause(
          current,
          inputs,
          () => behaviour.converge(inputs, { session: current, previous, begin }),
          () => behaviour.cameAbout?.(inputs, current) ?? Promise.resolve(false),
        ),
      );
      const record: StepRecord = {
        startedAt: new Date(started).toISOString(),
        seconds: Math.round((Date.now() - started) / 100) / 10,
        ...outcome,
      };
      return { ...inputs, schema: SCHEMA, record };
    } catch (error) {
      const message = operatorLine(error, here && (await pausedStill(here)));
      if (!effect.begun) {
        throw plain(message);
      }
      // The form by which the engine keeps a resource whose operation has begun: the next `up` goes on.
      throw { message, id, properties: { ...inputs, schema: SCHEMA }, reasons: [message] };
    }
  };
  return {
    configure(request: { config: ProviderConfiguration }): void {
      configureSession(request.config);
    },
    async create(inputs: I) {
      const id = behaviour.id(inputs);
      return { id, outs: await converge(id, inputs, undefined) };
    },
    async update(id: string, olds: State<I>, news: I) {
      const sameAttempt =
        behaviour.attempt !== undefined && behaviour.attempt(olds) === behaviour.attempt(news);
      if (sameAttempt && olds.record !== undefined) {
        return { outs: { ...news, schema: SCHEMA, record: olds.record } };
      }
      return { outs: await converge(id, news, olds) };
    },
    async read(id: string, props: State<I>) {
      const inputs = inputsOf(props);
      if (behaviour.live === undefined) {
        return { id, props, inputs };
      }
      try {
        const live = await behaviour.live(inputs, session());
        return { id, props: { ...props, ...live }, inputs: live };
      } catch (error) {
        const advice =
          error instanceof Unreachable
            ? "; bring it back, or run without --refresh: the last known state is kept"
            : "";
        throw plain(operatorLine(error, advice));
      }
    },
    async delete(id: string, props: State<I>): Promise<void> {
      if (behaviour.attempt === undefined) {
        await expectOwnCluster();
      }
      if (behaviour.release === undefined) {
        return;
      }
      try {
        await exclusively(async () => behaviour.release?.(inputsOf(props), session()));
      } catch (error) {
        // The region may be gone for good: deleting must not fail because of it, but say so.
        console.log(
          `${id} is removed from the state, but could not be undone: ${operatorLine(error)}`,
        );
      }
    },
  };
}

/**
 * Destroying a stack deletes these records first, since they depend on what is installed, and then fails at the first
 * object of a cluster that does not answer. Without the records the next run would take a member for a region that is
 * installed anew; so they stay as long as nothing else can go. A step may go whenever its attempt has ended.
 */
async function expectOwnCluster(): Promise<void> {
  let here: Session;
  try {
    here = session();
  } catch {
    // A configuration that cannot be read keeps nobody from deleting.
    return;
  }
  if (here.settings.installation === undefined) {
    return;
  }
  try {
    await here.kubernetes().version();
  } catch (error) {
    if (error instanceof Unreachable) {
      throw plain(
        `the cluster of ${here.settings.region} cannot be asked (${shortened(error.why, 44)}): the records stay; mend it, or gone for good: pulumi stack rm --force`,
      );
    }
  }
}

function inputsOf<I extends object>(props: State<I>): I {
  return omit(props, ["record", "schema", "__provider"]) as unknown as I;
}

/** An object without some of its keys. */
export function omit<T extends object, K extends keyof T>(
  value: T,
  keys: readonly K[],
): Omit<T, K> {
  const left = Object.entries(value).filter(([key]) => !(keys as readonly string[]).includes(key));
  return Object.fromEntries(left) as Omit<T, K>;
}

/** Errors are an operator's to read: one line, and no stack, which Pulumi would print for reads and deletes. */
function plain(message: string): Error {
  const error = new Error(message);
  error.stack = "";
  return error;
}

import { isRecord } from "../../components/base/json";
import { bodyOf, Reply, Told } from "../camunda/embedded";
import type { RegionName } from "../world";

/** What a lie knows when it is told. */
export interface Occasion {
  /** The true answer; asking for it does what the request asks. */
  truth: () => Promise<Reply>;
  /** What was truly answered to a request like this one before. */
  before: Reply | undefined;
  /** The region that is or was lost. */
  lost: RegionName;
  /** Whether the request changes something. */
  changes: boolean;
}

/** A kind of wrong answer. */
export interface Lie {
  name: string;
  /** Whether it says anything else than the truth, by a true answer to that request. */
  available(truth: Reply, changes: boolean): boolean;
  tell(occasion: Occasion): Promise<Told> | Told;
  /** Whether it is one of the brokers that a gateway lists. */
  lists?: true;
}

const always = () => true;

/** The connection, instead of an answer; what was asked is not done. */
function ending(name: string, told: Exclude<Told, Reply>): Lie {
  return { name, available: always, tell: () => told };
}

/** What was asked is done, and something else is answered: of a request that changes nothing that is the same as not doing it. */
function done(name: string, told: Told): Lie {
  return {
    name: `done-${name}`,
    available: (_truth, changes) => changes,
    tell: async ({ truth }) => {
      await truth();
      return told;
    },
  };
}

/** What was asked is not done, and the answer is that of success, whoever is asked. */
const UNDONE: Reply = {
  status: 200,
  body: { acknowledged: true, accepted: true, status: 204, body: null },
};

function status(code: number): Reply {
  return { status: code, body: { message: `played ${code}` } };
}

const HTML: Reply = {
  status: 200,
  text: "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>",
  headers: { "Content-Type": "text/html" },
};

/** The true answer with another body, by its own status. */
function body(name: string, change: (body: unknown, occasion: Occasion) => unknown): Lie {
  return {
    name,
    available: (truth) => differs(truth, change(bodyOf(truth), NO_OCCASION)),
    tell: async (occasion) => {
      const truth = await occasion.truth();
      return { ...truth, text: undefined, body: change(bodyOf(truth), occasion) };
    },
  };
}

/** The true answer with another text. */
function text(name: string, change: (text: string) => Partial<Reply & { trickleMs: number }>): Lie {
  return {
    name,
    available: (truth) => textOf(truth) !== "",
    tell: async ({ truth }) => {
      const reply = await truth();
      return { ...reply, body: undefined, text: textOf(reply), ...change(textOf(reply)) };
    },
  };
}

const NO_OCCASION: Occasion = {
  truth: () => Promise.reject(new Error("nothing is asked")),
  before: undefined,
  lost: "region1",
  changes: false,
};

function differs(truth: Reply, told: unknown): boolean {
  return JSON.stringify(bodyOf(truth)) !== JSON.stringify(told);
}

function textOf(reply: Reply): string {
  return reply.text ?? (reply.body === undefined ? "" : JSON.stringify(reply.body));
}

/** Every value of a body, from the leaves on, changed or not. */
function walk(value: unknown, change: (value: unknown, key: string) => unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    return change(
      value.map((item) => walk(item, change, key)),
      key,
    );
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([name, item]) => [name, walk(item, change, name)]);
    return change(Object.fromEntries(entries), key);
  }
  return change(value, key);
}

const isCount = (value: unknown) => typeof value === "number";

/** Words that say a state: in capitals, and those of roles, health and of shards. */
const STATE = /^([A-Z][A-Z_]{2,}|leader|follower|healthy|green|yellow|STARTED)$/;

/** Changes the brokers that a gateway lists. */
function listing(name: string, change: (brokers: Listed[], lost: RegionName) => Listed[]): Lie {
  const lie = body(name, (told, { lost }) =>
    isRecord(told) && Array.isArray(told.brokers) && told.brokers.every(isRecord)
      ? { ...told, brokers: change(told.brokers as unknown as Listed[], lost) }
      : told,
  );
  return { ...lie, lists: true };
}

interface Listed {
  nodeId: number;
  partitions: { partitionId: number; role: string }[];
}

const ofLost = (lost: RegionName) => (broker: Listed) =>
  broker.nodeId % 2 === (lost === "region0" ? 0 : 1);

/** Every kind. */
export const LIES: readonly Lie[] = [
  ending("refuses", { ends: "reset", refusesMs: 300 }),
  ending("resets", { ends: "reset" }),
  ending("hangs", { ends: "never" }),
  done("resets", { ends: "reset" }),
  done("hangs", { ends: "never" }),
  ...[400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504].map((code): Lie => ({
    name: String(code),
    available: always,
    tell: () => status(code),
  })),
  ...[500, 502, 504].map((code) => done(String(code), status(code))),
  {
    name: "redirects",
    available: always,
    tell: () => ({ status: 302, headers: { Location: "https://login.example.com/" } }),
  },
  { name: "html", available: always, tell: () => HTML },
  done("html", HTML),
  { name: "undone", available: (_truth, changes) => changes, tell: () => UNDONE },
  body("error-in-200", () => ({ error: { type: "internal", reason: "played" }, status: 500 })),
  body("empty-object", () => ({})),
  body("empty-list", () => []),
  body("null", () => null),
  body("number", () => 42),
  text("empty-body", () => ({ text: "" })),
  text("truncated", (whole) => ({ text: whole.slice(0, Math.ceil(whole.length / 2)) })),
  text("trickles", () => ({ trickleMs: 20 })),
  text("as-text", () => ({ headers: { "Content-Type": "text/plain" } })),
  text("not-a-number", (whole) => ({ text: whole.replace(/\d+(?=[,}\]])/, "nan") })),
  {
    name: "huge",
    available: always,
    tell: async ({ truth }) => ({
      ...(await truth()),
      body: undefined,
      text: `"${"x".repeat(8_000_000)}"`,
    }),
  },
  {
    name: "stale",
    available: (_truth, changes) => !changes,
    tell: async ({ truth, before }) => before ?? truth(),
  },
  body("nulls", (told) =>
    walk(told, (value) => (isRecord(value) || Array.isArray(value) ? value : null)),
  ),
  body("numbers-as-texts", (told) =>
    walk(told, (value) => (isCount(value) ? String(value) : value)),
  ),
  body("negative", (told) => walk(told, (value) => (isCount(value) ? -1 : value))),
  body("zeros", (told) => walk(told, (value) => (isCount(value) ? 0 : value))),
  body("unknown-words", (told) =>
    walk(told, (value) =>
      typeof value === "string" && STATE.test(value) ? "NEVER_HEARD_OF" : value,
    ),
  ),
  body("first-field-missing", (told) =>
    isRecord(told) ? Object.fromEntries(Object.entries(told).slice(1)) : told,
  ),
  body("last-field-missing", (told) =>
    isRecord(told) ? Object.fromEntries(Object.entries(told).slice(0, -1)) : told,
  ),
  body("lists-doubled", (told) =>
    walk(told, (value) =>
      Array.isArray(value) ? [...(value as unknown[]), ...(value as unknown[])] : value,
    ),
  ),
  body("lists-emptied", (told) => walk(told, (value) => (Array.isArray(value) ? [] : value))),
  body("lists-halved", (told) =>
    walk(told, (value) =>
      Array.isArray(value) ? value.slice(0, Math.floor(value.length / 2)) : value,
    ),
  ),
  listing("lost-brokers-missing", (brokers, lost) => brokers.filter((one) => !ofLost(lost)(one))),
  listing("lost-broker-missing", (brokers, lost) => {
    const gone = brokers.find(ofLost(lost));
    return brokers.filter((one) => one !== gone);
  }),
  listing("survivor-missing", (brokers, lost) => {
    const gone = brokers.find((one) => !ofLost(lost)(one));
    return brokers.filter((one) => one !== gone);
  }),
  listing("extra-broker", (brokers) => [...brokers, { nodeId: 4, partitions: [] }]),
  listing("without-replicas", (brokers) => brokers.map((one) => ({ ...one, partitions: [] }))),
  listing("two-leaders", (brokers) => withRoles(brokers, "leader")),
  listing("no-leader", (brokers) => withRoles(brokers, "follower")),
];

function withRoles(brokers: Listed[], role: string): Listed[] {
  return brokers.map((one) => ({
    ...one,
    partitions: one.partitions.map((partition) => ({ ...partition, role })),
  }));
}

/** Those of the brokers that a gateway lists. */
export const LISTINGS: readonly string[] = LIES.filter(({ lists }) => lists).map(
  ({ name }) => name,
);

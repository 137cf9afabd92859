import assert from "node:assert/strict";
import { LONGEST_LINE, readPart, refusedRun } from "../../components/base/operatorLine";

/** What the engine gets of a step that failed after it had begun: by it the resource is kept in the state. */
export interface Begun {
  message: string;
  id: string;
  properties: Record<string, unknown>;
  reasons: string[];
}

/** What a promise was rejected with. */
export async function failureOf(operation: Promise<unknown>): Promise<unknown> {
  return operation.then(
    (value) => assert.fail(`it succeeded: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

/** Expects a refusal before anything began: one line and no stack. Returns the line. */
export async function refusal(operation: Promise<unknown>, ...expected: RegExp[]): Promise<string> {
  const error = await failureOf(operation);
  assert.ok(error instanceof Error, `not a plain error: ${JSON.stringify(error)}`);
  assert.equal(error.stack, "");
  expectLine(error.message, expected);
  return error.message;
}

/** Expects a failure after a request that changes something: the form that the engine keeps. */
export async function begun(operation: Promise<unknown>, ...expected: RegExp[]): Promise<Begun> {
  const error = await failureOf(operation);
  assert.ok(!(error instanceof Error), `not in the partial form: ${String(error)}`);
  const failure = error as Begun;
  assert.deepEqual(Object.keys(failure).sort(), ["id", "message", "properties", "reasons"]);
  assert.deepEqual(failure.reasons, [failure.message]);
  assert.equal(failure.properties["schema"], 1);
  assert.equal(failure.properties["record"], undefined);
  expectLine(failure.message, expected);
  return failure;
}

/** Expects one line that is not too long, with all of these in it. */
export function expectLine(message: string, expected: readonly RegExp[]): void {
  assert.doesNotMatch(message, /\n/);
  const { length } = readPart(message);
  assert.ok(length <= LONGEST_LINE, `${length} characters: ${message}`);
  assert.doesNotMatch(message, /\bundefined\b|\bNaN\b|\[object /, "not meant for a person");
  for (const pattern of expected) {
    assert.match(message, pattern);
  }
}

/** Expects a line that refuses a whole run, with what stands before it then. */
export function expectRefusal(message: string, expected: readonly RegExp[]): void {
  const line = refusedRun([message]);
  expectLine(line, []);
  expectLine(line.replace(/^refused: /, ""), expected);
}

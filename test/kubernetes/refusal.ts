import { failureOf } from "../support/failure";

/** What is said by something that must fail. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await failureOf(work);
  return error instanceof Error ? error.message : String(error);
}

import { failureOf } from "../support/failure";
import { messageOf } from "../../components/base/messageOf";

/** What is said by something that must fail. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await failureOf(work);
  return messageOf(error);
}

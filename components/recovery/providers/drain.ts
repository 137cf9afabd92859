import type { DrainInputs } from "../../base/declaration";
import { declaredNow } from "../checks/declared";
import { implement } from "./behaviour";

/** The first thing that a declared drain writes into the state: who, when and why. Asks nobody. */
export const provider = implement<DrainInputs>({
  id: () => "drain",
  converge(inputs, { previous, session }) {
    return Promise.resolve(previous?.record ?? declaredNow(inputs.drained, session));
  },
});

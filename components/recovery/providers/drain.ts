import { DrainInputs, goesOn } from "../../base/declaration";
import { declaredNow } from "../checks/declared";
import { implement } from "./behaviour";

/** The first thing that a declared drain writes into the state: who, when and why, for the other stack to see. Asks nobody. */
export const provider = implement<DrainInputs>({
  id: () => "drain",
  converge(inputs, { previous, session }) {
    return Promise.resolve(
      previous?.record !== undefined && goesOn(previous, inputs)
        ? previous.record
        : declaredNow(inputs.drained, session),
    );
  },
});

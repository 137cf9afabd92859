import { goesOn, IncidentInputs } from "../../base/declaration";
import { declaredNow } from "../checks/declared";
import { implement } from "./behaviour";

/**
 * The first thing that a declared loss writes into the state: before the fence closes, so that two operators who
 * declare each other's region lost at once see it of each other. Asks nobody: what may be gone must not delay it.
 */
export const provider = implement<IncidentInputs>({
  id: () => "incident",
  converge(inputs, { previous, session }) {
    if (previous?.record !== undefined && isSame(previous, inputs)) {
      return Promise.resolve(previous.record);
    }
    return Promise.resolve(declaredNow(inputs.lost, session));
  },
});

/** Whether what is declared is still the incident that is recorded. */
function isSame(before: IncidentInputs, now: IncidentInputs): boolean {
  if (now.withdrawn === true) {
    return true;
  }
  return before.withdrawn !== true && goesOn(before, now);
}

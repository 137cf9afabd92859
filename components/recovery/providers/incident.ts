import * as os from "node:os";
import { shortened } from "../../base/bounded";
import type { IncidentInputs } from "../../base/declaration";
import { implement } from "./behaviour";

/** So much is kept of who began it. */
const WHO_CHARACTERS = 60;

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
    const startedAt = new Date().toISOString();
    return Promise.resolve({
      how: "done",
      startedAt,
      seconds: 0,
      observed: {
        id: `${inputs.lost}-${startedAt}`,
        who: who(),
        cluster: session.settings.endpoints[session.settings.region].gateway,
      },
    });
  },
});

/** Whether what is declared is still the incident that is recorded. */
function isSame(before: IncidentInputs, now: IncidentInputs): boolean {
  if (now.withdrawn === true) {
    return true;
  }
  // What was not read of the state is no sign of another one.
  return before.withdrawn !== true && (now.after === undefined || now.after === before.after);
}

function who(): string {
  return shortened(`${userName()}@${os.hostname()}`, WHO_CHARACTERS);
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    // In a container a user may have a number alone.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

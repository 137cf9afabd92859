import * as os from "node:os";
import { shortened } from "../../base/bounded";
import type { RegionName } from "../../base/brokers";
import type { Session } from "../session";

/** So much is kept of who has declared it. */
const WHO_CHARACTERS = 60;

/** What is noted of a loss or a drain when it is declared: its id, who and where. */
export function declaredNow(region: RegionName, { settings }: Session) {
  const startedAt = new Date().toISOString();
  return {
    how: "done" as const,
    startedAt,
    seconds: 0,
    observed: {
      id: `${region}-${startedAt}`,
      who: shortened(`${userName()}@${os.hostname()}`, WHO_CHARACTERS),
      cluster: settings.endpoints[settings.region].gateway,
    },
  };
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    // In a container a user may have a number alone.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

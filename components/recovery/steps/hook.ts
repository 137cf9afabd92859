import { Command } from "@pulumi/command/local/command";
import type { Hook } from "../../settings";
import { activeRegionOf, Shape } from "../phase";
import { attemptForCommands } from "../declaration";
import type { Step } from "./step";

/** A command of the user's, run once for each loss, drain or attempt. What comes after it waits for it. */
export function hook(name: Hook, during: Shape): Step {
  return {
    says: ({ settings }) => {
      const command = settings.hooks[name];
      return command === undefined ? undefined : `run your command: ${command}`;
    },
    declare({ settings, shape, lost, survivor, attempt, declaration, last }, scene, after) {
      const create = settings.hooks[name];
      if (create === undefined || shape !== during) {
        return after;
      }
      return [
        new Command(
          `hook-${name}`,
          {
            create,
            environment: {
              [settings.drainRegion === undefined
                ? "CAMUNDA_LOST_REGION"
                : "CAMUNDA_DRAINED_REGION"]: lost,
              CAMUNDA_SURVIVING_REGION: survivor,
              CAMUNDA_ACTIVE_REGION: activeRegionOf(settings, shape),
              // Changes when an attempt is abandoned, so that the hooks of the failover run again.
              CAMUNDA_FAILBACK_ATTEMPT:
                declaration.abandoned === undefined ? attempt : attemptForCommands(last),
            },
          },
          // An edited command is for the next loss, not to be run in the middle of this one.
          { ...scene.after(after), ignoreChanges: ["create"] },
        ),
      ];
    },
  };
}

import { Command } from "@pulumi/command/local/command";
import type * as pulumi from "@pulumi/pulumi";
import * as resources from "../resources";
import { attemptForCommands } from "../declaration";
import { Facts, inPause, Step } from "./step";

function present({ settings }: Facts): boolean {
  return settings.installation !== undefined || settings.webApps !== undefined;
}

/** Operate and Tasklist of the survivor stand still while Elasticsearch is snapshotted: by scaling, or by the user's command. */
export const webAppsStop: Step = {
  says: (facts) =>
    present(facts) ? `stop the web applications of ${facts.settings.region}` : undefined,
  declare({ settings: { installation, webApps }, attempt }, scene, after) {
    const name = "web-apps-stop";
    const stopped: pulumi.Resource[] = [];
    if (installation !== undefined) {
      stopped.push(
        new resources.WebAppsStop(name, { attempt, ...inPause(scene) }, scene.after(after)),
      );
    } else if (webApps !== undefined) {
      stopped.push(
        new Command(
          name,
          {
            create: webApps.stop,
            // Also when the stack is destroyed half way: nothing else would start them again.
            delete: webApps.start,
            environment: { CAMUNDA_FAILBACK_ATTEMPT: attempt },
          },
          // An edited command must not stop them once more after the attempt has gone on.
          { ...scene.after(after), ignoreChanges: ["create"] },
        ),
      );
    }
    return [...after, ...stopped];
  },
};

/** They run, also when an attempt begins or is abandoned: by scaling, or by the user's command. */
export const webApps: Step = {
  says: (facts) =>
    present(facts) && facts.shape === "failing-back"
      ? `start the web applications of ${facts.settings.region}`
      : undefined,
  declare({ settings, last }, scene, after) {
    const name = "web-apps";
    const started: pulumi.Resource[] = [];
    if (settings.installation !== undefined) {
      started.push(
        new resources.WebApps(
          name,
          { replicas: 1, ...last, ...inPause(scene) },
          scene.after(after),
        ),
      );
    } else if (settings.webApps !== undefined) {
      started.push(
        new Command(
          name,
          {
            create: settings.webApps.start,
            environment: { CAMUNDA_FAILBACK_ATTEMPT: attemptForCommands(last) },
          },
          scene.after(after),
        ),
      );
    }
    return [...after, ...started];
  },
};

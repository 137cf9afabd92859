import { RELEASE, WEB_APPS } from "../../generations/objects";
import { isRecord } from "../../base/json";
import { waitFor } from "../../clients/poll";
import { implement, Outcome } from "./behaviour";
import type { Session } from "./session";

/** Inputs of `WebApps`. */
export interface WebAppsInputs {
  /** Pods of Operate and of Tasklist in this stack's region: 1. More would import records twice. */
  replicas: number;
  /** The last failback attempt and whether it was abandoned, as `Exporting` has it. */
  attempt: string;
}

/**
 * Operate and Tasklist of this stack's region run. It owns the undo of the failback's stop: its `attempt`
 * changes when an attempt begins and when one is abandoned, and its update scales them back.
 */
export const provider = implement<WebAppsInputs>({
  id: () => "web-apps",
  converge: (inputs, { session, begin }) => ensureReplicas(session, inputs.replicas, begin),
  async live(inputs, session) {
    for (const name of webAppsOf(session)) {
      const found = await session.kubernetes().deployment(session.namespace(), name);
      if (found?.wanted !== inputs.replicas) {
        return { ...inputs, replicas: found?.wanted ?? 0 };
      }
    }
    return inputs;
  },
});

/** The web applications that are installed: values of the user's own may leave one out. */
export function webAppsOf({ settings }: Session): string[] {
  const values = settings.installation?.helmValues.camunda ?? {};
  return WEB_APPS.filter((name) => {
    const own = values[name.slice(RELEASE.length + 1)];
    return !isRecord(own) || own.enabled !== false;
  });
}

/**
 * Scales the Deployments, through the Kubernetes API of this stack's own cluster, and waits
 * until their pods are as many.
 *
 * @throws {@link Refusal} when they do not come to it in `timeouts.webApps`
 */
export async function ensureReplicas(
  session: Session,
  replicas: number,
  begin: () => void,
): Promise<Outcome> {
  let scaled = false;
  for (const name of webAppsOf(session)) {
    const found = await session.kubernetes().deployment(session.namespace(), name);
    if (found !== undefined && found.wanted !== replicas) {
      begin();
      await session.kubernetes().scale(session.namespace(), name, replicas);
      scaled = true;
    }
  }
  const observed: Record<string, string> = {};
  for (const name of webAppsOf(session)) {
    observed[name] = await settled(session, name, replicas);
  }
  return { how: scaled ? "done" : "already true", observed };
}

/** Waits until the Deployment is as wanted. The wish is not enough: a pod that is going still writes. */
async function settled(session: Session, name: string, replicas: number): Promise<string> {
  const namespace = session.namespace();
  return waitFor<string>(
    `${name} to have ${replicas} pods`,
    session.settings.timeouts.webApps,
    session.log,
    async () => {
      const found = await session.kubernetes().deployment(namespace, name);
      if (found === undefined) {
        return replicas === 0
          ? { done: true, value: "0 ready" }
          : { done: false, seen: "there is no such Deployment" };
      }
      const { wanted, current, replicas: pods, ready } = found;
      const done = current && wanted === replicas && pods === replicas && ready === replicas;
      return done
        ? { done, value: `${replicas} ready` }
        : { done, seen: `${wanted} wanted, ${pods} there, ${ready} ready` };
    },
    {
      refuse: (last, seconds) =>
        `${name} in ${namespace} does not come to ${replicas} pods (waited ${seconds} s): ${last}; look at its pods, then pulumi up goes on`,
    },
  );
}

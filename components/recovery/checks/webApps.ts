import { isRecord } from "../../base/json";
import { waitFor } from "../../clients/poll";
import type { Session } from "../session";

/** What was done, and what the Deployments show. */
export interface Scaled {
  how: "done" | "already true";
  observed: Record<string, string>;
}

/** The web applications that are installed: values of the user's own may leave one out. */
export function webAppsOf({ settings, generation }: Session): string[] {
  const values = settings.installation?.helmValues.camunda ?? {};
  return Object.entries(generation.objects.webApps)
    .filter(([key]) => {
      const own = values[key];
      return !isRecord(own) || own.enabled !== false;
    })
    .map(([, name]) => name);
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
): Promise<Scaled> {
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
    observed[name] = await awaitReplicas(session, name, replicas);
  }
  return { how: scaled ? "done" : "already true", observed };
}

/** Waits until the Deployment is as wanted. The wish is not enough: a pod that is going still writes. */
async function awaitReplicas(session: Session, name: string, replicas: number): Promise<string> {
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
        `${name} in ${namespace} does not come to ${replicas} pods (waited ${seconds} s): ${last}; look at its pods`,
    },
  );
}

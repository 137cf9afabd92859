import { KubeObject, ObjectChange, ObjectStore, saysReady } from "./objects";
import { Timers } from "./timers";

/** How a cluster's controllers behave. */
export interface ControllerOptions {
  /** Time until a pod that is wished runs and is ready, in milliseconds. */
  startMs?: number;
  /** Time that a pod takes to go, in which it still works, in milliseconds. */
  stopMs?: number;
  /** Whether a new pod becomes ready; all do by default. One that does not can be made so by {@link setReady}. */
  ready?: (pod: KubeObject) => boolean;
  /** Called when the pods of a Deployment are to be another number (also when it is created or removed). */
  onScaled?: (deployment: KubeObject, replicas: number, before: number) => void;
}

/**
 * What the controllers of a cluster do for a {@link ObjectStore}: Deployments and StatefulSets get their
 * pods, and their status follows.
 */
export class Controllers {
  private readonly timers = new Timers();
  private readonly stopListening: () => void;

  constructor(
    private readonly store: ObjectStore,
    private readonly options: ControllerOptions = {},
  ) {
    this.stopListening = store.onChange((change) => this.follow(change));
    for (const kind of ["Deployment", "StatefulSet"]) {
      store.list(kind).forEach((object) => this.follow({ type: "created", object }));
    }
  }

  /** Ends it: nothing follows any more. */
  close(): void {
    this.stopListening();
    this.timers.end();
  }

  /** Makes a pod ready or not. */
  setReady(namespace: string, pod: string, ready: boolean): void {
    if (this.store.patch("Pod", namespace, pod, { status: podStatus(ready) }) === undefined) {
      throw new Error(`there is no pod ${pod} in namespace ${namespace}`);
    }
  }

  private follow({ type, object, before }: ObjectChange): void {
    const { kind, metadata } = object;
    if (kind === "Pod") {
      this.owner(object).forEach((owner) => this.updateStatus(owner));
    }
    if (kind !== "Deployment" && kind !== "StatefulSet") {
      return;
    }
    const wanted = type === "removed" ? 0 : replicasOf(object);
    const previously = type === "created" || before === undefined ? 0 : replicasOf(before);
    if (kind === "Deployment" && wanted !== previously) {
      this.options.onScaled?.(object, wanted, previously);
    }
    if (type === "changed" && before?.metadata.generation === metadata.generation) {
      return;
    }
    this.timers.later(this.options.startMs ?? 20, () => this.reconcile(object, type === "removed"));
  }

  /** Brings the pods to the number that the object wishes now, which may be another than when this was due. */
  private reconcile(object: KubeObject, removed: boolean): void {
    const { kind, metadata } = object;
    const now = removed ? undefined : this.store.get(kind, metadata.namespace, metadata.name);
    const wanted = now === undefined ? 0 : replicasOf(now);
    const staying = this.podsOf(object).filter((pod) => !isLeaving(pod));
    for (let ordinal = 0; staying.length < wanted && ordinal < wanted; ordinal++) {
      const name = podName(object, ordinal);
      if (this.store.get("Pod", metadata.namespace, name) === undefined) {
        this.store.apply(this.newPod(object, name));
        staying.push(object);
      }
    }
    const surplus = this.podsOf(object)
      .filter((pod) => !isLeaving(pod))
      .slice(wanted);
    for (const pod of surplus) {
      this.store.patch("Pod", metadata.namespace, pod.metadata.name, {
        metadata: { deletionTimestamp: new Date().toISOString() },
      });
      this.timers.later(this.options.stopMs ?? 20, () => {
        this.store.remove("Pod", metadata.namespace, pod.metadata.name);
        this.reconcile(object, removed);
      });
    }
    if (now !== undefined) {
      this.updateStatus(now);
    }
  }

  private newPod(object: KubeObject, name: string): KubeObject {
    const template = object.spec as { template?: { metadata?: object; spec?: object } };
    const pod: KubeObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...template.template?.metadata,
        name,
        namespace: object.metadata.namespace,
        ownerReferences: [{ kind: object.kind, name: object.metadata.name }],
      },
      spec: { containers: [], ...template.template?.spec },
    };
    return { ...pod, status: podStatus(this.options.ready?.(pod) ?? true) };
  }

  private updateStatus(object: KubeObject): void {
    const { kind, metadata } = object;
    const pods = this.podsOf(object).filter((pod) => !isLeaving(pod));
    const ready = pods.filter(saysReady).length;
    const status = {
      observedGeneration: metadata.generation,
      replicas: pods.length,
      updatedReplicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
    };
    if (JSON.stringify(object.status) !== JSON.stringify(status)) {
      this.store.patch(kind, metadata.namespace, metadata.name, { status });
    }
  }

  private podsOf({ kind, metadata }: KubeObject): KubeObject[] {
    return this.store
      .list("Pod", metadata.namespace)
      .filter((pod) =>
        ownersOf(pod).some((owner) => owner.kind === kind && owner.name === metadata.name),
      );
  }

  private owner(pod: KubeObject): KubeObject[] {
    return ownersOf(pod)
      .map(({ kind, name }) => this.store.get(kind, pod.metadata.namespace, name))
      .filter((owner) => owner !== undefined);
  }
}

/** The status of a pod that runs. */
export function podStatus(ready: boolean): Record<string, unknown> {
  return {
    phase: "Running",
    conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
  };
}

function podName({ kind, metadata }: KubeObject, ordinal: number): string {
  return kind === "StatefulSet"
    ? `${metadata.name}-${ordinal}`
    : `${metadata.name}-6f7c9d5b8-${ordinal}`;
}

function replicasOf({ spec }: KubeObject): number {
  return (spec as { replicas?: number } | undefined)?.replicas ?? 1;
}

function ownersOf({ metadata }: KubeObject): { kind: string; name: string }[] {
  return (metadata.ownerReferences ?? []) as { kind: string; name: string }[];
}

function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

import type { V1ConfigMap } from "@kubernetes/client-node";
import { Refused, Unreachable } from "./http";
import { Api, Progress, whyNot } from "./kubernetesApi";
import { kubernetesLibrary } from "./kubernetesLibrary";
import { ClusterAddress, describeCluster } from "../base/kubernetesAddress";

/**
 * ConfigMaps of one namespace, of which a part may be ours.
 *
 * Every method throws {@link Unreachable} when there is no whole answer in time, and {@link Refused} when
 * the API refuses.
 */
export class ConfigMapClient {
  /** @param timeoutMs bound on each request, getting access included */
  constructor(
    private readonly cluster: ClusterAddress,
    private readonly namespace: string,
    private readonly timeoutMs: number,
  ) {}

  /** The ConfigMap, or undefined when it does not exist. */
  read(name: string): Promise<V1ConfigMap | undefined> {
    return this.ask("GET", name, (api, request) =>
      api.call(request, api.core.readNamespacedConfigMap({ name, namespace: this.namespace })),
    );
  }

  /**
   * Writes a ConfigMap as it was read and then changed. Never over what somebody else has written in between.
   *
   * @returns whether it was written; false: somebody was faster, read it anew
   */
  replace(name: string, changed: V1ConfigMap): Promise<boolean> {
    const { namespace } = this;
    return this.ask("PUT", name, async (api, request) => {
      try {
        const answer = api.core.replaceNamespacedConfigMap({ name, namespace, body: changed });
        return (await api.call(request, answer)) !== undefined;
      } catch (error) {
        if (error instanceof Refused && error.status === 409) {
          return false;
        }
        throw error;
      }
    });
  }

  private async ask<T>(
    method: string,
    name: string,
    question: (api: Api, request: string) => Promise<T>,
  ): Promise<T> {
    const request = `${method} configmap/${name} in namespace ${this.namespace} of ${describeCluster(this.cluster)}`;
    // Before the clock starts: what this machine takes to load it is no silence of the cluster.
    await kubernetesLibrary();
    const signal = AbortSignal.timeout(this.timeoutMs);
    const progress: Progress = { stage: "the Kubernetes API" };
    try {
      return await question(await Api.open(this.cluster, signal, progress), request);
    } catch (error) {
      if (error instanceof Refused) {
        throw error;
      }
      throw new Unreachable(request, whyNot(error, signal, this.timeoutMs, progress));
    }
  }
}

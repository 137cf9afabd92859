import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { REJOINING, RELEASE } from "../../generations/objects";
import { camundaValues } from "../camunda/helmValues";
import type { InstalledSettings } from "../../settings";
import { OURS_ALONE } from "./provider";
import { helmRelease } from "./release";

/** Arguments of {@link CamundaRelease}. */
export interface CamundaReleaseArgs {
  settings: InstalledSettings;
  /**
   * Whether the region was recreated and waits for its failback: Operate and Tasklist are off until its
   * Elasticsearch is restored, and brokers do not start before they reach one of the survivors.
   */
  rejoining: boolean;
  /** Description of the release: see `FoundReleases`. */
  description?: string | undefined;
  /** Where it is installed. */
  namespace: pulumi.Input<string>;
}

/**
 * Camunda in one region, as a Helm release: brokers, gateways, Operate, Tasklist, and connectors where they
 * are wanted. It does not wait for anything to be ready.
 *
 * Deleting it leaves the brokers' volumes until the namespace is deleted.
 */
export class CamundaRelease extends pulumi.ComponentResource {
  /** Name of the release, known when Helm has installed it. */
  readonly name: pulumi.Output<string>;
  /** What Helm says of it: `deployed`. */
  readonly status: pulumi.Output<string>;
  /** Version of the chart. */
  readonly version: pulumi.Output<string>;

  constructor(name: string, args: CamundaReleaseArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:kubernetes:CamundaRelease", name, {}, options);
    const { settings, rejoining, namespace, description } = args;
    const state = new core.ConfigMap(
      `${name}-rejoining`,
      {
        metadata: { name: REJOINING.configMap, namespace, annotations: OURS_ALONE },
        data: { [REJOINING.key]: String(rejoining) },
      },
      { parent: this, dependsOn: options?.dependsOn },
    );
    const { status } = helmRelease(
      name,
      {
        release: RELEASE,
        chart: settings.installation.charts.camunda,
        namespace,
        description,
        values: camundaValues(settings, { webApps: !rejoining }),
      },
      // A component's own dependencies order its children's creation only: the ConfigMap carries them on.
      { parent: this, dependsOn: [state] },
    );
    this.name = status.name;
    this.status = status.status;
    this.version = status.version;
    this.registerOutputs({ name: this.name, status: this.status, version: this.version });
  }
}

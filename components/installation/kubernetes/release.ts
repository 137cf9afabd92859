import { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import type { Values } from "../camunda/helmValues";
import type { Chart } from "../../generations/generation";

import { isFetched, placeOf } from "./charts";

/** Arguments of {@link helmRelease}. */
export interface HelmReleaseArgs {
  /** Name of the release: the names of its objects begin with it. */
  release: string;
  chart: Chart;
  namespace: pulumi.Input<string>;
  values: pulumi.Input<Values>;
  /** What Helm's history says of the revision. Another one than before makes a revision. */
  description?: string | undefined;
}

/**
 * A Helm release that never waits: brokers of a recreated region are not ready until they are members again,
 * and what is healthy is for Camunda to say, not for Kubernetes. A release that failed is left as it is,
 * so that its reason can be looked at; the next `up` goes on.
 */
export function helmRelease(
  name: string,
  args: HelmReleaseArgs,
  options: pulumi.CustomResourceOptions,
): Release {
  return new Release(
    name,
    {
      name: args.release,
      chart: placeOf(args.chart),
      // An archive has one; without a repository it decides nothing, but for a chart that Helm itself is to find.
      ...(isFetched(args.chart) || args.chart.version === undefined
        ? {}
        : { version: args.chart.version }),
      namespace: args.namespace,
      values: args.values,
      ...(args.description === undefined ? {} : { description: args.description }),
      // `null` in values of the user's own makes Helm drop a default of the chart.
      allowNullValues: true,
      skipAwait: true,
      atomic: false,
      // Each revision is a Secret in the namespace.
      maxHistory: 10,
    },
    options,
  );
}

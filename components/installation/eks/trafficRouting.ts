import * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "../../base/brokers";
import type { Traffic } from "../../settings";
import * as aws from "./sdk";

/** Arguments of {@link TrafficRouting}. */
export interface TrafficRoutingArgs {
  traffic: Traffic;
  /** The region of this stack. */
  region: RegionName;
  /** Whether users are sent to this region while it is healthy. */
  active: boolean;
}

/**
 * This region's share of the name that users know: a health check of its own entry point, and one of the
 * two weighted records of that name. Each stack owns its record; neither writes the other's.
 *
 * The lost region goes out by Route 53's data plane: its health check fails, and the record of the other
 * region answers, also with weight 0, since Route 53 turns to the records of weight 0 when none of the
 * others is healthy. No write is needed for that, and a write may be impossible: the control plane of
 * Route 53 is in us-east-1. So `up` also writes the weights, but let this component depend on the recovery:
 * a write that fails then fails after it, blocks nothing, and the next `up` makes it.
 *
 * A lost region that still answers the health check keeps its share of the users until its own stack or a
 * human takes its record away: choose a `healthCheckPath` that fails when Camunda cannot work.
 *
 * The name must not be the zone's own (`example.com`): a CNAME is not allowed there.
 */
export class TrafficRouting extends pulumi.ComponentResource {
  /** Id of the health check of this region's entry point. */
  readonly healthCheckId: pulumi.Output<string>;

  constructor(name: string, args: TrafficRoutingArgs, options?: pulumi.ComponentResourceOptions) {
    super("camunda8:aws:TrafficRouting", name, {}, options);
    const { traffic, region, active } = args;
    const target = traffic.targets[region];
    const check = new aws.route53.HealthCheck(
      `${name}-health`,
      {
        type: "HTTPS",
        fqdn: target,
        port: 443,
        resourcePath: traffic.healthCheckPath,
        enableSni: true,
        // Out after three failures in a row: half a minute.
        requestInterval: 10,
        failureThreshold: 3,
        tags: { Name: `${traffic.name} ${region}` },
      },
      { parent: this },
    );
    this.healthCheckId = check.id;
    new aws.route53.Record(
      `${name}-record`,
      {
        zoneId: traffic.zoneId,
        name: traffic.name,
        type: "CNAME",
        ttl: 30,
        records: [target],
        setIdentifier: region,
        weightedRoutingPolicies: [{ weight: active ? 255 : 0 }],
        healthCheckId: check.id,
        // The zone outlives a lost region: its stack, made anew, finds its own record there.
        allowOverwrite: true,
      },
      { parent: this },
    );
    this.registerOutputs({ healthCheckId: this.healthCheckId });
  }
}

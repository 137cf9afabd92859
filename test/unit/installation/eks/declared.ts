import type * as pulumi from "@pulumi/pulumi";
import type { RegionName } from "../../../../components/base/brokers";
import type { EksSettings } from "../../../../components/settings";
import { Circumstances, Declarations, declare as declareAll } from "../declared";

export { Declarations } from "../declared";

/** Settings as the defaults of the configuration make them. */
export function eksSettings(overrides: Partial<EksSettings> = {}): EksSettings {
  return {
    kind: "eks",
    prefix: "camunda",
    awsAccount: "123456789012",
    awsRegions: { region0: "eu-west-2", region1: "eu-west-3" },
    cidrs: {
      region0: { vpc: "10.192.0.0/16", services: "10.190.0.0/16" },
      region1: { vpc: "10.202.0.0/16", services: "10.200.0.0/16" },
    },
    natGateways: "per-zone",
    kubernetesVersion: "1.35",
    nodes: {
      instanceType: "m6i.xlarge",
      min: 1,
      desired: 4,
      max: 10,
      autoscaler: false,
      diskGb: 20,
    },
    administrators: [],
    apiAccessCidrs: ["203.0.113.0/24"],
    clusterLogs: ["api", "audit", "authenticator"],
    bucketEncryption: "AES256",
    bucketSuffix: undefined,
    traffic: undefined,
    ...overrides,
  };
}

/**
 * Registers what `body` declares on AWS.
 *
 * @param account that the credentials belong to; default that of the settings
 */
export function declare<T>(
  body: () => T | Promise<T>,
  { account = "123456789012", ...rest }: Omit<Circumstances, "state"> & { account?: string } = {},
): Promise<{ declared: Declarations; outputs: pulumi.Unwrap<T> }> {
  return declareAll(body, {
    ...rest,
    state: (type, name, inputs) => answer(type, name, inputs, account),
  });
}

/** What AWS and EKS fill in. */
function answer(
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  account: string,
): Record<string, unknown> {
  const arn = `arn:aws:${type.split(/[:/]/)[1]}::${account}:${name}`;
  switch (type) {
    case "aws:eks/cluster:Cluster":
      return {
        arn,
        endpoint: "https://cluster.example",
        certificateAuthority: { data: "Y2E=" },
        identities: [{ oidcs: [{ issuer: "https://oidc.eks.example/id/ABC" }] }],
        vpcConfig: {
          ...(inputs.vpcConfig as object),
          clusterSecurityGroupId: "sg-cluster",
        },
      };
    case "aws:eks/nodeGroup:NodeGroup":
      return { arn, resources: [{ autoscalingGroups: [{ name: "asg-nodes" }] }] };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { arn, latestVersion: 3 };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${account}:role/${name}`, name: `${name}-role` };
    default:
      return { arn };
  }
}

/** AWS names of both regions, to go through a test in both. */
export const BOTH: readonly RegionName[] = ["region0", "region1"];

// The parts of the SDK of AWS that are used: all of it is three hundred modules more in every run.
export * as autoscaling from "@pulumi/aws/autoscaling";
export * as ec2 from "@pulumi/aws/ec2";
export * as eks from "@pulumi/aws/eks";
export * as iam from "@pulumi/aws/iam";
export * as kms from "@pulumi/aws/kms";
export * as lb from "@pulumi/aws/lb";
export { Provider } from "@pulumi/aws/provider";
export * as route53 from "@pulumi/aws/route53";
export * as s3 from "@pulumi/aws/s3";
export type * as types from "@pulumi/aws/types";
export * as vpc from "@pulumi/aws/vpc";

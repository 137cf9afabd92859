import * as pulumi from "@pulumi/pulumi";
import * as aws from "./sdk";

/** A cluster's issuer of identities, as IAM knows it. */
export interface Issuer {
  /** ARN of the OIDC provider in IAM. */
  oidcProviderArn: pulumi.Input<string>;
  /** The issuer without `https://`. */
  issuer: pulumi.Input<string>;
}

/** A service account of Kubernetes. */
export interface ServiceAccount {
  namespace: string;
  serviceAccount: string;
}

/** Policy of a role that a service of AWS takes (`eks.amazonaws.com`). */
export function trustService(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}

/** Policy of a role that one service account of one cluster takes, with the token that the cluster gives it. */
export function trustServiceAccount(
  { oidcProviderArn, issuer }: Issuer,
  { namespace, serviceAccount }: ServiceAccount,
): pulumi.Output<string> {
  return pulumi.all([oidcProviderArn, issuer]).apply(([arn, host]) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: arn },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              [`${host}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
              [`${host}:aud`]: "sts.amazonaws.com",
            },
          },
        },
      ],
    }),
  );
}

/** A role with policies of AWS's own (`AmazonEKSClusterPolicy`), and what to wait for until they hold. */
export interface RoleWithPolicies {
  role: aws.iam.Role;
  attachments: aws.iam.RolePolicyAttachment[];
}

/**
 * Makes a role. Its name ends with random letters: names of roles are global in the account, and those of
 * a lost region are still there when the region is made again.
 */
export function roleWithPolicies(
  name: string,
  assumeRolePolicy: pulumi.Input<string>,
  policies: readonly string[],
  options: pulumi.CustomResourceOptions,
): RoleWithPolicies {
  const role = new aws.iam.Role(name, { assumeRolePolicy }, options);
  const attachments = policies.map(
    (policy) =>
      new aws.iam.RolePolicyAttachment(
        `${name}-${policy.split("/").at(-1)}`,
        { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
        options,
      ),
  );
  return { role, attachments };
}

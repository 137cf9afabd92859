import { isRecord } from "../../components/base/json";
import { type Properties, record } from "../pulumi/properties";
import { arn, jsonObject, ResourceType, strings } from "./resourceType";
import type { Aws, Item } from "./state";
import { OIDC_PROVIDER, ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT } from "./tokens";

/** A statement of a policy. */
interface Statement {
  effect: string;
  actions: string[];
  resources: string[];
  principal: unknown;
  condition: Properties;
}

function list(value: unknown): string[] {
  return typeof value === "string" ? [value] : strings(value);
}

function statementsOf(document: unknown): Statement[] {
  const { Statement: given } = jsonObject(document);
  return (Array.isArray(given) ? given : [given]).filter(isRecord).map((statement) => ({
    effect: String(statement.Effect),
    actions: list(statement.Action),
    resources: list(statement.Resource),
    principal: statement.Principal,
    condition: record(statement.Condition),
  }));
}

/** The policies of AWS's own that a role has, by the last part of their ARN. */
export function managedPoliciesOf(aws: Aws, role: Item): string[] {
  return aws
    .list(ROLE_POLICY_ATTACHMENT)
    .filter(({ inputs }) => inputs.role === role.id)
    .map(({ inputs }) => String(inputs.policyArn).split("/").at(-1) ?? "");
}

/** Whether a service may take a role. */
export function trustsService(role: Item, service: string): boolean {
  return statementsOf(role.inputs.assumeRolePolicy).some(
    ({ effect, actions, principal }) =>
      effect === "Allow" &&
      actions.includes("sts:AssumeRole") &&
      list(record(principal).Service).includes(service),
  );
}

/**
 * Whether a service account's token opens a role: undefined when it does, else why STS refuses. STS and
 * IAM's data plane answer in every region, so no loss of another region matters.
 *
 * @param issuer of the cluster that has signed the token
 */
export function whyNotAssumable(
  aws: Aws,
  roleArn: string,
  token: { issuer: string; namespace: string; serviceAccount: string; audience?: string },
): string | undefined {
  const role = aws.list(ROLE).find(({ outputs }) => outputs.arn === roleArn);
  if (role === undefined) {
    return `role ${roleArn} does not exist`;
  }
  const host = token.issuer.replace(/^https:\/\//, "");
  const audience = token.audience ?? "sts.amazonaws.com";
  const provider = aws.list(OIDC_PROVIDER).find(({ inputs }) => inputs.url === token.issuer);
  if (provider === undefined) {
    return `IAM has no OIDC provider for ${token.issuer}`;
  }
  if (!strings(provider.inputs.clientIdLists).includes(audience)) {
    return `the OIDC provider ${provider.id} does not know the audience ${audience}`;
  }
  const claims: Record<string, string> = {
    [`${host}:sub`]: `system:serviceaccount:${token.namespace}:${token.serviceAccount}`,
    [`${host}:aud`]: audience,
  };
  const trusting = statementsOf(role.inputs.assumeRolePolicy).some(
    ({ effect, actions, principal, condition }) =>
      effect === "Allow" &&
      actions.includes("sts:AssumeRoleWithWebIdentity") &&
      list(record(principal).Federated).includes(provider.id) &&
      Object.entries(record(condition.StringEquals)).every(([key, value]) =>
        list(value).includes(claims[key] ?? ""),
      ),
  );
  return trusting
    ? undefined
    : `the trust policy of ${role.id} does not let ${claims[`${host}:sub`]} of ${host} in`;
}

/** Whether a role's own policies let it do this, without those of AWS's. Conditions on Allow are taken as met, those on Deny as not met. */
export function roleAllows(aws: Aws, roleArn: string, action: string, resource: string): boolean {
  const role = aws.list(ROLE).find(({ outputs }) => outputs.arn === roleArn);
  if (role === undefined) {
    return false;
  }
  const matching = aws
    .list(ROLE_POLICY)
    .filter(({ inputs }) => inputs.role === role.id)
    .flatMap(({ inputs }) => statementsOf(inputs.policy))
    .filter(
      ({ actions, resources }) =>
        actions.some((pattern) => matches(pattern, action)) &&
        resources.some((pattern) => matches(pattern, resource)),
    );
  return (
    matching.some(({ effect }) => effect === "Allow") &&
    !matching.some(
      ({ effect, condition }) => effect === "Deny" && Object.keys(condition).length === 0,
    )
  );
}

function matches(pattern: string, value: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(value);
}

const role: ResourceType = {
  autoname: { property: "name", max: 64 },
  defaults: { forceDetachPolicies: false, maxSessionDuration: 3600, path: "/" },
  replaces: ["name", "namePrefix", "path"],
  computed: ["arn", "createDate", "uniqueId"],
  unique: ["EntityAlreadyExists", "name"],
  create(scope, inputs) {
    const name = String(inputs.name);
    return {
      id: name,
      outputs: {
        arn: arn(scope, "iam", `role${String(inputs.path)}${name}`),
        createDate: new Date().toISOString(),
        uniqueId: scope.aws.newId("AROA"),
      },
    };
  },
};

const rolePolicy: ResourceType = {
  autoname: { property: "name", max: 128 },
  replaces: ["role", "name", "namePrefix"],
  names: { role: ROLE },
  create(_scope, inputs) {
    return { id: `${String(inputs.role)}:${String(inputs.name)}` };
  },
};

const rolePolicyAttachment: ResourceType = {
  replaces: ["role", "policyArn"],
  names: { role: ROLE },
  overwrites: true,
  create(_scope, inputs) {
    return { id: `${String(inputs.role)}/${String(inputs.policyArn)}` };
  },
};

const openIdConnectProvider: ResourceType = {
  replaces: ["url"],
  kept: ["thumbprintLists"],
  sets: ["clientIdLists"],
  computed: ["arn", "thumbprintLists"],
  unique: ["EntityAlreadyExists", "url"],
  create(scope, inputs) {
    const host = String(inputs.url).replace(/^https:\/\//, "");
    const id = arn(scope, "iam", `oidc-provider/${host}`);
    return { id, outputs: { arn: id, thumbprintLists: [] } };
  },
};

/** Identities of the account. They outlive every region. */
export const IAM_TYPES: Record<string, ResourceType> = {
  [ROLE]: role,
  [ROLE_POLICY]: rolePolicy,
  [ROLE_POLICY_ATTACHMENT]: rolePolicyAttachment,
  [OIDC_PROVIDER]: openIdConnectProvider,
};

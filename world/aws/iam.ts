import { isRecord } from "../../components/base/json";
import { type Properties, record } from "../pulumi/properties";
import { arn, jsonObject, ResourceType, Scope, strings, text } from "./resourceType";
import { Aws, AwsError, Item } from "./state";

/** Type token of Role. */
export const ROLE = "aws:iam/role:Role";
/** Type token of RolePolicy. */
export const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
/** Type token of RolePolicyAttachment. */
export const ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
/** Type token of OpenIdConnectProvider. */
export const OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";

/** The policies of AWS's own that are known here: a misspelled one must not pass. */
const MANAGED = [
  "AmazonEKSClusterPolicy",
  "AmazonEKSVPCResourceController",
  "AmazonEKSWorkerNodePolicy",
  "AmazonEKS_CNI_Policy",
  "AmazonEC2ContainerRegistryReadOnly",
  "AmazonEC2ContainerRegistryPullOnly",
  "AmazonSSMManagedInstanceCore",
  "service-role/AmazonEBSCSIDriverPolicy",
].map((name) => `arn:aws:iam::aws:policy/${name}`);

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
  const parsed = jsonObject(document);
  const { Statement: given } = isRecord(parsed) ? parsed : {};
  return (Array.isArray(given) ? given : [given]).filter(isRecord).map((statement) => ({
    effect: String(statement.Effect),
    actions: list(statement.Action),
    resources: list(statement.Resource),
    principal: statement.Principal,
    condition: record(statement.Condition),
  }));
}

/** What IAM and S3 refuse about a policy document. */
export function* policyProblems(
  property: string,
  document: unknown,
  kind: "trust" | "identity" | "resource",
): Iterable<string> {
  const parsed = jsonObject(document);
  if (parsed === undefined) {
    return;
  }
  if (typeof parsed === "string") {
    yield `"${property}" ${parsed}`;
    return;
  }
  if (parsed.Version !== "2012-10-17") {
    yield `"${property}": Version must be 2012-10-17, not ${String(parsed.Version)}`;
  }
  const statements = statementsOf(document);
  if (statements.length === 0) {
    yield `"${property}": MalformedPolicyDocument: no Statement`;
  }
  for (const { effect, actions, resources, principal } of statements) {
    if (effect !== "Allow" && effect !== "Deny") {
      yield `"${property}": MalformedPolicyDocument: Effect must be Allow or Deny, not ${effect}`;
    }
    if (
      actions.length === 0 ||
      !actions.every((action) => /^(\*|[a-z0-9-]+:[A-Za-z*?]+)$/.test(action))
    ) {
      yield `"${property}": MalformedPolicyDocument: Action must be like s3:GetObject, not ${JSON.stringify(actions)}`;
    }
    if (kind === "trust" && resources.length > 0) {
      yield `"${property}": MalformedPolicyDocument: Has prohibited field Resource`;
    }
    if (
      kind !== "trust" &&
      (resources.length === 0 || !resources.every((r) => /^(\*|arn:)/.test(r)))
    ) {
      yield `"${property}": MalformedPolicyDocument: Resource must be in ARN format or "*", not ${JSON.stringify(resources)}`;
    }
    if ((kind === "identity") !== (principal === undefined)) {
      yield `"${property}": MalformedPolicyDocument: ${kind === "identity" ? "Has prohibited field Principal" : "Missing required field Principal"}`;
    }
  }
}

/** The role of a name or an ARN. */
export function findRole(aws: Aws, nameOrArn: unknown): Item | undefined {
  return aws.list(ROLE).find((item) => item.id === nameOrArn || item.outputs.arn === nameOrArn);
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
  const role = findRole(aws, roleArn);
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
  const role = findRole(aws, roleArn);
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

function needRole(scope: Scope, name: unknown): Item {
  const role = scope.aws.list(ROLE).find(({ id }) => id === name);
  if (role === undefined) {
    throw new AwsError("NoSuchEntity", `The role with name ${String(name)} cannot be found.`);
  }
  return role;
}

function needUnused(scope: Scope, type: string, property: string, name: unknown): void {
  if (scope.aws.list(type).some(({ inputs }) => inputs[property] === name)) {
    throw new AwsError(
      "EntityAlreadyExists",
      `${type.split(":").at(-1)} with ${property} ${String(name)} already exists.`,
    );
  }
}

const role: ResourceType = {
  account: true,
  required: ["assumeRolePolicy"],
  autoname: { property: "name", max: 64, maxPrefix: 38 },
  defaults: { forceDetachPolicies: false, maxSessionDuration: 3600, path: "/" },
  replaces: ["name", "namePrefix", "path"],
  computed: ["arn", "createDate", "uniqueId"],
  *check(inputs) {
    yield* policyProblems("assumeRolePolicy", inputs.assumeRolePolicy, "trust");
  },
  create(scope, inputs) {
    const name = String(inputs.name);
    needUnused(scope, ROLE, "name", name);
    return {
      id: name,
      outputs: {
        arn: arn(scope, "iam", `role${String(inputs.path)}${name}`),
        createDate: new Date().toISOString(),
        uniqueId: scope.aws.newId("AROA"),
      },
    };
  },
  delete(scope, item) {
    const attached = [ROLE_POLICY, ROLE_POLICY_ATTACHMENT]
      .flatMap((type) => scope.aws.list(type))
      .filter(({ inputs }) => inputs.role === item.id);
    if (attached.length > 0 && item.inputs.forceDetachPolicies !== true) {
      throw new AwsError(
        "DeleteConflict",
        `Cannot delete entity, must detach all policies first: ${attached.map(({ id }) => id).join(", ")}`,
      );
    }
    attached.forEach((one) => scope.aws.remove(one));
  },
};

const rolePolicy: ResourceType = {
  account: true,
  required: ["role", "policy"],
  autoname: { property: "name", max: 128 },
  replaces: ["role", "name", "namePrefix"],
  *check(inputs) {
    yield* policyProblems("policy", inputs.policy, "identity");
  },
  create(scope, inputs) {
    needRole(scope, inputs.role);
    return { id: `${String(inputs.role)}:${String(inputs.name)}` };
  },
};

const rolePolicyAttachment: ResourceType = {
  account: true,
  required: ["role", "policyArn"],
  replaces: ["role", "policyArn"],
  create(scope, inputs) {
    needRole(scope, inputs.role);
    if (!MANAGED.includes(String(inputs.policyArn))) {
      throw new AwsError(
        "NoSuchEntity",
        `Policy ${String(inputs.policyArn)} does not exist or is not attachable.`,
      );
    }
    return { id: `${String(inputs.role)}/${String(inputs.policyArn)}` };
  },
};

const openIdConnectProvider: ResourceType = {
  account: true,
  required: ["url", "clientIdLists"],
  replaces: ["url"],
  kept: ["thumbprintLists"],
  sets: ["clientIdLists"],
  computed: ["arn", "thumbprintLists"],
  *check(inputs) {
    const url = text(inputs, "url");
    if (url !== undefined && !/^https:\/\/[^/]+/.test(url)) {
      yield `"url": "${url}" must begin with https://`;
    }
  },
  create(scope, inputs) {
    needUnused(scope, OIDC_PROVIDER, "url", inputs.url);
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

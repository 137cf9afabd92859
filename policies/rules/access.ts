import { Document, documentsOf, isEverybody, Statement } from "./documents";
import { isAws, isTrue, isUnknown, list, PolicyResource, record, Rule } from "./model";

/**
 * Statements that may name `*`, each with its reason. A new one is added here with its reason, not worked
 * around in a document.
 */
export const EXCEPTIONS: readonly {
  reason: string;
  of: "action" | "resource";
  holds(document: Document, statement: Statement): boolean;
}[] = [
  {
    reason:
      "the key policy hands the key to IAM of its own account; without that statement nobody could ever change the key again",
    of: "action",
    holds: ({ kind }, { actions, principals }) =>
      kind === "key" &&
      actions.every((action) => action === "kms:*") &&
      principals.length > 0 &&
      principals.every((who) => /^AWS:arn:aws[\w-]*:iam::\d{12}:root$/.test(who)),
  },
  {
    reason: 'in a key policy "*" is the key itself',
    of: "resource",
    holds: ({ kind }) => kind === "key",
  },
  {
    reason:
      "keys of the other region cannot be named before they are made; kms:ViaService binds the right to the service that uses them",
    of: "resource",
    holds: (_, { actions, condition }) =>
      actions.every((action) => action.startsWith("kms:")) &&
      Object.values(condition).some((operator) => "kms:ViaService" in record(operator)),
  },
];

const READS = /^[\w-]+:(Get|List|Describe|BatchGet)\w*\*?$/;

/** Least privilege: a wildcard grants what is invented tomorrow. */
export const noStarAction: Rule = {
  kind: "resource",
  name: "no-star-action",
  description: "No policy document allows all actions, of AWS or of a service.",
  level: "mandatory",
  check: (resource) =>
    documentsOf(resource).flatMap((document) => [
      ...(document.broken === undefined
        ? []
        : [`${document.at} is not a policy document: ${document.broken}`]),
      ...allowed(document, "action").flatMap((statement) => [
        ...statement.actions
          .filter((action) => action.includes("*") && !READS.test(action))
          .map(
            (action) =>
              `${document.at} allows ${action}: name the actions that are needed (a "*" only behind Get, List or Describe)`,
          ),
        ...(statement.notActions.length > 0
          ? [
              `${document.at} allows all but ${statement.notActions.join(", ")} (NotAction): name the actions that are needed`,
            ]
          : []),
      ]),
    ]),
};

/** A right to write that is not bound to a resource reaches every region's. */
export const noStarResource: Rule = {
  kind: "resource",
  name: "no-star-resource",
  description: "No policy document allows an action that changes something on all resources.",
  level: "mandatory",
  check: (resource) =>
    documentsOf(resource).flatMap((document) =>
      allowed(document, "resource")
        .filter(({ resources }) => resources.includes("*"))
        .flatMap(({ actions }) =>
          actions
            .filter((action) => !READS.test(action))
            .map((action) => `${document.at} allows ${action} on Resource "*": name the resources`),
        ),
    ),
};

const FEDERATED = /^Federated:/;

/** Who may take a role. Without a subject every pod of the cluster could take Elasticsearch's. */
export const roleTrustNamed: Rule = {
  kind: "resource",
  name: "role-trust-named",
  description: "A role names who takes it; for service accounts by subject and audience.",
  level: "mandatory",
  check: (resource) =>
    documentsOf(resource)
      .filter(({ kind }) => kind === "trust")
      .flatMap(({ at, statements }) =>
        statements
          .filter(({ effect }) => effect === "Allow")
          .flatMap(({ principals, condition }) => {
            const keys = Object.entries(condition)
              // "IfExists" and negations hold for a token without the claim, too.
              .filter(([operator]) => /^(ForAnyValue:)?String(Equals|Like)$/.test(operator))
              .flatMap(([, values]) => Object.entries(record(values)))
              .filter(([, value]) => ![value].flat().includes("*"))
              .map(([key]) => key);
            const missing = [":sub", ":aud"].filter(
              (end) => !keys.some((key) => key.endsWith(end)),
            );
            return [
              ...(principals.some(isEverybody)
                ? [`${at} lets everybody take the role (Principal "*"): name who`]
                : []),
              ...(principals.some((who) => FEDERATED.test(who)) && missing.length > 0
                ? [
                    `${at} trusts the identity provider without a condition on ${missing.join(" and ")}: every service account could take the role; add StringEquals for both`,
                  ]
                : []),
            ];
          }),
      ),
};

/** AWS's own policies for everything. */
export const noFullAccess: Rule = {
  kind: "resource",
  name: "no-full-access",
  description: "No role has a policy of AWS for everything.",
  level: "mandatory",
  check(resource) {
    const arns = attachedTo(resource);
    return arns
      .filter((arn) =>
        /:policy\/(\S*\/)?(AdministratorAccess|PowerUserAccess|\w*FullAccess)$/.test(arn),
      )
      .map((arn) => `attaches ${arn}: give the role a policy of its own with what it needs`);
  },
};

/** With the node's role a pod could do what the node may: the add-ons' rights are given by service account. */
export const nodeRoleUnreachable: Rule = {
  kind: "resource",
  name: "node-role-unreachable",
  description: "No pod can take the role of its node.",
  level: "mandatory",
  check(resource) {
    if (!isAws(resource, "ec2", "LaunchTemplate") || isUnknown(resource.props.metadataOptions)) {
      return [];
    }
    const { httpTokens, httpPutResponseHopLimit } = record(resource.props.metadataOptions);
    return [
      ...(httpTokens === "required" || isUnknown(httpTokens)
        ? []
        : [
            `metadataOptions.httpTokens is ${String(httpTokens ?? "not set")}: it must be required, so that the hop limit holds`,
          ]),
      ...(Number(httpPutResponseHopLimit) === 1 || isUnknown(httpPutResponseHopLimit)
        ? []
        : [
            `metadataOptions.httpPutResponseHopLimit is ${String(httpPutResponseHopLimit ?? "not set")}: it must be 1, which does not reach into a pod`,
          ]),
    ];
  },
};

function attachedTo(resource: PolicyResource): string[] {
  if (isAws(resource, "iam", "Role")) {
    return [resource.props.managedPolicyArns].flat().map(String);
  }
  return [
    "RolePolicyAttachment",
    "UserPolicyAttachment",
    "GroupPolicyAttachment",
    "PolicyAttachment",
  ].some((name) => isAws(resource, "iam", name))
    ? [String(resource.props.policyArn)]
    : [];
}

function allowed(document: Document, of: "action" | "resource"): Statement[] {
  return document.statements.filter(
    (statement) =>
      statement.effect === "Allow" &&
      !EXCEPTIONS.some((exception) => exception.of === of && exception.holds(document, statement)),
  );
}

/** The names of buckets and roles have the account in them: in another one they would be somebody else's. */
export const accountNamed: Rule = {
  kind: "resource",
  name: "account-named",
  description:
    "The AWS provider works with the credentials of one account only, and asks whose they are.",
  level: "mandatory",
  check({ type, props }) {
    if (type !== "pulumi:providers:aws") {
      return [];
    }
    const skips = ["skipCredentialsValidation", "skipRequestingAccountId"].filter((key) =>
      isTrue(props[key]),
    );
    // The engine has what is no text of a provider's as JSON.
    const named =
      isUnknown(props.allowedAccountIds) || /\d{12}/.test(String(props.allowedAccountIds));
    return [
      ...(named
        ? []
        : ["allowedAccountIds is not set: credentials of another account would be taken; set it"]),
      ...skips.map(
        (key) =>
          `${key} is true: the provider would not know its account, which S3 Control asks for; remove it`,
      ),
    ];
  },
};

/** Whoever looks after an incident reads there who asked the Kubernetes API for what. */
export const controlPlaneLogged: Rule = {
  kind: "resource",
  name: "control-plane-logged",
  description: "An EKS cluster writes the audit log of its Kubernetes API.",
  level: "advisory",
  check(resource) {
    const types = resource.props.enabledClusterLogTypes;
    return !isAws(resource, "eks", "Cluster") || isUnknown(types) || list(types).includes("audit")
      ? []
      : [
          "enabledClusterLogTypes has no audit: after an incident nothing tells who did what; add it",
        ];
  },
};

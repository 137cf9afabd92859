import { isAws, list, PolicyResource, record, UNKNOWN } from "./model";

/** A statement of an IAM policy document. */
export interface Statement {
  effect: string;
  actions: string[];
  /** All but these actions: as good as `*`. */
  notActions: string[];
  resources: string[];
  /** Who, each as `AWS:arn...`, `Service:...`; `*` alone for everybody. */
  principals: string[];
  condition: Record<string, unknown>;
}

/** A policy document with where it stands, or why it cannot be judged. */
export interface Document {
  /** What it says who may do. */
  statements: Statement[];
  /** Where it stands, for messages. */
  at: string;
  /** Of what: who takes a role, what a role may do, or what may be done to a thing. */
  kind: "trust" | "identity" | "key" | "bucket";
  /** Set when it is no policy document. */
  broken?: string;
}

/** Every policy document of a resource. Those that are not known yet are left out. */
export function documentsOf(resource: PolicyResource): Document[] {
  const { props } = resource;
  const named = ["Policy", "RolePolicy", "UserPolicy", "GroupPolicy"];
  if (named.some((name) => isAws(resource, "iam", name))) {
    return read(props.policy, "policy", "identity");
  }
  if (isAws(resource, "iam", "Role")) {
    return [
      ...read(props.assumeRolePolicy, "assumeRolePolicy", "trust"),
      ...list(props.inlinePolicies).flatMap((inline, index) =>
        read(record(inline).policy, `inlinePolicies[${index}].policy`, "identity"),
      ),
    ];
  }
  if (isAws(resource, "kms", "Key") || isAws(resource, "kms", "KeyPolicy")) {
    return read(props.policy, "policy", "key");
  }
  return isAws(resource, "s3", "BucketPolicy") || isAws(resource, "s3", "Bucket")
    ? read(props.policy, "policy", "bucket")
    : [];
}

/** Principals that stand for everybody. */
export function isEverybody(principal: string): boolean {
  return principal === "*" || principal === "AWS:*";
}

function read(value: unknown, at: string, kind: Document["kind"]): Document[] {
  if (value === undefined || value === null || value === UNKNOWN || value === "") {
    return [];
  }
  let parsed: unknown = value;
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value);
    } catch (error) {
      return [{ statements: [], at, kind, broken: (error as Error).message }];
    }
  }
  const statements = list(record(parsed).Statement).map((statement) => {
    const of = record(statement);
    return {
      effect: String(of.Effect),
      actions: texts(of.Action),
      notActions: texts(of.NotAction),
      resources: texts(of.Resource),
      // Everybody but those that are named: as good as everybody.
      principals: of.NotPrincipal === undefined ? principalsOf(of.Principal) : ["*"],
      condition: record(of.Condition),
    };
  });
  return statements.length > 0
    ? [{ statements, at, kind }]
    : [{ statements, at, kind, broken: "it has no Statement" }];
}

function texts(value: unknown): string[] {
  return list(value).map(String);
}

function principalsOf(value: unknown): string[] {
  return typeof value === "string"
    ? [value]
    : Object.entries(record(value)).flatMap(([kind, who]) =>
        texts(who).map((name) => `${kind}:${name}`),
      );
}

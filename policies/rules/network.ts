import { isAws, isTrue, isUnknown, list, PolicyResource, record, Rule, UNKNOWN } from "./model";

/** What may be let in, each at one port. */
export const INGRESS: readonly {
  protocol: "tcp" | "udp";
  port: number;
  /** From where: a private CIDR or a security group, or a security group only. */
  from: "private" | "group";
  what: string;
}[] = [
  { protocol: "tcp", port: 53, from: "private", what: "DNS chained between the clusters" },
  {
    protocol: "tcp",
    port: 9200,
    from: "private",
    what: "Elasticsearch, for the other region's exporters",
  },
  { protocol: "tcp", port: 26500, from: "private", what: "Zeebe gateway" },
  { protocol: "tcp", port: 26501, from: "private", what: "Zeebe brokers, commands" },
  {
    protocol: "tcp",
    port: 26502,
    from: "private",
    what: "Zeebe brokers, replication and membership",
  },
  { protocol: "udp", port: 26502, from: "private", what: "Zeebe brokers, membership gossip" },
  { protocol: "tcp", port: 30053, from: "group", what: "NodePort of DNS, from the NLB only" },
];

const LISTED = INGRESS.map(({ protocol, port }) => `${protocol} ${port}`).join(", ");

/** One permission of a security group. */
interface Permission {
  at: string;
  protocol: unknown;
  from: unknown;
  to: unknown;
  cidrs: unknown[];
  others: unknown[];
  groups: unknown[];
}

/** The list is what Camunda needs between the regions, and nothing else. */
export const ingressListed: Rule = {
  kind: "resource",
  name: "ingress-listed",
  description: `Security groups let in no more than ${LISTED}, and nothing from the internet.`,
  level: "mandatory",
  check: (resource) => permissionsOf(resource).flatMap(problemsOf),
};

/** A load balancer here carries DNS between the regions. */
export const loadBalancerInternal: Rule = {
  kind: "resource",
  name: "load-balancer-internal",
  description: "A load balancer made here is internal.",
  level: "mandatory",
  check: (resource) =>
    ["lb", "alb"].some((module) => isAws(resource, module, "LoadBalancer")) &&
    !isTrue(resource.props.internal) &&
    !isUnknown(resource.props.internal)
      ? ["internal is not true: the DNS of the cluster would answer to the internet; set it"]
      : [],
};

const INTERNAL: Record<string, RegExp> = {
  "service.beta.kubernetes.io/aws-load-balancer-internal": /^true$/,
  "service.beta.kubernetes.io/aws-load-balancer-scheme": /^internal$/,
  "networking.gke.io/load-balancer-type": /^Internal$/i,
  "cloud.google.com/load-balancer-type": /^Internal$/i,
  "service.beta.kubernetes.io/azure-load-balancer-internal": /^true$/,
};

/** Advisory: a cloud that is not listed, or a cluster on premises, may be internal without an annotation. */
export const serviceInternal: Rule = {
  kind: "resource",
  name: "service-internal",
  description: "A Service of type LoadBalancer asks for an internal one.",
  level: "advisory",
  check(resource) {
    const { type, props } = resource;
    if (type !== "kubernetes:core/v1:Service" || record(props.spec).type !== "LoadBalancer") {
      return [];
    }
    const { annotations } = record(props.metadata);
    const internal = Object.entries(record(annotations)).some(([key, value]) =>
      INTERNAL[key]?.test(String(value)),
    );
    return internal || isUnknown(annotations)
      ? []
      : [
          "is of type LoadBalancer without an annotation of a known cloud for an internal one: set dns.annotations, or see that the address is private",
        ];
  },
};

/** Advisory: an operator may need to reach a cluster from anywhere, and authentication still stands. */
export const eksEndpointOpen: Rule = {
  kind: "resource",
  name: "eks-endpoint-open",
  description: "The public endpoint of an EKS cluster answers to known networks only.",
  level: "advisory",
  check(resource) {
    if (!isAws(resource, "eks", "Cluster")) {
      return [];
    }
    const { endpointPublicAccess, publicAccessCidrs } = record(resource.props.vpcConfig);
    const cidrs = list(publicAccessCidrs);
    // AWS's defaults: public, from everywhere.
    return endpointPublicAccess === false ||
      isUnknown(publicAccessCidrs) ||
      (cidrs.length > 0 && !cidrs.includes("0.0.0.0/0"))
      ? []
      : [
          "the Kubernetes API is reachable from 0.0.0.0/0: list the networks of your operators in apiAccessCidrs, or set it to []",
        ];
  },
};

function permissionsOf(resource: PolicyResource): Permission[] {
  const { props } = resource;
  if (isAws(resource, "vpc", "SecurityGroupIngressRule")) {
    return [
      {
        at: "",
        protocol: props.ipProtocol,
        from: props.fromPort,
        to: props.toPort,
        cidrs: list(props.cidrIpv4),
        others: [...list(props.cidrIpv6), ...list(props.prefixListId)],
        groups: list(props.referencedSecurityGroupId),
      },
    ];
  }
  if (isAws(resource, "ec2", "SecurityGroupRule")) {
    return props.type === "ingress" ? [inline("", props)] : [];
  }
  return isAws(resource, "ec2", "SecurityGroup") || isAws(resource, "ec2", "DefaultSecurityGroup")
    ? list(props.ingress)
        .filter((rule) => !isUnknown(rule))
        .map((rule, index) => inline(`ingress[${index}] `, record(rule)))
    : [];
}

function inline(at: string, rule: Record<string, unknown>): Permission {
  return {
    at,
    protocol: rule.protocol,
    from: rule.fromPort,
    to: rule.toPort,
    cidrs: list(rule.cidrBlocks),
    others: [...list(rule.ipv6CidrBlocks), ...list(rule.prefixListIds)],
    groups: [
      ...list(rule.securityGroups),
      ...list(rule.sourceSecurityGroupId),
      ...(isTrue(rule.self) ? ["itself"] : []),
    ],
  };
}

function problemsOf(permission: Permission): string[] {
  const { at, protocol, from, to, cidrs, others, groups } = permission;
  const open = cidrs.filter((cidr) => cidr !== UNKNOWN && !isPrivate(String(cidr))).map(String);
  const problems = [...open, ...others.filter((it) => it !== UNKNOWN).map(String)].map(
    (source) =>
      `${at}lets in ${source}: only private IPv4 networks and security groups may be let in; use the CIDR of the other region's VPC`,
  );
  if ([protocol, from, to].includes(UNKNOWN)) {
    return problems;
  }
  const name = `${String(protocol)} ${from === to ? String(from) : `${String(from)}-${String(to)}`}`;
  const listed = INGRESS.find(
    (entry) =>
      [entry.protocol, entry.protocol === "tcp" ? "6" : "17"].includes(String(protocol)) &&
      Number(from) === entry.port &&
      Number(to) === entry.port,
  );
  if (listed === undefined) {
    return [
      ...problems,
      `${at}opens ${name}: the list has ${LISTED}; remove it, or one port of the list alone`,
    ];
  }
  if (listed.from === "group" && (cidrs.length > 0 || groups.length === 0)) {
    problems.push(
      `${at}opens ${name} to addresses: it is for the NLB's security group only; reference that`,
    );
  }
  return problems;
}

const PRIVATE: readonly [number, number][] = [
  [10 * 2 ** 24, 8],
  [(172 * 256 + 16) * 2 ** 16, 12],
  [(192 * 256 + 168) * 2 ** 16, 16],
  [(100 * 256 + 64) * 2 ** 16, 10],
];

function isPrivate(cidr: string): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)?.slice(1).map(Number);
  if (parts === undefined) {
    return false;
  }
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = parts;
  const base = ((a * 256 + b) * 256 + c) * 256 + d;
  return PRIVATE.some(
    ([start, size]) => bits >= size && base >= start && base < start + 2 ** (32 - size),
  );
}

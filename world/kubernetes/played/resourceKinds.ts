import { isRecord } from "../../../components/base/json";
import type { Properties } from "../../pulumi/properties";
import { blockProblem } from "./policies";

/** A kind of objects that programs declare, and what the API refuses of it. */
export interface ResourceKind {
  kind: string;
  apiVersion: string;
  /** Whether the resource changes some fields of an object that is somebody else's. */
  patch?: true;
  /** Fields of which a change makes the object anew. */
  replaces?: readonly string[];
  /** What is wrong with the fields. */
  problems?(inputs: Properties): Iterable<string>;
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The kinds by the type tokens of `@pulumi/kubernetes`. */
export const RESOURCE_KINDS: Record<string, ResourceKind> = {
  "kubernetes:core/v1:Namespace": { kind: "Namespace", apiVersion: "v1" },
  "kubernetes:core/v1:Secret": {
    kind: "Secret",
    apiVersion: "v1",
    replaces: ["data", "stringData", "type"],
    problems: (inputs) => texts(inputs, "stringData"),
  },
  "kubernetes:core/v1:ConfigMap": {
    kind: "ConfigMap",
    apiVersion: "v1",
    replaces: ["data"],
    problems: (inputs) => texts(inputs, "data"),
  },
  "kubernetes:core/v1:ConfigMapPatch": {
    kind: "ConfigMap",
    apiVersion: "v1",
    patch: true,
    problems: (inputs) => texts(inputs, "data"),
  },
  "kubernetes:core/v1:Service": {
    kind: "Service",
    apiVersion: "v1",
    problems: serviceProblems,
  },
  "kubernetes:storage.k8s.io/v1:StorageClass": {
    kind: "StorageClass",
    apiVersion: "storage.k8s.io/v1",
    replaces: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
  },
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    problems: policyProblems,
  },
};

/** What is wrong with an object, as the API server says it. */
export function problemsOf(resource: ResourceKind, inputs: Properties): string[] {
  const name = isRecord(inputs.metadata) ? inputs.metadata.name : undefined;
  const problems = [...(resource.problems?.(inputs) ?? [])];
  if (typeof name === "string") {
    const [pattern, what] =
      resource.kind === "Service"
        ? [LABEL_1035, "a DNS-1035 label"]
        : resource.kind === "Namespace"
          ? [LABEL, "a lowercase RFC 1123 label"]
          : [SUBDOMAIN, "a lowercase RFC 1123 subdomain"];
    if (!pattern.test(name)) {
      problems.push(`metadata.name: Invalid value: "${name}": must be ${what}`);
    }
  }
  return problems;
}

function* texts(inputs: Properties, field: string): Iterable<string> {
  for (const [key, item] of Object.entries(inputs[field] ?? {})) {
    if (typeof item !== "string") {
      yield `.${field}.${key}: expected string, got ${typeof item}`;
    }
  }
}

function* serviceProblems({ spec }: Properties): Iterable<string> {
  const { ports, type } = isRecord(spec) ? spec : {};
  if (!Array.isArray(ports) || ports.length === 0) {
    yield "spec.ports: Required value";
    return;
  }
  for (const [index, one] of ports.entries()) {
    const { port, nodePort, name, protocol } = one as Record<string, unknown>;
    if (!isPortNumber(port)) {
      yield `spec.ports[${index}].port: Invalid value: ${String(port)}: must be between 1 and 65535, inclusive`;
    }
    if (ports.length > 1 && name === undefined) {
      yield `spec.ports[${index}].name: Required value`;
    }
    if (protocol !== undefined && !["TCP", "UDP", "SCTP"].includes(String(protocol))) {
      yield `spec.ports[${index}].protocol: Unsupported value: "${String(protocol)}"`;
    }
    if (nodePort !== undefined && (type === undefined || type === "ClusterIP")) {
      yield `spec.ports[${index}].nodePort: Forbidden: may not be used when \`type\` is 'ClusterIP'`;
    }
    if (nodePort !== undefined && !(Number(nodePort) >= 30000 && Number(nodePort) <= 32767)) {
      yield `spec.ports[${index}].nodePort: Invalid value: ${String(nodePort)}: provided port is not in the valid range. The range of valid ports is 30000-32767`;
    }
  }
}

function isPortNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535;
}

function* policyProblems({ spec }: Properties): Iterable<string> {
  const { policyTypes, ingress = [], egress = [] } = spec as Record<string, unknown[] | undefined>;
  for (const type of policyTypes ?? []) {
    if (type !== "Ingress" && type !== "Egress") {
      yield `spec.policyTypes: Unsupported value: "${String(type)}": supported values: "Egress", "Ingress"`;
    }
  }
  const peers = [
    ...ingress.flatMap((rule) => (rule as { from?: unknown[] }).from ?? []),
    ...egress.flatMap((rule) => (rule as { to?: unknown[] }).to ?? []),
  ];
  for (const peer of peers.filter(isRecord)) {
    if (peer.ipBlock !== undefined && Object.keys(peer).length > 1) {
      yield "ipBlock: Forbidden: may not specify both ipBlock and another peer";
    }
    const problem = blockProblem(peer.ipBlock);
    if (problem !== undefined) {
      yield `ipBlock.cidr: Invalid value: ${problem}`;
    }
  }
}

import { isRecord } from "../../../components/base/json";
import { parseCidr, within } from "../../../components/base/cidr";
import type { KubeObject, ObjectStore } from "./objects";

/** The other end of a connection, as a policy of this cluster sees it. */
export interface OtherEnd {
  address: string;
  /** The pod, when it is one of the same cluster. */
  pod?: KubeObject;
}

interface Rule {
  from?: unknown[];
  to?: unknown[];
  ports?: unknown[];
}

/**
 * Whether the NetworkPolicies of a cluster let a pod connect, or be connected to. A pod that no policy
 * selects is open; of those that select it, any may allow it: policies add up.
 */
export function policiesAllow(
  store: ObjectStore,
  pod: KubeObject,
  direction: "Ingress" | "Egress",
  other: OtherEnd,
  port: number,
  protocol: "tcp" | "udp",
): boolean {
  const policies = store.list("NetworkPolicy", pod.metadata.namespace).filter(({ spec }) => {
    const { podSelector, policyTypes, egress } = spec as {
      podSelector?: unknown;
      policyTypes?: string[];
      egress?: unknown;
    };
    const types = policyTypes ?? ["Ingress", ...(egress === undefined ? [] : ["Egress"])];
    return types.includes(direction) && selects(podSelector, pod.metadata.labels);
  });
  return (
    policies.length === 0 ||
    policies.some(({ spec }) => {
      const rules = (spec as Record<string, Rule[] | undefined>)[direction.toLowerCase()] ?? [];
      return rules.some((rule) => {
        const peers = direction === "Ingress" ? rule.from : rule.to;
        return (
          ((peers ?? []).length === 0 ||
            (peers ?? []).some((peer) => matches(store, peer, pod, other))) &&
          ((rule.ports ?? []).length === 0 ||
            (rule.ports ?? []).some((one) => isPort(one, port, protocol)))
        );
      });
    })
  );
}

/** Whether a label selector selects. An empty one selects everything, none at all nothing. */
export function selects(selector: unknown, labels: Record<string, string> = {}): boolean {
  if (!isRecord(selector)) {
    return false;
  }
  const { matchLabels = {}, matchExpressions = [] } = selector as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          throw new Error(`"${operator}" is not a valid label selector operator`);
      }
    })
  );
}

function matches(store: ObjectStore, peer: unknown, own: KubeObject, other: OtherEnd): boolean {
  if (!isRecord(peer)) {
    return false;
  }
  if (isRecord(peer.ipBlock)) {
    const { cidr, except = [] } = peer.ipBlock as { cidr: string; except?: string[] };
    const address = `${other.address}/32`;
    return within(address, cidr) && !except.some((block) => within(address, block));
  }
  // Selectors know the pods of their own cluster only.
  if (other.pod === undefined) {
    return false;
  }
  const { namespaceSelector, podSelector } = peer;
  const namespace = other.pod.metadata.namespace;
  const sameNamespace =
    namespaceSelector === undefined
      ? namespace === own.metadata.namespace
      : selects(
          namespaceSelector,
          store.get("Namespace", undefined, namespace ?? "")?.metadata.labels,
        );
  return (
    sameNamespace && (podSelector === undefined || selects(podSelector, other.pod.metadata.labels))
  );
}

function isPort(one: unknown, port: number, protocol: "tcp" | "udp"): boolean {
  const {
    port: from,
    endPort,
    protocol: wanted = "TCP",
  } = one as {
    port?: number | string;
    endPort?: number;
    protocol?: string;
  };
  if (wanted.toLowerCase() !== protocol) {
    return false;
  }
  return from === undefined || (port >= Number(from) && port <= (endPort ?? Number(from)));
}

/** What is wrong with a block of addresses in a policy; undefined when nothing is. */
export function blockProblem(block: unknown): string | undefined {
  if (!isRecord(block)) {
    return undefined;
  }
  const { cidr, except = [] } = block as { cidr?: string; except?: string[] };
  const wrong = [cidr ?? "", ...except].find((one) => parseCidr(one) === undefined);
  if (wrong !== undefined) {
    return `"${wrong}" must be a valid CIDR value, e.g. 10.9.8.0/24`;
  }
  const outside = except.find((one) => !within(one, cidr ?? "") || one === cidr);
  return outside === undefined ? undefined : `"${outside}" must be a strict subset of \`cidr\``;
}

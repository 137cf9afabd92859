import { shortened } from "./bounded";

/** A cluster whose Kubernetes API is asked: an EKS cluster, or a context of the user's kubeconfig. */
export type ClusterAddress =
  { kind: "eks"; awsRegion: string; cluster: string } | { kind: "kubernetes"; context: string };

/** A port of a pod, or of one of the pods behind a Service, and a path of what listens there. */
export interface KubernetesAddress {
  cluster: ClusterAddress;
  namespace: string;
  kind: "pod" | "service";
  name: string;
  /** Of the pod, or of the Service: what it leads to on its pods is the Service's to say. */
  port: number;
  /** Begins with a slash, or is empty; the query belongs to it. */
  path: string;
}

const SCHEMES = ["eks", "kubernetes"] as const;

const FORMS = {
  eks: "eks://AWS-REGION/CLUSTER/NAMESPACE/pod|service/NAME/PORT",
  kubernetes: "kubernetes://CONTEXT/NAMESPACE/pod|service/NAME/PORT",
};

// What Kubernetes accepts as a namespace, and as the name of a pod or of a Service.
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
// What AWS accepts as the name of a region and of an EKS cluster.
const AWS_REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
const EKS_CLUSTER = /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/;

/** Whether a URL leads through the Kubernetes API of a cluster, by its scheme alone. */
export function isKubernetesUrl(url: string): boolean {
  return SCHEMES.some((scheme) => url.startsWith(`${scheme}://`));
}

/**
 * Reads `eks://<aws region>/<cluster>/<namespace>/<pod|service>/<name>/<port>[/path]`, or
 * `kubernetes://<percent-encoded context>/<namespace>/<pod|service>/<name>/<port>[/path]`.
 *
 * @throws Error with one line that says what is wrong with it and what the form is
 */
export function parseKubernetesAddress(url: string): KubernetesAddress {
  const scheme = SCHEMES.find((candidate) => url.startsWith(`${candidate}://`));
  if (scheme === undefined) {
    throw new Error(
      `"${url}" is not an address in a Kubernetes cluster: it begins with ${SCHEMES.map((s) => `${s}://`).join(" or ")}`,
    );
  }
  const wrong = (problem: string) => new Error(`${problem}; the form is ${FORMS[scheme]}`);
  const rest = url.slice(`${scheme}://`.length);
  const clusterParts = scheme === "eks" ? 2 : 1;
  const query = rest.search(/[?#]/);
  const parts = (query < 0 ? rest : rest.slice(0, query)).split("/");
  const [namespace = "", kind = "", name = "", port = ""] = parts.slice(clusterParts);
  const cluster = scheme === "eks" ? eksCluster(parts, wrong) : contextCluster(parts, wrong);
  if (!LABEL.test(namespace)) {
    throw wrong(`the namespace is ${said(namespace)}`);
  }
  if (kind !== "pod" && kind !== "service") {
    throw wrong(`${said(kind)} is neither pod nor service`);
  }
  if (!SUBDOMAIN.test(name)) {
    throw wrong(`the name of the ${kind} is ${said(name)}`);
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw wrong(`the port is ${said(port)}`);
  }
  const before = parts.slice(0, clusterParts + 4).join("/");
  return { cluster, namespace, kind, name, port: Number(port), path: rest.slice(before.length) };
}

/** A part as a message quotes it, of a long one the beginning. */
function said(part: string): string {
  return `"${shortened(part, 16)}"`;
}

function eksCluster(parts: string[], wrong: (problem: string) => Error): ClusterAddress {
  const [awsRegion = "", cluster = ""] = parts;
  if (!AWS_REGION.test(awsRegion)) {
    throw wrong(`the AWS region is ${said(awsRegion)}`);
  }
  if (!EKS_CLUSTER.test(cluster)) {
    throw wrong(`the cluster is ${said(cluster)}`);
  }
  return { kind: "eks", awsRegion, cluster };
}

function contextCluster(parts: string[], wrong: (problem: string) => Error): ClusterAddress {
  const encoded = parts[0] ?? "";
  let context: string;
  try {
    context = decodeURIComponent(encoded);
  } catch {
    throw wrong(`the context ${said(encoded)} is not percent-encoded`);
  }
  if (context === "") {
    throw wrong("there is no context");
  }
  return { kind: "kubernetes", context };
}

/** A cluster in a person's words: `EKS cluster NAME in REGION`, or `context NAME`. */
export function describeCluster(cluster: ClusterAddress): string {
  return cluster.kind === "eks"
    ? `EKS cluster ${cluster.cluster} in ${cluster.awsRegion}`
    : `context ${cluster.context}`;
}

/** An address in a person's words: `pod/NAME:PORT/path in namespace NAMESPACE of CLUSTER`. */
export function describeAddress(address: KubernetesAddress): string {
  const { cluster, namespace, kind, name, port, path } = address;
  return `${kind}/${name}:${port}${path} in namespace ${namespace} of ${describeCluster(cluster)}`;
}

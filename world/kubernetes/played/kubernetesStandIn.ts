import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../../components/base/json";
import type { KubeObject } from "./objects";
import { compare, Diff, hasUnknown, Properties, UNKNOWN, record } from "../../pulumi/properties";
import type { Outages } from "../../pulumi/outages";
import {
  Call,
  Failure,
  Method,
  PartialFailure,
  RecordedResource,
  StandIn,
} from "../../pulumi/standIn";
import type { RegionCluster } from "./cluster";
import { problemsOf, RESOURCE_KINDS, ResourceKind } from "./resourceKinds";

const UNREACHABLE = "configured Kubernetes cluster is unreachable";
const WHY_UNREACHABLE =
  "unable to load schema information from the API server: dial tcp: connect: connection refused";

const RELEASE = "kubernetes:helm.sh/v3:Release";

/** Where a configuration of the provider leads to. */
export interface Located {
  /** Name of the region for outages. */
  region: string;
  /** Undefined when nothing answers there. */
  cluster: RegionCluster | undefined;
}

/** What differs between worlds. */
export interface KubernetesStandInOptions {
  /** The cluster that a kubeconfig and a context name; undefined when they name none that is known. */
  locate(kubeconfig: string | undefined, context: string | undefined): Located | undefined;
  /** Addresses that a Service of type LoadBalancer is given. Without any it is waited for. */
  loadBalancer(cluster: RegionCluster, service: KubeObject): string[];
  /** Repositories of charts that do not answer, by their address, or a chart's own (`oci:`). */
  outages: Outages;
}

/**
 * A stand-in for the plugin of `@pulumi/kubernetes`: writes objects into the cluster that the provider's
 * kubeconfig names, and refuses what the API server would refuse. Helm releases start what they are.
 */
export class KubernetesStandIn implements StandIn {
  readonly package = "kubernetes";
  readonly version = "4.34.2";
  readonly asksWhenConfigured = true;
  // Only inputs are compared: an API that does not answer is not asked.
  readonly local: readonly Method[] = ["check", "diff", "preview"];

  constructor(private readonly options: KubernetesStandInOptions) {}

  regionOf(config: Properties): string | undefined {
    return this.located(config)?.region;
  }

  /** What the API server refuses is found out by asking it, not here. */
  check(call: Call, inputs: Properties): { failures?: Failure[]; inputs?: Properties } {
    return call.type === RELEASE ? { failures: this.chartProblems(inputs), inputs } : { inputs };
  }

  diff(call: Call, _id: string, old: RecordedResource, inputs: Properties): Diff {
    if (call.type === RELEASE) {
      return compare(old.inputs, inputs, { replaces: ["name", "namespace"] });
    }
    const { kind, replaces } = RESOURCE_KINDS[call.type] ?? {};
    const mutable = kind === "ConfigMap" && String(call.config.enableConfigMapMutable) === "true";
    const diff = compare(old.inputs, inputs, { replaces: mutable ? [] : replaces });
    for (const [path, change] of Object.entries(diff.changes)) {
      if (path === "metadata.name" || path === "metadata.namespace") {
        change.replace = true;
      }
    }
    // Of an object whose name stays there cannot be two.
    const renamed = diff.changes["metadata.name"] ?? diff.changes["metadata.namespace"];
    return { ...diff, deleteBeforeReplace: renamed === undefined };
  }

  preview(call: Call, inputs: Properties): Properties {
    return call.type === RELEASE
      ? { ...inputs, status: UNKNOWN, resourceNames: UNKNOWN }
      : { ...inputs, status: UNKNOWN };
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    known(call, inputs);
    const cluster = this.cluster(call);
    if (call.type === RELEASE) {
      const rendering = renderingOf(inputs);
      await cluster.install(chartOf(inputs), rendering);
      return {
        id: `${rendering.namespace}/${rendering.release}`,
        outputs: releaseOutputs(cluster, inputs, rendering),
      };
    }
    const resource = kindOf(call);
    const object = objectOf(resource, inputs);
    const { kind, metadata } = object;
    this.admit(cluster, call, object);
    if (resource.patch) {
      patchData(cluster, object, {});
    } else {
      adopt(cluster.store.get(kind, metadata.namespace, metadata.name), object);
      await this.put(cluster, call, object);
    }
    return { id: idOf(object), outputs: this.outputs(cluster, object, inputs) };
  }

  read(
    call: Call,
    id: string,
    old: RecordedResource,
  ): (RecordedResource & { id?: string }) | undefined {
    const cluster = this.cluster(call);
    const { namespace, name } = partsOf(id);
    if (call.type === RELEASE) {
      const release = cluster.release(namespace ?? "default", name);
      return release === undefined ? undefined : old;
    }
    const resource = kindOf(call);
    const found = cluster.store.get(resource.kind, namespace, name);
    if (found === undefined) {
      return undefined;
    }
    const inputs = Object.fromEntries(
      Object.entries(old.inputs).map(([key, value]) => [
        key,
        ["metadata", "apiVersion", "kind", "stringData"].includes(key) || resource.patch
          ? value
          : found[key],
      ]),
    );
    return { inputs, outputs: { ...old.outputs, ...found } };
  }

  async update(
    call: Call,
    id: string,
    old: RecordedResource,
    inputs: Properties,
  ): Promise<Properties> {
    known(call, inputs);
    const cluster = this.cluster(call);
    if (call.type === RELEASE) {
      const rendering = renderingOf(inputs);
      await cluster.upgrade(chartOf(inputs), rendering);
      return releaseOutputs(cluster, inputs, rendering);
    }
    const resource = kindOf(call);
    const object = objectOf(resource, inputs);
    const { namespace, name } = partsOf(id);
    if (cluster.store.get(resource.kind, namespace, name) === undefined) {
      throw new Error(`${resource.kind.toLowerCase()}s "${name}" not found`);
    }
    this.admit(cluster, call, object);
    if (resource.patch) {
      patchData(cluster, object, record(old.inputs.data));
    } else {
      await this.put(cluster, call, object);
    }
    return this.outputs(cluster, object, inputs);
  }

  async delete(call: Call, id: string, old: RecordedResource): Promise<void> {
    const cluster = this.cluster(call);
    const { namespace, name } = partsOf(id);
    if (call.type === RELEASE) {
      await cluster.uninstall(namespace ?? "default", name);
      return;
    }
    const resource = kindOf(call);
    if (resource.patch) {
      const object = objectOf(resource, old.inputs);
      if (cluster.store.get("ConfigMap", namespace, name) === undefined) {
        return;
      }
      patchData(cluster, { ...object, data: {} }, record(old.inputs.data));
    } else if (resource.kind === "Namespace") {
      await cluster.removeNamespace(name);
    } else {
      cluster.store.remove(resource.kind, namespace, name);
    }
  }

  invoke(call: Call): never {
    throw new Error(`no stand-in for the function ${call.type}`);
  }

  private located(config: Properties): Located | undefined {
    const { kubeconfig, context } = config;
    if (kubeconfig === UNKNOWN || context === UNKNOWN) {
      return undefined;
    }
    return this.options.locate(
      kubeconfig === undefined ? undefined : String(kubeconfig),
      context === undefined ? undefined : String(context),
    );
  }

  private cluster(call: Call): RegionCluster {
    const cluster = this.located(call.config)?.cluster;
    if (cluster === undefined) {
      throw new Error(`${UNREACHABLE}: ${WHY_UNREACHABLE}`);
    }
    return cluster;
  }

  /** What the API server refuses for what else there is in the cluster. */
  private admit({ store }: RegionCluster, call: Call, object: KubeObject): void {
    const { kind, metadata } = object;
    const { namespace } = metadata;
    if (namespace !== undefined && store.get("Namespace", undefined, namespace) === undefined) {
      throw new Error(`namespaces "${namespace}" not found`);
    }
    const [problem] = problemsOf(kindOf(call), object as unknown as Properties);
    if (problem !== undefined) {
      throw new Error(`${kind} "${metadata.name}" is invalid: ${problem}`);
    }
    const nodePorts = nodePortsOf(object);
    const taken = store
      .list("Service")
      .filter((s) => idOf(s) !== idOf(object))
      .flatMap(nodePortsOf)
      .find((port) => nodePorts.includes(port));
    if (taken !== undefined) {
      throw new Error(
        `Service "${metadata.name}" is invalid: spec.ports[0].nodePort: Invalid value: ${taken}: provided port is already allocated`,
      );
    }
  }

  /** What Helm says when it cannot load the chart, which the real provider does for every look at a release. */
  private chartProblems(inputs: Properties): Failure[] {
    const { chart, repositoryOpts } = inputs;
    if (typeof chart !== "string" || hasUnknown(inputs)) {
      return [];
    }
    const repository = record(repositoryOpts).repo ?? chart;
    const reason = /^[./]/.test(chart)
      ? existsSync(chart)
        ? undefined
        : `path "${chart}" not found`
      : this.options.outages.has(String(repository))
        ? `looks like "${String(repository)}" is not a valid chart repository or cannot be reached`
        : undefined;
    return reason === undefined
      ? []
      : [
          {
            property: "chart",
            reason: `${reason}; check the chart name and repository configuration.`,
          },
        ];
  }

  whenLost(method: Method, { type }: Call): Error {
    const release = type === RELEASE && (method === "create" || method === "delete");
    return new Error(
      `${release ? `can't ${method} Helm Release with unreachable cluster` : UNREACHABLE}: ${WHY_UNREACHABLE}`,
    );
  }

  private async put(cluster: RegionCluster, call: Call, object: KubeObject): Promise<void> {
    const isBalancer = object.kind === "Service" && record(object.spec).type === "LoadBalancer";
    const addresses = isBalancer ? this.options.loadBalancer(cluster, object) : [];
    const { stringData, ...rest } = object;
    cluster.store.apply({
      ...rest,
      ...(object.kind === "Secret"
        ? { data: { ...record(object.data), ...encoded(record(stringData)) } }
        : {}),
      ...(isBalancer && addresses.length > 0
        ? { status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } } }
        : {}),
    });
    if (isBalancer && addresses.length === 0) {
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      throw new PartialFailure(
        `Resource operation was cancelled for "${object.metadata.name}"`,
        idOf(object),
        this.outputs(cluster, object, {}),
      );
    }
  }

  private outputs({ store }: RegionCluster, object: KubeObject, inputs: Properties): Properties {
    const { kind, metadata } = object;
    const live = store.get(kind, metadata.namespace, metadata.name);
    return {
      ...inputs,
      metadata: {
        ...metadata,
        uid: live?.metadata.uid,
        resourceVersion: live?.metadata.resourceVersion,
      },
      ...(live?.status === undefined ? {} : { status: live.status }),
    };
  }
}

function kindOf({ type }: Call): ResourceKind {
  const resource = RESOURCE_KINDS[type];
  if (resource === undefined) {
    throw new Error(`no stand-in for ${type}`);
  }
  return resource;
}

function known(call: Call, inputs: Properties): void {
  if (hasUnknown(inputs)) {
    throw new Error(`${call.name} has inputs that are not known`);
  }
}

function objectOf(resource: ResourceKind, inputs: Properties): KubeObject {
  const metadata = record(inputs.metadata) as unknown as KubeObject["metadata"];
  return {
    ...inputs,
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      ...metadata,
      ...(resource.kind === "Namespace"
        ? { labels: { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name } }
        : {}),
    },
  };
}

function idOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

function partsOf(id: string): { namespace: string | undefined; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined
    ? { namespace: undefined, name: first }
    : { namespace: first, name: second };
}

function encoded(texts: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text)).toString("base64")]),
  );
}

function nodePortsOf(service: KubeObject): number[] {
  const { ports = [] } = record(service.spec) as { ports?: { nodePort?: number }[] };
  return ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [nodePort]));
}

/**
 * Server-side apply of some keys of a ConfigMap: those that were owned and are no longer given go. A key of
 * somebody else's is not taken.
 */
function patchData(
  { store }: RegionCluster,
  object: KubeObject,
  owned: Record<string, unknown>,
): void {
  const { namespace, name } = object.metadata;
  const existing = store.get("ConfigMap", namespace, name);
  const before = record(existing?.data);
  const wanted = record(object.data);
  const foreign = Object.entries(wanted).find(
    ([key, value]) => before[key] !== undefined && !(key in owned) && before[key] !== value,
  );
  if (foreign !== undefined) {
    throw new Error(conflict(object, `.data.${foreign[0]}`));
  }
  const kept = Object.entries(before).filter(([key]) => !(key in owned));
  store.apply({
    ...(existing ?? object),
    metadata: existing?.metadata ?? object.metadata,
    data: { ...Object.fromEntries(kept), ...wanted },
  });
}

/**
 * What server-side apply does to an object that is there: it takes it over, but for fields that others have
 * written with another value, unless it is told to take these too.
 */
function adopt(existing: KubeObject | undefined, object: KubeObject): void {
  if (record(object.metadata.annotations)["pulumi.com/patchForce"] === "true") {
    return;
  }
  for (const field of ["spec", "data"]) {
    const path = existing && differing(existing[field], object[field], `.${field}`);
    if (path !== undefined) {
      throw new Error(conflict(object, path));
    }
  }
}

/** The first place at which a value is another than the wished one. */
function differing(value: unknown, wanted: unknown, path: string): string | undefined {
  if (!isRecord(value) || !isRecord(wanted)) {
    return value === undefined || wanted === undefined || isDeepStrictEqual(value, wanted)
      ? undefined
      : path;
  }
  for (const [key, item] of Object.entries(wanted)) {
    const found = differing(value[key], item, `${path}.${key}`);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function conflict({ metadata }: KubeObject, path: string): string {
  return `Server-Side Apply field conflict detected. The resource managed by field manager "pulumi-kubernetes" had an apply conflict: Apply failed with 1 conflict: conflict with "somebody-else" using v1: ${path} of ${metadata.name}`;
}

function chartOf(inputs: Properties): string {
  return String(inputs.chart);
}

function renderingOf(inputs: Properties) {
  return {
    release: String(inputs.name),
    namespace: String(inputs.namespace),
    values: record(inputs.values),
  };
}

function releaseOutputs(
  cluster: RegionCluster,
  inputs: Properties,
  { release: name, namespace }: { release: string; namespace: string },
): Properties {
  const release = cluster.release(namespace, name);
  const byKind: Record<string, string[]> = {};
  for (const { kind, apiVersion, metadata } of release?.objects ?? []) {
    (byKind[`${kind}/${apiVersion}`] ??= []).push(`${namespace}/${metadata.name}`);
  }
  return {
    ...inputs,
    name,
    namespace,
    resourceNames: byKind,
    status: {
      name,
      namespace,
      revision: release?.revision,
      status: "deployed",
      chart: release?.chart,
      version: release?.version ?? inputs.version,
    },
  };
}

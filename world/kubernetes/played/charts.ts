import { isRecord } from "../../../components/base/json";
import type { BrokerInstallation } from "../../camunda/embedded";
import type { KubeObject } from "./objects";

/** What a Helm release is rendered with. */
export interface Rendering {
  /** Name of the release. */
  release: string;
  namespace: string;
  values: Record<string, unknown>;
  /** Version of the application, by the chart. */
  appVersion?: string;
}

/** A chart of Camunda, rendered: its objects, and what its brokers are configured with. */
export interface RenderedCamunda {
  objects: KubeObject[];
  brokers: BrokerInstallation;
}

/** A chart of Elasticsearch, rendered: its objects, and the S3 clients that its nodes are configured with. */
export interface RenderedElasticsearch {
  objects: KubeObject[];
  s3Clients: string[];
}

/** Values that a chart cannot be rendered with: `helm install` ends with this. */
export class ChartError extends Error {}

/**
 * Objects of chart camunda-platform 8.6 as `helm template` makes them, as far as anything here looks at
 * them. Values that the chart does not read change nothing, as with Helm.
 */
export function renderCamunda({
  release,
  namespace,
  values,
  appVersion,
}: Rendering): RenderedCamunda {
  const read = new Values(values);
  const zeebe = `${release}-zeebe`;
  const regions = read.integer("global.multiregion.regions", 1);
  const regionId = read.integer("global.multiregion.regionId", 0);
  const clusterSize = read.integer("zeebe.clusterSize", 3);
  const replicas = Math.floor(clusterSize / regions);
  const env = read.env("zeebe.env");
  const object = maker(release, namespace);
  const objects: KubeObject[] = [];
  if (read.flag("zeebe.enabled", true)) {
    objects.push(
      object("Service", zeebe, "zeebe-broker", {
        spec: {
          type: "ClusterIP",
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector: selector(release, "zeebe-broker"),
          ports: ports({ http: 9600, internal: 26502, command: 26501 }),
        },
      }),
      object("StatefulSet", zeebe, "zeebe-broker", {
        spec: {
          ...workload(release, "zeebe-broker", replicas, "zeebe", {
            http: 9600,
            internal: 26502,
            command: 26501,
          }),
          serviceName: zeebe,
          podManagementPolicy: "Parallel",
          volumeClaimTemplates: [claim("data", read.text("zeebe.pvcSize", "32Gi"))],
        },
      }),
      object("Service", `${zeebe}-gateway`, "zeebe-gateway", {
        spec: {
          type: "ClusterIP",
          clusterIP: "None",
          selector: selector(release, "zeebe-gateway"),
          ports: ports({ http: 9600, gateway: 26500, rest: 8080 }),
        },
      }),
      object("Deployment", `${zeebe}-gateway`, "zeebe-gateway", {
        spec: workload(
          release,
          "zeebe-gateway",
          read.integer("zeebeGateway.replicas", 2),
          "zeebe-gateway",
          { http: 9600, gateway: 26500, rest: 8080, internal: 26502 },
        ),
      }),
    );
  }
  if (read.flag("zeebe.enabled", true) && read.flag("zeebe.podDisruptionBudget.enabled", false)) {
    const least = read.integer("zeebe.podDisruptionBudget.minAvailable", 0);
    objects.push(
      object("PodDisruptionBudget", zeebe, "zeebe-broker", {
        spec: {
          ...(least > 0
            ? { minAvailable: least }
            : { maxUnavailable: read.integer("zeebe.podDisruptionBudget.maxUnavailable", 1) }),
          selector: { matchLabels: selector(release, "zeebe-broker") },
        },
      }),
    );
  }
  for (const app of ["operate", "tasklist"] as const) {
    if (read.flag(`${app}.enabled`, true)) {
      objects.push(...webApp(object, release, app));
    }
  }
  if (read.flag("elasticsearch.enabled", true)) {
    objects.push(
      ...renderElasticsearch({
        release: `${release}-elasticsearch`,
        namespace,
        values: read.record("elasticsearch"),
      }).objects,
    );
  }
  const nodeId = env.ZEEBE_BROKER_CLUSTER_NODEID;
  return {
    objects,
    brokers: {
      ...(appVersion === undefined ? {} : { version: appVersion }),
      nodeIds: Array.from({ length: replicas }, (_, ordinal) =>
        nodeId === undefined ? ordinal * regions + regionId : Number(nodeId),
      ),
      clusterSize: Number(env.ZEEBE_BROKER_CLUSTER_CLUSTERSIZE ?? clusterSize),
      partitionCount: Number(
        env.ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT ?? read.integer("zeebe.partitionCount", 3),
      ),
      replicationFactor: Number(
        env.ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR ?? read.integer("zeebe.replicationFactor", 3),
      ),
      contactPoints: (
        env.ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS ??
        Array.from(
          { length: replicas },
          (_, ordinal) => `${zeebe}-${ordinal}.${zeebe}.${namespace}.svc:26502`,
        ).join(",")
      )
        .split(",")
        .map((contactPoint) => contactPoint.trim()),
      exporters: exportersOf(env, read, release),
      restarts: read.flag("zeebe.livenessProbe.enabled", false),
      ...waitOf(waiting(values), `${zeebe}-0.${zeebe}.${namespace}.`),
    },
  };
}

/** Init containers and volumes of a broker's pod. */
export interface InitContainers {
  initContainers?: {
    name: string;
    command?: string[];
    volumeMounts?: { name: string; mountPath: string }[];
  }[];
  volumes?: { name: string; configMap?: { name: string } }[];
}

function waiting(values: Record<string, unknown>): InitContainers {
  const { initContainers, extraVolumes } = (values.zeebe ?? {}) as Record<string, never>;
  return { initContainers, volumes: extraVolumes };
}

/**
 * What the init container waits for: by which ConfigMap's file it knows whether it is to wait for the other
 * region, and whether it then waits for the first broker of its own.
 */
export function waitOf(
  { initContainers = [], volumes = [] }: InitContainers,
  firstBroker: string,
): Pick<BrokerInstallation, "waitsBy"> {
  const waiting = initContainers.find(({ name }) => name === "wait-for-peer");
  for (const { name, mountPath } of waiting?.volumeMounts ?? []) {
    const configMap = volumes.find((volume) => volume.name === name)?.configMap?.name;
    const key = new RegExp(`${mountPath}/([\\w-]+)`).exec(waiting?.command?.join(" ") ?? "")?.[1];
    if (configMap !== undefined && key !== undefined) {
      const firstAlone = waiting?.command?.some((text) => text.startsWith(firstBroker)) ?? false;
      return { waitsBy: { configMap, key, firstAlone } };
    }
  }
  return {};
}

/** The exporters that environment variables name. */
export function exportersNamed(env: Record<string, string>): BrokerInstallation["exporters"] {
  const exporters: BrokerInstallation["exporters"] = {};
  for (const [name, value] of Object.entries(env)) {
    const [, id, key] =
      /^ZEEBE_BROKER_EXPORTERS_([A-Z0-9]+)_(CLASSNAME|ARGS_URL)$/.exec(name) ?? [];
    if (id === undefined) {
      continue;
    }
    const exporter = (exporters[id.toLowerCase()] ??= { className: "", url: "" });
    if (key === "CLASSNAME") {
      exporter.className = value;
    } else {
      exporter.url = value;
    }
  }
  return exporters;
}

/** The exporters that environment variables name, and the stock one unless it is off. */
function exportersOf(
  env: Record<string, string>,
  read: Values,
  release: string,
): BrokerInstallation["exporters"] {
  const exporters = exportersNamed(env);
  const stock =
    read.flag("global.elasticsearch.enabled", true) &&
    !read.flag("global.elasticsearch.disableExporter", false);
  if (stock) {
    exporters.elasticsearch = {
      className: "io.camunda.zeebe.exporter.ElasticsearchExporter",
      url: `http://${read.text("global.elasticsearch.url.host", `${release}-elasticsearch`)}:${read.text("global.elasticsearch.url.port", "9200")}`,
    };
  }
  return exporters;
}

function webApp(
  object: ReturnType<typeof maker>,
  release: string,
  app: "operate" | "tasklist",
): KubeObject[] {
  return [
    object("Service", `${release}-${app}`, app, {
      spec: {
        type: "ClusterIP",
        selector: selector(release, app),
        ports: ports({ http: 80, management: 9600 }),
      },
    }),
    object("Deployment", `${release}-${app}`, app, {
      spec: {
        ...workload(release, app, 1, app, { http: 8080, management: 9600 }),
        strategy: { type: "Recreate" },
      },
    }),
  ];
}

/** Objects of Bitnami's chart elasticsearch 21.6, of nodes that are masters and hold data at once. */
export function renderElasticsearch({
  release,
  namespace,
  values,
}: Rendering): RenderedElasticsearch {
  const read = new Values(values);
  const fullName = read.text(
    "fullnameOverride",
    release.includes("elasticsearch") ? release : `${release}-elasticsearch`,
  );
  const port = read.integer("service.ports.restAPI", 9200);
  const master = `${fullName}-master`;
  const listening = { "tcp-rest-api": port, "tcp-transport": 9300 };
  const object = maker(release, namespace);
  const elsewhere = ["data", "coordinating"].filter(
    (part) => read.integer(`${part}.replicaCount`, 2) > 0,
  );
  if (elsewhere.length > 0 && !read.flag("master.masterOnly", true)) {
    throw new ChartError(
      `${elsewhere.join(" and ")} nodes beside masters that hold data: this rendering knows one kind of node`,
    );
  }
  const service = object("Service", fullName, "master", {
    spec: {
      type: "ClusterIP",
      selector: selector(release, "master"),
      ports: ports(listening),
    },
  });
  const headless = object("Service", `${master}-hl`, "master", {
    spec: {
      type: "ClusterIP",
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: selector(release, "master"),
      ports: ports(listening),
    },
  });
  const nodes = object("StatefulSet", master, "master", {
    spec: {
      ...workload(
        release,
        "master",
        read.integer("master.replicaCount", 2),
        "elasticsearch",
        listening,
        read.text("master.serviceAccount.name", "default"),
      ),
      serviceName: `${master}-hl`,
      podManagementPolicy: "Parallel",
      volumeClaimTemplates: [claim("data", read.text("master.persistence.size", "8Gi"))],
    },
  });
  const objects = [service, headless, nodes];
  if (read.flag("master.serviceAccount.create", false)) {
    objects.push(
      object("ServiceAccount", read.text("master.serviceAccount.name", master), "master", {
        annotations: strings(read.record("master.serviceAccount.annotations")),
      }),
    );
  }
  if (read.flag("master.networkPolicy.enabled", true)) {
    objects.push(
      object("NetworkPolicy", master, "master", {
        spec: {
          podSelector: { matchLabels: selector(release, "master") },
          policyTypes: ["Ingress", "Egress"],
          ingress: [{ ports: [{ port }, { port: 9300 }] }],
          egress: [{}],
        },
      }),
    );
  }
  // In the configuration, or in the keystore that a script fills.
  const named = JSON.stringify(flattened(values)).matchAll(/s3\.client\.([a-z0-9_-]+)\./g);
  return { objects, s3Clients: [...new Set([...named].map((match) => match[1] as string))] };
}

const APIS: Record<string, string> = {
  Service: "v1",
  ServiceAccount: "v1",
  StatefulSet: "apps/v1",
  Deployment: "apps/v1",
  NetworkPolicy: "networking.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
};

/** Makes objects of one release, with the labels and annotations that Helm and the charts give them. */
function maker(release: string, namespace: string) {
  return (
    kind: string,
    name: string,
    component: string,
    rest: { annotations?: Record<string, string>; spec?: Record<string, unknown> },
  ): KubeObject => ({
    apiVersion: APIS[kind] ?? "v1",
    kind,
    metadata: {
      name,
      namespace,
      labels: { ...selector(release, component), "app.kubernetes.io/managed-by": "Helm" },
      annotations: {
        ...rest.annotations,
        "meta.helm.sh/release-name": release,
        "meta.helm.sh/release-namespace": namespace,
      },
    },
    ...(rest.spec === undefined ? {} : { spec: rest.spec }),
  });
}

function selector(release: string, component: string): Record<string, string> {
  return {
    "app.kubernetes.io/instance": release,
    "app.kubernetes.io/component": component,
  };
}

function ports(byName: Record<string, number>) {
  return Object.entries(byName).map(([name, port]) => ({
    name,
    port,
    targetPort: name,
    protocol: "TCP",
  }));
}

function workload(
  release: string,
  component: string,
  replicas: number,
  container: string,
  listening: Record<string, number>,
  serviceAccountName = "default",
) {
  const labels = selector(release, component);
  return {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName,
        containers: [
          {
            name: container,
            image: container,
            ports: Object.entries(listening).map(([name, containerPort]) => ({
              name,
              containerPort,
              protocol: "TCP",
            })),
          },
        ],
      },
    },
  };
}

function claim(name: string, size: string) {
  return {
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } },
  };
}

function strings(record: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));
}

/** Nested keys as Elasticsearch reads them, `s3.client.x.region`, whichever way they are written. */
function flattened(value: unknown, path = ""): Record<string, unknown> {
  return isRecord(value)
    ? Object.assign(
        {},
        ...Object.entries(value).map(([key, item]) =>
          flattened(item, path === "" ? key : `${path}.${key}`),
        ),
      )
    : { [path]: value };
}

/** Reads values by path, with the chart's default where there is none. */
class Values {
  constructor(private readonly values: Record<string, unknown>) {}

  integer(path: string, otherwise: number): number {
    const value = this.at(path) ?? otherwise;
    const number = Number(value);
    if (!Number.isInteger(number) || value === "") {
      throw new ChartError(`${path} is ${JSON.stringify(value)}, not a whole number`);
    }
    return number;
  }

  text(path: string, otherwise: string): string {
    const value = this.at(path) ?? otherwise;
    if (typeof value === "object") {
      throw new ChartError(`${path} is ${JSON.stringify(value)}, not a text`);
    }
    return String(value);
  }

  flag(path: string, otherwise: boolean): boolean {
    const value = this.at(path) ?? otherwise;
    // A text is true for a template, also "false".
    return typeof value === "string" ? value !== "" : value === true;
  }

  record(path: string): Record<string, unknown> {
    const value = this.at(path);
    return isRecord(value) ? value : {};
  }

  /** A list of environment variables. Of several with one name Kubernetes takes the last. */
  env(path: string): Record<string, string> {
    const value = this.at(path) ?? [];
    if (!Array.isArray(value)) {
      throw new ChartError(`${path} is not a list of {name, value}`);
    }
    return Object.fromEntries(
      value.map((entry: unknown) => {
        if (!isRecord(entry) || typeof entry.name !== "string") {
          throw new ChartError(`${path} holds ${JSON.stringify(entry)}, not {name, value}`);
        }
        if (entry.value !== undefined && typeof entry.value !== "string") {
          // The API server would refuse the pod: an environment variable is a text.
          throw new ChartError(`${path}: the value of ${entry.name} is no text`);
        }
        return [entry.name, String(entry.value ?? "")];
      }),
    );
  }

  private at(path: string): unknown {
    return path
      .split(".")
      .reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), this.values);
  }
}

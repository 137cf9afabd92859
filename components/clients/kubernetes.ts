import type {
  V1DeleteOptions,
  V1NetworkPolicy,
  V1ObjectMeta,
  V1Pod,
  V1Status,
} from "@kubernetes/client-node";
import { isIP } from "node:net";
import { Writable } from "node:stream";
import { Refused, Unreachable } from "./answers";
import { Api, Progress, WebSocketLike, orAborted, whyNot } from "./kubernetesApi";
import { HelmRevision, markedAsFailed, revisionOf } from "./helmRevision";
import { kubernetesLibrary } from "./kubernetesLibrary";
import { ClusterAddress, describeCluster, parseKubernetesAddress } from "../base/kubernetesAddress";

/** A Deployment: what is wished and what is there. */
export interface DeploymentState {
  /** Pods that are wished (`spec.replicas`). */
  wanted: number;
  /** Pods that are there, the ones that are still going included: those work until they are gone. */
  replicas: number;
  /** Pods that are ready. */
  ready: number;
  /** Whether the controller has seen the wish: before, its numbers are those of the last one. */
  current: boolean;
}

/** A StatefulSet: what is wished, what is ready, and why pods are missing. */
export interface StatefulSetState {
  /** Pods that are wished (`spec.replicas`). */
  wanted: number;
  /** Pods that are ready. */
  ready: number;
  /** Whether the controller has seen the wish. */
  current: boolean;
  /** Why its last pod could not be made, in the words of the cluster: an admission that forbids it, a quota. */
  problem?: string;
}

/** What there is in a namespace of what releases consist of. */
export interface NamespaceContents {
  /** `Kind/name` of every Deployment, StatefulSet, Service, ConfigMap and Secret. */
  objects: Set<string>;
  /** What Helm has written of its releases. */
  revisions: HelmRevision[];
  /** Deployments and StatefulSets with fewer pods ready than wished: `NAME 0 of 2`. */
  unready: string[];
  /** The API server's clock, in milliseconds as `Date.now()`: revisions are as old as it says. */
  now: number;
}

/** What a command in a container came to. */
export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** What was seen of a host from inside a pod. */
export interface Probe {
  /** The name led to an address, or it is one. */
  resolved: boolean;
  /** A TCP connection came about. */
  connected: boolean;
  /** Time of the TCP handshake in milliseconds, when there was one. */
  roundTripMs?: number;
  /** The address that answered, when one did. */
  address?: string;
}

/** The longest output of a command that is kept. */
const OUTPUT_BYTES = 1024 * 1024;

/** Times of the probe in seconds: to give up on a connection, and on the whole. */
const PROBE_CONNECT_S = 3;
const PROBE_TOTAL_S = 4;

/** What curl is to print of the probe: seconds until the name was known and the connection was there, and to where. */
const PROBE_FORMAT = "%{time_namelookup} %{time_connect} %{remote_ip}";

/**
 * The Kubernetes API of one cluster, for what the recovery needs besides the port-forwards of
 * HTTP requests. Never repeats a request.
 *
 * Every method throws {@link Unreachable} when there is no whole answer in time, and {@link Refused} when
 * the API refuses.
 */
export class KubernetesClient {
  constructor(
    private readonly cluster: ClusterAddress,
    private readonly timeoutMs: number,
  ) {}

  /**
   * The client of the cluster that an address is in.
   *
   * @param url an `eks:` or `kubernetes:` endpoint of the region
   * @param timeoutMs bound on each request, getting access included
   */
  static of(url: string, timeoutMs: number): KubernetesClient {
    return new KubernetesClient(parseKubernetesAddress(url).cluster, timeoutMs);
  }

  /** Version of the API server: the least that can be asked. */
  version(): Promise<string> {
    return this.ask("version", async (api, request) => {
      const found = await api.call(`GET ${request}`, api.version.getCode());
      return found?.gitVersion ?? "unknown";
    });
  }

  /** The Deployment, or undefined when it does not exist. */
  deployment(namespace: string, name: string): Promise<DeploymentState | undefined> {
    return this.ask(`deployment/${name} in namespace ${namespace}`, async (api, request) => {
      const found = await api.call(
        `GET ${request}`,
        api.apps.readNamespacedDeployment({ name, namespace }),
      );
      if (found === undefined) {
        return undefined;
      }
      const labelSelector = selectorOf(found.spec?.selector.matchLabels);
      // Its status counts no pod that is going.
      const pods =
        labelSelector === undefined
          ? undefined
          : await api.call(
              `GET pods of ${request}`,
              api.core.listNamespacedPod({ namespace, labelSelector }),
            );
      return {
        wanted: found.spec?.replicas ?? 1,
        replicas: pods?.items.filter(hasNotEnded).length ?? found.status?.replicas ?? 0,
        ready: found.status?.readyReplicas ?? 0,
        current: (found.status?.observedGeneration ?? 0) >= (found.metadata?.generation ?? 0),
      };
    });
  }

  /**
   * Sets the number of a Deployment's pods. It returns when the wish is written, not when it is true: see
   * {@link deployment}.
   */
  async scale(namespace: string, deployment: string, replicas: number): Promise<void> {
    const what = `deployment/${deployment} in namespace ${namespace}`;
    await this.ask(what, async (api, request) => {
      const written = await api.call(
        `PATCH ${request}`,
        api.apps.patchNamespacedDeploymentScale({
          name: deployment,
          namespace,
          body: { spec: { replicas } },
        }),
      );
      if (written === undefined) {
        throw new Refused(`PATCH ${request}`, 404, "there is no such deployment");
      }
    });
  }

  /** The StatefulSet, or undefined when it does not exist. */
  statefulSet(namespace: string, name: string): Promise<StatefulSetState | undefined> {
    return this.ask(`statefulset/${name} in namespace ${namespace}`, async (api, request) => {
      const found = await api.call(
        `GET ${request}`,
        api.apps.readNamespacedStatefulSet({ name, namespace }),
      );
      if (found === undefined) {
        return undefined;
      }
      const wanted = found.spec?.replicas ?? 1;
      const present = found.status?.replicas ?? 0;
      const problem = present < wanted ? await whyNoPod(api, request, namespace, name) : undefined;
      return {
        wanted,
        ready: found.status?.readyReplicas ?? 0,
        current: (found.status?.observedGeneration ?? 0) >= (found.metadata?.generation ?? 0),
        ...(problem === undefined ? {} : { problem }),
      };
    });
  }

  /** What there is in a namespace of what releases consist of: names, and nothing of what they hold. */
  contents(namespace: string): Promise<NamespaceContents> {
    return this.ask(`what is in namespace ${namespace}`, async (api, request) => {
      const list = async (kind: string, answer: Promise<{ items: Listed[] }>) =>
        ((await api.call(`GET ${kind} for ${request}`, answer))?.items ?? []).map((listed) => ({
          kind,
          listed,
          metadata: listed.metadata ?? {},
        }));
      const core = api.coreMetadata;
      const found = await Promise.all([
        list("Deployment", api.apps.listNamespacedDeployment({ namespace })),
        list("StatefulSet", api.apps.listNamespacedStatefulSet({ namespace })),
        list("Service", core.listNamespacedService({ namespace })),
        list("ConfigMap", core.listNamespacedConfigMap({ namespace })),
        list("Secret", core.listNamespacedSecret({ namespace })),
      ]);
      const all = found.flat();
      return {
        objects: new Set(all.map(({ kind, metadata }) => `${kind}/${metadata.name}`)),
        revisions: all.flatMap(({ kind, metadata }) =>
          kind === "Secret" ? revisionOf(metadata) : [],
        ),
        unready: all.flatMap(({ listed: { spec, status }, metadata }) => {
          const { replicas: wanted = 0 } = (spec ?? {}) as { replicas?: number };
          const { readyReplicas: ready = 0 } = (status ?? {}) as { readyReplicas?: number };
          return ready < wanted ? [`${metadata.name} ${ready} of ${wanted}`] : [];
        }),
        now: Date.parse(api.clock ?? "") || Date.now(),
      };
    });
  }

  /**
   * Ends a revision that nobody works on any more, as Helm does when it fails: an install is forgotten, since its
   * name is free only then; any other stays in the history as failed. Never over what was written in between.
   *
   * @returns whether it was done; false: somebody has changed it, look anew
   */
  endRevision(namespace: string, { secret, status, version }: HelmRevision): Promise<boolean> {
    return this.ask(`secret/${secret} in namespace ${namespace}`, async (api, request) => {
      try {
        if (status === "pending-install") {
          const body: V1DeleteOptions = { preconditions: { resourceVersion: version } };
          await api.call(
            `DELETE ${request}`,
            api.core.deleteNamespacedSecret({ name: secret, namespace, body }),
          );
          return true;
        }
        const found = await api.call(
          `GET ${request}`,
          api.core.readNamespacedSecret({ name: secret, namespace }),
        );
        if (found?.metadata?.resourceVersion !== version) {
          return false;
        }
        const body = markedAsFailed(found);
        await api.call(
          `PUT ${request}`,
          api.core.replaceNamespacedSecret({ name: secret, namespace, body }),
        );
        return true;
      } catch (error) {
        if (error instanceof Refused && error.status === 409) {
          return false;
        }
        throw error;
      }
    });
  }

  /** NetworkPolicies of a namespace. */
  networkPolicies(namespace: string): Promise<V1NetworkPolicy[]> {
    return this.ask(`network policies in namespace ${namespace}`, async (api, request) => {
      const list = api.networking.listNamespacedNetworkPolicy({ namespace });
      return (await api.call(`GET ${request}`, list))?.items ?? [];
    });
  }

  /**
   * Runs a command in a container, without a shell and without input.
   *
   * @param timeoutMs bound on the command and its answer, instead of the client's own
   */
  exec(
    namespace: string,
    pod: string,
    container: string,
    argv: readonly string[],
    timeoutMs = this.timeoutMs,
  ): Promise<ExecResult> {
    const what = `${argv[0]} in pod/${pod} (container ${container}) in namespace ${namespace}`;
    return this.ask(
      what,
      (api, request, progress) => run(api, request, progress, { namespace, pod, container, argv }),
      timeoutMs,
    );
  }

  /**
   * Whether a host of the other region resolves and answers, as a pod of this one sees it: curl in a container
   * whose image has it. Only the times that curl prints are read; its exit code tells
   * nothing, since a DNS server answers no HTTP.
   */
  async probe(
    namespace: string,
    { pod, container }: { pod: string; container: string },
    host: string,
    port: number,
  ): Promise<Probe> {
    const { stdout, stderr, exitCode } = await this.exec(
      namespace,
      pod,
      container,
      [
        ...["curl", "--silent", "--output", "/dev/null"],
        ...["--connect-timeout", String(PROBE_CONNECT_S), "--max-time", String(PROBE_TOTAL_S)],
        ...["--write-out", PROBE_FORMAT, `http://${host}:${port}/`],
      ],
      this.timeoutMs + PROBE_TOTAL_S * 1000,
    );
    const times = /^(\d+\.\d{6}) (\d+\.\d{6})(?: (\S+))?$/.exec(stdout.trim());
    const address = times?.[3];
    if (times === null || (address !== undefined && isIP(address) === 0)) {
      // Silence must not pass as a connection that was refused: it would prove a fence that is not there.
      throw new Refused(
        `curl in pod/${pod} in namespace ${namespace}`,
        exitCode,
        `it printed no times but ${JSON.stringify((stdout + stderr).slice(0, 100))}`,
      );
    }
    const [lookup = 0, connect = 0] = times.slice(1, 3).map(Number);
    const connected = connect > 0;
    return {
      resolved: isIP(host) !== 0 || lookup > 0,
      connected,
      ...(connected && { roundTripMs: Math.max(0, connect - lookup) * 1000 }),
      ...(connected && address !== undefined && { address }),
    };
  }

  /** One request with its deadline: whatever comes in between is an {@link Unreachable}, a refusal stays one. */
  private async ask<T>(
    what: string,
    question: (api: Api, request: string, progress: Progress) => Promise<T>,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    const request = `${what} of ${describeCluster(this.cluster)}`;
    // Not in the deadline: a busy machine loads it for seconds, and the cluster has not been asked yet.
    await kubernetesLibrary();
    const signal = AbortSignal.timeout(timeoutMs);
    const progress: Progress = { stage: "the Kubernetes API" };
    try {
      return await question(await Api.open(this.cluster, signal, progress), request, progress);
    } catch (error) {
      if (error instanceof Refused) {
        throw error;
      }
      throw new Unreachable(request, whyNot(error, signal, timeoutMs, progress));
    }
  }
}

function selectorOf(labels: Record<string, string> | undefined): string | undefined {
  return labels === undefined || Object.keys(labels).length === 0
    ? undefined
    : Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}

/** What is read of an object in a list. Only Deployments and StatefulSets have the numbers. */
interface Listed {
  metadata?: V1ObjectMeta;
  spec?: object;
  status?: object;
}

/** What the controller said when it last could not make a pod of a StatefulSet. It has no condition for that. */
async function whyNoPod(
  api: Api,
  request: string,
  namespace: string,
  name: string,
): Promise<string | undefined> {
  const events = await api.call(
    `GET events of ${request}`,
    api.core.listNamespacedEvent({
      namespace,
      fieldSelector: `involvedObject.kind=StatefulSet,involvedObject.name=${name}`,
    }),
  );
  const last = (events?.items ?? [])
    .filter(({ reason }) => reason === "FailedCreate")
    .sort((a, b) => timeOf(a) - timeOf(b))
    .at(-1);
  // "create Pod NAME-0 in StatefulSet NAME failed error: pods "NAME-0" is forbidden: violates PodSecurity ..."
  return last?.message
    ?.replace(/^create Pod .* failed error: (pods "[^"]*" is )?/s, "")
    .split("\n")[0];
}

function timeOf(event: { lastTimestamp?: Date; eventTime?: Date }): number {
  return Number(event.lastTimestamp ?? event.eventTime ?? 0);
}

function hasNotEnded(pod: V1Pod): boolean {
  return pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed";
}

interface Command {
  namespace: string;
  pod: string;
  container: string;
  argv: readonly string[];
}

async function run(
  api: Api,
  request: string,
  progress: Progress,
  { namespace, pod, container, argv }: Command,
): Promise<ExecResult> {
  const stdout = new Collected();
  const stderr = new Collected();
  let ended: (status: V1Status) => void = () => undefined;
  const status = new Promise<V1Status>((resolve) => (ended = resolve));
  let socket: WebSocketLike;
  try {
    socket = (await api.exec.exec(
      namespace,
      pod,
      container,
      [...argv],
      stdout,
      stderr,
      null,
      false,
      (result) => ended(result),
    )) as WebSocketLike;
  } catch (error) {
    throw await whyNotStarted(api, request, namespace, pod, error);
  }
  progress.stage = `${argv[0]} to end`;
  const broken = new Promise<never>((_, reject) => {
    socket.onclose = () => reject(new Error("the stream broke off before the command ended"));
    socket.onerror = ({ message }) => reject(new Error(message));
  });
  try {
    const result = await orAborted(api.signal, Promise.race([status, broken]));
    return { stdout: stdout.text, stderr: stderr.text, exitCode: exitCodeOf(request, result) };
  } finally {
    broken.catch(() => undefined);
    socket.terminate();
  }
}

async function whyNotStarted(
  api: Api,
  request: string,
  namespace: string,
  pod: string,
  error: unknown,
): Promise<unknown> {
  if (api.signal.aborted) {
    return error;
  }
  const found = await api.call(request, api.core.readNamespacedPod({ name: pod, namespace }));
  return found === undefined ? new Refused(request, 404, "there is no such pod") : error;
}

function exitCodeOf(request: string, { status, reason, message, details }: V1Status): number {
  if (status === "Success") {
    return 0;
  }
  const cause = details?.causes?.find((one) => one.reason === "ExitCode")?.message;
  if (reason === "NonZeroExitCode" && cause !== undefined && /^\d+$/.test(cause)) {
    return Number(cause);
  }
  throw new Refused(request, 500, message ?? reason ?? "the command did not start");
}

/** Keeps the beginning of what is written to it. */
class Collected extends Writable {
  private readonly chunks: Buffer[] = [];
  private size = 0;

  get text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.size < OUTPUT_BYTES) {
      this.chunks.push(chunk);
      this.size += chunk.length;
    }
    done();
  }
}

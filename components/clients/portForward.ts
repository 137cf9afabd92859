import type { V1Pod, V1Service } from "@kubernetes/client-node";
import * as http from "node:http";
import { Duplex, PassThrough, Writable } from "node:stream";
import { Unreachable } from "./answers";
import { Api, Progress, WebSocketLike, whyNot } from "./kubernetesApi";
import { firstLine } from "./kubernetesAccess";
import {
  describeAddress,
  KubernetesAddress,
  parseKubernetesAddress,
} from "../base/kubernetesAddress";

/** A request that goes through a Kubernetes API, as an HTTP client sends it. */
export interface ForwardedRequest {
  /** What to ask instead: the same path, of a host that only {@link agent} leads to. */
  url: string;
  agent: http.Agent;
  /** What to throw when the request fails: the pod or Service in words, and why. */
  unreachable: (error: unknown) => Unreachable;
}

/**
 * Leads one request to a port of a pod: to a running one, or to a ready one behind a Service. Each
 * connection of its agent is one port-forward stream of its own, as `kubectl port-forward` opens them, but
 * without a local listener: nothing is left over when the request has ended, and a stream that broke harms
 * no later request.
 *
 * @param url see {@link parseKubernetesAddress}
 * @param signal ends the opening as well as the request
 * @param timeoutMs what the signal waits, for the error
 */
export function forward(url: string, signal: AbortSignal, timeoutMs: number): ForwardedRequest {
  const where = withoutQuery(url);
  let address: KubernetesAddress;
  try {
    address = parseKubernetesAddress(url);
  } catch (error) {
    throw new Unreachable(where, firstLine(error));
  }
  const progress: Progress = { stage: "the Kubernetes API" };
  const agent = new PortForwardAgent(address, signal, progress);
  return {
    // The name that kubectl's local listener would have.
    url: `http://localhost:${address.port}${address.path}`,
    agent,
    unreachable: (error) =>
      new Unreachable(
        describeAddress({ ...address, path: withoutQuery(address.path) }),
        whyNot(error, signal, timeoutMs, progress),
      ),
  };
}

function withoutQuery(url: string): string {
  return url.split("?")[0] ?? "";
}

class PortForwardAgent extends http.Agent {
  constructor(
    private readonly address: KubernetesAddress,
    private readonly signal: AbortSignal,
    private readonly progress: Progress,
  ) {
    super({ keepAlive: false });
  }

  override createConnection(
    _options: unknown,
    done: (error: Error | null, stream?: Duplex) => void,
  ): undefined {
    openStream(this.address, this.signal, this.progress).then(
      (stream) => done(null, stream),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
  }
}

/** Opens one port-forward stream. */
async function openStream(
  address: KubernetesAddress,
  signal: AbortSignal,
  progress: Progress,
): Promise<Duplex> {
  const api = await Api.open(address.cluster, signal, progress);
  const target = await targetOf(api, address);
  const stream = new ForwardedStream(target.pod);
  const { namespace } = address;
  progress.stage = `a port-forward to ${target.pod}`;
  try {
    const socket = (await api.portForward.portForward(
      namespace,
      target.name,
      [target.port],
      stream.fromPod,
      stream.errors,
      stream.toPod,
    )) as WebSocketLike;
    stream.attach(socket);
  } catch (error) {
    stream.destroy();
    throw new Error(await whyNotOpened(api, address, target, error));
  }
  progress.stage = target.pod;
  return stream;
}

interface Target {
  name: string;
  /** In words: `pod NAME`, and that it is not ready if so. */
  pod: string;
  port: number;
}

async function targetOf(api: Api, address: KubernetesAddress): Promise<Target> {
  const { namespace, kind, name, port } = address;
  if (kind === "pod") {
    return { name, pod: `pod ${name}`, port };
  }
  const service = await api.call(
    `GET service ${name} in namespace ${namespace}`,
    api.core.readNamespacedService({ name, namespace }),
  );
  if (service === undefined) {
    throw new Error(`there is no service ${name} in namespace ${namespace}`);
  }
  const labels = Object.entries(service.spec?.selector ?? {});
  if (labels.length === 0) {
    throw new Error(`service ${name} selects no pods`);
  }
  const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(",");
  const list = await api.call(
    `GET pods ${labelSelector} in namespace ${namespace}`,
    api.core.listNamespacedPod({ namespace, labelSelector }),
  );
  const chosen = choosePod(service, list?.items ?? []);
  const podName = chosen.metadata?.name ?? "";
  return {
    name: podName,
    pod: `pod ${podName}${isReady(chosen) ? "" : ", which is not ready"}`,
    port: targetPort(service, port, chosen),
  };
}

/**
 * The pod that a Service's request goes to: a ready one, the first by name. A Service that publishes
 * addresses that are not ready (as the headless ones of StatefulSets do) leads to one that merely runs when
 * none is ready: an Elasticsearch without its master still has to be asked.
 *
 * @throws Error with one line when there is none
 */
function choosePod(service: V1Service, pods: V1Pod[]): V1Pod {
  const name = service.metadata?.name;
  const running = pods
    .filter((pod) => pod.status?.phase === "Running" && !isLeaving(pod))
    .sort((a, b) => (a.metadata?.name ?? "").localeCompare(b.metadata?.name ?? ""));
  const ready = running.find(isReady);
  const notReady = service.spec?.publishNotReadyAddresses === true ? running[0] : undefined;
  const chosen = ready ?? notReady;
  if (chosen === undefined) {
    throw new Error(
      pods.length === 0
        ? `there is no pod behind service ${name}`
        : `none of the pods behind service ${name} is ready: ${pods.map(stateOf).join(", ")}`,
    );
  }
  return chosen;
}

function isReady(pod: V1Pod): boolean {
  return (
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ===
    true
  );
}

/** A pod that is being deleted keeps its Ready condition for a while. */
function isLeaving(pod: V1Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

function stateOf(pod: V1Pod): string {
  return `${pod.metadata?.name} ${isLeaving(pod) ? "Terminating" : (pod.status?.phase ?? "Unknown")}`;
}

/** The port of a pod that a Service's port leads to: a number, or the name of a container's port. */
function targetPort(service: V1Service, port: number, pod: V1Pod): number {
  const ports = service.spec?.ports ?? [];
  const found = ports.find((candidate) => candidate.port === port);
  if (found === undefined) {
    throw new Error(
      `service ${service.metadata?.name} has no port ${port}: it has ${ports.map((p) => p.port).join(", ")}`,
    );
  }
  // "0" is how the API says that there is no target port of its own.
  const target = found.targetPort ?? port;
  if (/^\d+$/.test(String(target))) {
    return Number(target) || port;
  }
  const named = pod.spec?.containers
    .flatMap((container) => container.ports ?? [])
    .find(({ name }) => name === target)?.containerPort;
  if (named === undefined) {
    throw new Error(`pod ${pod.metadata?.name} has no port named ${String(target)}`);
  }
  return named;
}

/** The handshake of a stream tells no more than a status: whether the pod is there has to be asked. */
async function whyNotOpened(
  api: Api,
  { namespace }: KubernetesAddress,
  target: Target,
  error: unknown,
): Promise<string> {
  if (api.signal.aborted) {
    return firstLine(error);
  }
  const pod = await api.call(
    `GET pod ${target.name} in namespace ${namespace}`,
    api.core.readNamespacedPod({ name: target.name, namespace }),
  );
  if (pod === undefined) {
    return `there is no pod ${target.name} in namespace ${namespace}`;
  }
  if (pod.status?.phase !== "Running") {
    return `pod ${target.name} is ${pod.status?.phase}`;
  }
  return `no port-forward to ${target.pod}: ${firstLine(error)}`;
}

/** A normal end of a web socket, with and without a status. Any other is a stream that broke. */
const NORMAL_CLOSURES = [1000, 1005];

/** The two directions of a port-forward as one stream, with as much of a socket as an HTTP client uses. */
class ForwardedStream extends Duplex {
  /** What the pod sends is written into this. */
  readonly fromPod: Writable;
  /** What the kubelet says when it cannot reach the port. */
  readonly errors: Writable;
  /** What the pod is to get is read from this. */
  readonly toPod = new PassThrough();
  private socket: WebSocketLike | undefined;
  private complaint = "";

  constructor(private readonly pod: string) {
    super();
    this.fromPod = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // An empty push would be an end; the first message of a stream is one, but for its port.
        if (chunk.length > 0 && !this.destroyed) {
          this.push(chunk);
        }
        done();
      },
    });
    this.errors = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.complaint += chunk.toString();
        if (chunk.length > 0) {
          this.destroy(new Error(`${this.pod}: ${plain(this.complaint)}`));
        }
        done();
      },
    });
  }

  attach(socket: WebSocketLike): void {
    this.socket = socket;
    socket.onerror = ({ message }) => this.destroy(new Error(`${this.pod}: ${message}`));
    socket.onclose = ({ code }) => {
      if (NORMAL_CLOSURES.includes(code)) {
        this.push(null);
      } else {
        this.destroy(new Error(`${this.pod}: the port-forward broke off`));
      }
    };
    if (this.destroyed) {
      socket.terminate();
    }
  }

  override _read(): void {
    // The library pushes whatever comes: an answer is small, and bounded by the HTTP client.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.toPod.write(chunk);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket?.terminate();
    this.toPod.destroy();
    done(error);
  }

  // What an HTTP client calls on a socket. Its deadline is the request's signal.
  setTimeout(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** The reason in a kubelet's words: `error forwarding port 1 to pod ID, uid : <reason>`. */
function plain(complaint: string): string {
  return firstLine(complaint.replace(/^error forwarding port \d+ to pod [^:]*:\s*/, ""));
}

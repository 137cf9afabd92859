import { setTimeout as sleep } from "node:timers/promises";
import { isRecord } from "../../../components/base/json";
import { Broker, Cluster, coordinatorOf } from "./cluster";
import { afterOperations } from "./changes";
import {
  ClusterConfiguration,
  ChangeOperation,
  Plan,
  renderConfiguration,
  renderMembers,
  renderOperation,
} from "./configuration";
import { answerExporting } from "./exportingControl";
import {
  InvalidRequest,
  planDisable,
  planEnable,
  planForcedRemoval,
  planScaling,
  rehearse,
} from "./planning";
import type { Incoming, Reply } from "../../exchange";
import { Side } from "./side";

const ACTUATOR = { "Content-Type": "application/vnd.spring-boot.actuator.v3+json" };

/** A broker that cannot find out about its own replicas gives up after 5 s, and answers as if it had none. */
async function unknownReplicas(): Promise<Reply> {
  await sleep(5_000);
  return { status: 200, body: {}, headers: ACTUATOR };
}

/** The management API that every broker serves. */
export class ManagementApi {
  constructor(
    private readonly cluster: Cluster,
    private readonly corrupted: (brokerId: number) => void,
  ) {}

  /** Answers a request that reached the management port of a broker, in the dialect of its generation. */
  async answer(brokerId: number, request: Incoming): Promise<Reply> {
    const { dialect } = this.cluster.settings;
    return dialect.answered(await this.recorded(brokerId, dialect.asked(request)), request);
  }

  private recorded(brokerId: number, request: Incoming): Reply | Promise<Reply> {
    const broker = this.cluster.broker(brokerId);
    const [first, second, third, fourth, ...rest] = request.path.split("/").filter((p) => p !== "");
    if (first !== "actuator") {
      return redirect(request) ?? springError(404, request);
    }
    if (rest.length > 0) {
      return springError(404, request);
    }
    switch (second) {
      case undefined:
        return { status: 200, body: index(request), headers: ACTUATOR };
      case "cluster":
        return this.clusterEndpoint(broker, request, third, fourth);
      case "exporters":
        return this.exportersEndpoint(broker, request, third, fourth);
      case "exporting":
        if (third === undefined || fourth !== undefined) {
          return springError(404, request);
        }
        if (request.method !== "POST") {
          return springError(405, request);
        }
        return answerExporting(this.cluster, broker, third, isSoft(request), this.corrupted);
      case "rebalance":
        if (request.method !== "POST") {
          return springError(405, request);
        }
        this.cluster.sideOf(broker.region).rebalance();
        return { status: 200 };
      case "partitions":
        if (request.method !== "GET") {
          return springError(405, request);
        }
        if (broker.hangs) {
          return unknownReplicas();
        }
        return { status: 200, body: this.partitions(broker), headers: ACTUATOR };
      case "health":
        return this.health(broker, request, [third]);
      default:
        return springError(404, request);
    }
  }

  private clusterEndpoint(
    broker: Broker,
    request: Incoming,
    resource: string | undefined,
    id: string | undefined,
  ): Reply {
    const side = this.cluster.sideOf(broker.region);
    if (resource === undefined) {
      if (request.method !== "GET") {
        return springError(405, request);
      }
      return (
        this.unreachable(broker, side, "topology-query") ?? {
          status: 200,
          body: renderConfiguration(side.configuration),
        }
      );
    }
    if (request.method === "DELETE" && resource === "changes" && id !== undefined) {
      return this.cancel(broker, side, id);
    }
    if (request.method !== "POST") {
      return springError(405, request);
    }
    if (resource !== "brokers" || id !== undefined) {
      return springError(400, request);
    }
    return this.changeBrokers(broker, side, request);
  }

  private changeBrokers(broker: Broker, side: Side, request: Incoming): Reply {
    if (!isJson(request)) {
      return springError(415, request);
    }
    const ids = brokerIds(request.text);
    const force = flag(request, "force");
    const dryRun = flag(request, "dryRun");
    const factorText = request.query.get("replicationFactor");
    const factor = factorText ? Number(factorText) : undefined;
    if (!ids || force === undefined || dryRun === undefined) {
      return springError(400, request);
    }
    if (factor !== undefined && !Number.isInteger(factor)) {
      return springError(400, request);
    }
    if (!force) {
      return (
        this.unreachable(broker, side, "topology-member-scale") ??
        this.change(side, dryRun, (current) => planScaling(current, ids, factor))
      );
    }
    if (factor !== undefined) {
      return refusal(
        `The replication factor cannot be changed to requested value '${factor}' during force scale down. ` +
          "It will be automatically changed based on which brokers are removed. Do not provide any replication factor in the request",
      );
    }
    // The lowest of those that stay decides: the coordinator may be among the lost.
    const decides = ids.length > 0 ? Math.min(...ids) : coordinatorOf(side.configuration);
    return (
      this.unreachable(broker, side, "topology-force-scale-down", decides) ??
      this.change(side, dryRun, (current) => planForcedRemoval(current, ids))
    );
  }

  private exportersEndpoint(
    broker: Broker,
    request: Incoming,
    id: string | undefined,
    operation: string | undefined,
  ): Reply {
    const side = this.cluster.sideOf(broker.region);
    if (id === undefined) {
      if (request.method !== "GET") {
        return springError(405, request);
      }
      return (
        this.unreachable(broker, side, "topology-query") ?? {
          status: 200,
          body: aggregatedExporters(side.configuration),
        }
      );
    }
    if (operation !== "enable" && operation !== "disable") {
      return springError(404, request);
    }
    if (request.method !== "POST") {
      return springError(405, request);
    }
    const dryRun = flag(request, "dryRun");
    const body = exporterBody(request);
    if (body === "unsupported") {
      return springError(415, request);
    }
    if (dryRun === undefined || body === "malformed") {
      return springError(400, request);
    }
    return (
      this.unreachable(broker, side, `topology-exporter-${operation}`) ??
      this.change(side, dryRun, (current) =>
        operation === "enable"
          ? planEnable(current, id, body.initializeFrom)
          : planDisable(current, id),
      )
    );
  }

  private cancel(broker: Broker, side: Side, text: string): Reply {
    if (!/^-?\d+$/.test(text)) {
      return refusal("Change id must be a number");
    }
    const unreachable = this.unreachable(broker, side, "topology-change-cancel");
    if (unreachable) {
      return unreachable;
    }
    const { plan } = side.configuration;
    const refused = `Cannot cancel change ${text}`;
    if (!plan) {
      return refusal(`${refused} because no change is in progress`);
    }
    if (plan.id !== Number(text)) {
      return refusal(`${refused} because it is not the current change`);
    }
    side.cancelChange();
    return { status: 200, body: renderConfiguration(side.configuration) };
  }

  private change(
    side: Side,
    dryRun: boolean,
    planFor: (configuration: ClusterConfiguration) => ChangeOperation[],
  ): Reply {
    const { configuration } = side;
    let operations: ChangeOperation[];
    try {
      // What is wrong in itself, or changes nothing, is answered as such also while a change is pending.
      operations = planFor(configuration);
      if (configuration.plan && operations.length > 0) {
        return { status: 409, body: { message: changePending(configuration.plan) } };
      }
      rehearse(configuration, operations);
    } catch (error) {
      if (error instanceof InvalidRequest) {
        return refusal(error.message);
      }
      throw error;
    }
    const body = {
      changeId: operations.length === 0 ? 0 : configuration.version + 1,
      currentTopology: renderMembers(configuration),
      plannedChanges: operations.map(renderOperation),
      expectedTopology: renderMembers(afterOperations(configuration, operations)),
    };
    if (!dryRun && operations.length > 0) {
      side.startChange(operations);
    }
    return { status: 202, body };
  }

  /** What a broker answers that cannot reach the one who decides. */
  private unreachable(
    from: Broker,
    side: Side,
    subject: string,
    decides = coordinatorOf(side.configuration),
  ): Reply | undefined {
    if (this.cluster.isAlive(side, decides)) {
      return undefined;
    }
    const target = this.cluster.brokers.get(decides);
    const address = `127.0.0.1:${26502 + 100 * decides}`;
    const message =
      target && this.cluster.sees(from, target)
        ? `Failed to connect channel for address ${address} (resolved: null) : io.netty.channel.AbstractChannel$AnnotatedConnectException: ` +
          `finishConnect(..) failed: Connection refused: /${address}`
        : `Expected to send a message with subject '${subject}' to member '${decides}', but member is not known. Known members are '[]'.`;
    return { status: 502, body: { message } };
  }

  private partitions(broker: Broker): object {
    const side = this.cluster.sideOf(broker.region);
    const now = Date.now();
    return Object.fromEntries(
      this.cluster.partitionsOf(broker).map((partitionId) => {
        const log = this.cluster.log(partitionId);
        // One that has lost its majority takes a while to step down.
        const leads = side.shownLeader(partitionId, now) === broker.id;
        return [
          partitionId,
          {
            role: leads ? "LEADER" : "FOLLOWER",
            processedPosition: log.lastPosition,
            snapshotId: null,
            processedPositionInSnapshot: null,
            streamProcessorPhase: leads ? "PROCESSING" : "REPLAY",
            exporterPhase: this.cluster.phaseOf(broker, partitionId),
            exportedPosition: log.exportedPosition,
            clock: {
              instant: new Date().toISOString(),
              modificationType: "None",
              modification: {},
            },
          },
        ];
      }),
    );
  }

  private health(broker: Broker, request: Incoming, [group]: (string | undefined)[]): Reply {
    if (request.method !== "GET") {
      return springError(405, request);
    }
    const isReady = this.cluster.partitionsOf(broker).length > 0;
    const ready = { brokerReady: { status: isReady ? "UP" : "OUT_OF_SERVICE" } };
    const status = isReady ? 200 : 503;
    switch (group) {
      case undefined: {
        const components = {
          ...ready,
          brokerStartup: { status: "UP" },
          brokerStatus: { status: isReady ? "UP" : "DOWN" },
        };
        const groups = ["readiness", "startup", "status"];
        const body = { status: isReady ? "UP" : "DOWN", components, groups };
        return { status, body, headers: ACTUATOR };
      }
      case "readiness":
        return {
          status,
          body: { status: ready.brokerReady.status, components: ready },
          headers: ACTUATOR,
        };
      case "startup":
        return { status: 200, body: { status: "UP" }, headers: ACTUATOR };
      case "status":
        return { status, body: { status: isReady ? "UP" : "DOWN" }, headers: ACTUATOR };
      default:
        return springError(404, request);
    }
  }
}

/** State of every exporter over all replicas, as `GET /actuator/exporters` aggregates it. */
export function aggregatedExporters(
  configuration: ClusterConfiguration,
): { exporterId: string; status: string }[] {
  const states = new Map<string, Set<string>>();
  for (const { partitions } of configuration.members.values()) {
    for (const { exporters } of partitions.values()) {
      for (const [id, { state }] of exporters) {
        states.set(id, (states.get(id) ?? new Set()).add(state));
      }
    }
  }
  const next = configuration.plan?.pending[0]?.operation;
  const between =
    next === "PARTITION_ENABLE_EXPORTER"
      ? "ENABLING"
      : next === "PARTITION_DISABLE_EXPORTER"
        ? "DISABLING"
        : "UNKNOWN";
  return [...states]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([exporterId, seen]) => ({
      exporterId,
      status: seen.size === 1 ? ([...seen][0] as string) : between,
    }));
}

/**
 * What brokers answer to a change while another is pending: as recorded, without the members and the operations,
 * and with another `id=` before that of the change.
 */
function changePending({ id }: Plan): string {
  const last = `CompletedChange[id=${id - 2}, status=COMPLETED]`;
  const pending = `ClusterChangePlan[id=${id}, version=1, status=IN_PROGRESS]`;
  return (
    `Cannot apply configuration change. Another configuration change [ClusterConfiguration[version=${id}, members={}, ` +
    `lastChange=Optional[${last}], pendingChanges=Optional[${pending}], routingState=Optional.empty]] is in progress.`
  );
}

/** The endpoints, as the root of the management API lists them. */
function index({ headers }: Incoming): object {
  const root = `http://${headers.host ?? "127.0.0.1"}/actuator`;
  const names = ["partitions", "rebalance", "health", "cluster", "exporters", "exporting"];
  const link = (href: string) => ({ href, templated: false });
  const links = names.map((name) => [name, link(`${root}/${name}`)]);
  return { _links: { self: link(root), ...Object.fromEntries(links) } };
}

const PROBES: Record<string, string> = {
  "/health": "/actuator/health/status",
  "/ready": "/actuator/health/readiness",
  "/startup": "/actuator/health/startup",
};

/** The short names of the probes are redirects. */
function redirect({ path }: Incoming): Reply | undefined {
  const target = PROBES[path];
  return target === undefined ? undefined : { status: 301, headers: { Location: target } };
}

function refusal(message: string): Reply {
  return { status: 400, body: { message } };
}

const REASONS: Record<number, string> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  415: "Unsupported Media Type",
};

/** The answer of the web framework, which the API does not shape. */
export function springError(status: number, { path }: Incoming): Reply {
  const timestamp = new Date().toISOString().replace("Z", "+00:00");
  return { status, body: { timestamp, status, error: REASONS[status], path } };
}

/** A boolean parameter: undefined when it is none. */
function flag({ query }: Incoming, name: string): boolean | undefined {
  const text = (query.get(name) ?? "").toLowerCase();
  if (["", "false", "off", "no", "0"].includes(text)) {
    return false;
  }
  return ["true", "on", "yes", "1"].includes(text) ? true : undefined;
}

function isSoft({ query }: Incoming): boolean {
  return query.get("soft") === "true";
}

function isJson({ headers, text }: Incoming): boolean {
  return text !== "" && /json/.test(headers["content-type"] ?? "");
}

function brokerIds(text: string): number[] | undefined {
  const value = parse(text);
  if (!Array.isArray(value)) {
    return undefined;
  }
  const ids = value.map((id) =>
    typeof id === "number" || (typeof id === "string" && /^\d+$/.test(id)) ? Number(id) : NaN,
  );
  return ids.every(Number.isInteger) ? ids : undefined;
}

function exporterBody(
  request: Incoming,
): { initializeFrom?: string } | "malformed" | "unsupported" {
  if (request.text === "") {
    return {};
  }
  if (!isJson(request)) {
    return "unsupported";
  }
  const value = parse(request.text);
  if (!isRecord(value)) {
    return "malformed";
  }
  const { initializeFrom } = value;
  if (initializeFrom === undefined || initializeFrom === null) {
    return {};
  }
  return typeof initializeFrom === "string" ? { initializeFrom } : "malformed";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

import type {
  Configuration,
  LastChange,
  Member,
  Operation,
  PendingChange,
  Topology,
} from "./topology";
import type { Credentials } from "../settings/types";
import { Answer, Endpoint, listOf, reason, Refused, send } from "./http";
import { isRecord, wordIn } from "../base/json";
import type { ChangeRequest, Generation } from "../generations/generation";

/** What the cluster answers to a change, real or dry run: what it is going to do, and what it will be then. */
export interface PlannedChange {
  changeId: number;
  operations: Operation[];
  expectedMembers: Member[];
  /** The members as they were when the request came. A dry run shows them even while the coordinator is dead. */
  currentMembers: Member[];
}

/** How long a broker looks for its own replicas before it answers as if it had none (seen on 8.6.0). */
const LOOKING_FOR_REPLICAS_MS = 5_000;

/** The disk of a broker. */
export interface DiskSpace {
  /** `DOWN` when less is free than its threshold. */
  status: string;
  /** Bytes. */
  free: number;
  /** Bytes. */
  total: number;
}

/** State of exporting of one replica, from `/actuator/partitions` of its broker. */
export interface ExporterPhase {
  partition: number;
  role: string;
  /** `EXPORTING`, `PAUSED` or `SOFT_PAUSED`. */
  phase: string;
  /** Up to where every enabled exporter has written. */
  exportedPosition: number;
  /** The last command that was processed: what it has brought about is to be exported. */
  processedPosition: number;
}

/**
 * The cluster refused a change because another one is pending (409). Its message is kilobytes of the
 * broker's `toString`; only the id is taken from it.
 */
export class ChangePending extends Error {
  /** Which, in words. */
  readonly what: string;

  constructor(readonly changeId: number | undefined) {
    const what = `change ${changeId ?? "of an unknown id"}`;
    super(`${what} is pending: pulumi up waits for it, or says how to cancel it`);
    this.what = what;
    this.name = "ChangePending";
  }
}

/** Where the APIs of one region answer. */
export interface ZeebeEndpoints {
  gateway: string;
  management: string;
  brokers: Record<string, string>;
}

/**
 * Zeebe's management and REST API. One method for each request, no decisions: what a status means is read from
 * real answers (202 is "accepted"). How a change is asked for is the generation's to say.
 */
export class ZeebeClient {
  constructor(
    readonly endpoints: ZeebeEndpoints,
    private readonly timeoutMs: number,
    private readonly dialect: Pick<Generation, "cluster" | "exporting">,
    /** What the gateway and its management API are asked with. */
    private readonly credentials?: Record<"gateway" | "management", Credentials>,
  ) {}

  /** The management API of the gateway. */
  private get management(): Endpoint {
    return { url: this.endpoints.management, credentials: this.credentials?.management };
  }

  /** Who the gateway sees (`GET /v2/topology`). Dead brokers stay listed for some 10 s. */
  async topology(): Promise<Topology> {
    const gateway = { url: this.endpoints.gateway, credentials: this.credentials?.gateway };
    const request = `GET ${gateway.url}/v2/topology`;
    const body = this.ok(request, await this.get(gateway, "/v2/topology"), 200);
    return {
      brokers: listOf(request, body.brokers, "brokers").map((broker) => ({
        id: Number(broker.nodeId),
        version: wordIn(broker.version),
        partitions: listOf(request, broker.partitions, "partitions").map((partition) => ({
          id: Number(partition.partitionId),
          role: wordIn(partition.role),
          health: wordIn(partition.health),
        })),
      })),
      clusterSize: numberOf(request, body, "clusterSize"),
      partitionsCount: numberOf(request, body, "partitionsCount"),
      replicationFactor: numberOf(request, body, "replicationFactor"),
      gatewayVersion: wordOf(request, body, "gatewayVersion"),
    };
  }

  /**
   * The cluster's configuration (`GET /actuator/cluster`). Answered by the coordinator, the member with
   * the lowest id: a {@link Refused} with 502 (or 500) when that one is dead.
   *
   * @param management another management API to ask than that of the gateway: a broker's own
   */
  async configuration(management = this.management): Promise<Configuration> {
    const request = `GET ${management.url}/actuator/cluster`;
    const body = this.ok(request, await this.get(management, "/actuator/cluster"), 200);
    return {
      ...(typeof body.version === "number" ? { version: body.version } : {}),
      members: members(request, body.brokers),
      lastChange: lastChange(body.lastChange),
      pendingChange: pendingChange(request, body.pendingChange),
    };
  }

  /** The aggregate state by exporter id (`GET /actuator/exporters`). Blind to a pause and to single partitions. */
  async exporters(): Promise<Record<string, string>> {
    const url = `${this.endpoints.management}/actuator/exporters`;
    const answer = await this.get(this.management, "/actuator/exporters");
    if (answer.status !== 200) {
      throw new Refused(`GET ${url}`, answer.status, reason(answer.body));
    }
    return Object.fromEntries(
      listOf(`GET ${url}`, answer.body, "exporters").map((exporter) => [
        wordIn(exporter.exporterId),
        wordIn(exporter.status),
      ]),
    );
  }

  /**
   * Asks for a set of brokers: all that are to stay or become members.
   *
   * @param options.force removes the others at once, without their consent: for brokers that are gone
   * @param options.dryRun answers the same and changes nothing
   * @throws {@link ChangePending} on 409
   */
  async setBrokers(
    ids: readonly number[],
    options: { force?: boolean; replicationFactor?: number; dryRun?: boolean },
  ): Promise<PlannedChange> {
    return this.change(this.dialect.cluster.members(ids, options), options);
  }

  /** Disables an exporter in every partition. Waits for dead members for ever. */
  async disableExporter(id: string, options: { dryRun?: boolean } = {}): Promise<PlannedChange> {
    return this.change(this.dialect.cluster.disableExporter(id), options);
  }

  /**
   * Enables an exporter, continuing where `initializeFrom` is: without it, the records of the time it was
   * disabled would be skipped in silence. An unknown id is accepted and stays pending for ever: check it first.
   */
  async enableExporter(
    id: string,
    initializeFrom: string,
    options: { dryRun?: boolean } = {},
  ): Promise<PlannedChange> {
    return this.change(this.dialect.cluster.enableExporter(id, initializeFrom), options);
  }

  /** Pauses exporting of all exporters on all brokers. Never the soft form. */
  async pauseExporting(): Promise<void> {
    return this.setExporting(this.dialect.exporting.pause);
  }

  /** Resumes exporting on all brokers. */
  async resumeExporting(): Promise<void> {
    return this.setExporting(this.dialect.exporting.resume);
  }

  /**
   * Exporting state of every replica of one broker (`GET /actuator/partitions` of that broker): the only field
   * that shows a pause.
   *
   * @throws {@link Refused} also when the broker answers that it has none only after it has given up looking:
   *   it then runs replicas from before its removal, and adding it would not end until it is restarted
   */
  async exporterPhases(broker: Endpoint): Promise<ExporterPhase[]> {
    const url = `${broker.url}/actuator/partitions`;
    const asked = performance.now();
    const body = this.ok(`GET ${url}`, await this.get(broker, "/actuator/partitions"), 200);
    if (Object.keys(body).length === 0 && performance.now() - asked >= LOOKING_FOR_REPLICAS_MS) {
      throw new Refused(`GET ${url}`, 200, "nothing, after it had looked for its replicas in vain");
    }
    return Object.entries(body).map(([partition, state]) => {
      if (!isRecord(state) || typeof state.exporterPhase !== "string") {
        throw new Refused(`GET ${url}`, 200, `partition ${partition} has no exporterPhase`);
      }
      return {
        partition: Number(partition),
        role: wordIn(state.role),
        phase: state.exporterPhase,
        exportedPosition: Number(state.exportedPosition),
        processedPosition: Number(state.processedPosition),
      };
    });
  }

  /**
   * The disk of one broker as Spring's health shows it (`GET /actuator/health` of that broker); undefined where it does
   * not: a broker of 8.6 shows it only when it is told to.
   */
  async diskSpace(broker: Endpoint): Promise<DiskSpace | undefined> {
    const { body } = await this.get(broker, "/actuator/health");
    const components = isRecord(body) && isRecord(body.components) ? body.components : {};
    const disk = components.diskSpace;
    const details = isRecord(disk) && isRecord(disk.details) ? disk.details : {};
    const { free, total } = details;
    return isRecord(disk) &&
      typeof disk.status === "string" &&
      typeof free === "number" &&
      typeof total === "number"
      ? { status: disk.status, free, total }
      : undefined;
  }

  private async setExporting({ path, body }: ChangeRequest): Promise<void> {
    const url = `${this.endpoints.management}${path}`;
    const answer = await this.post(url, body);
    const { outcome, success } = this.dialect.exporting;
    const became = outcome(answer);
    if (became.status !== success) {
      throw new Refused(`POST ${url}`, became.status, reason(became.body));
    }
  }

  private async change(
    { path, body }: ChangeRequest,
    { dryRun = false }: { dryRun?: boolean },
  ): Promise<PlannedChange> {
    const separator = path.includes("?") ? "&" : "?";
    const url = `${this.endpoints.management}${path}${dryRun ? `${separator}dryRun=true` : ""}`;
    const request = `POST ${url}`;
    const answer = await this.post(url, body);
    if (answer.status === 409) {
      const id = /ClusterChangePlan\[id=(\d+)/.exec(reasonInFull(answer.body))?.[1];
      throw new ChangePending(id === undefined ? undefined : Number(id));
    }
    const accepted = this.ok(request, answer, 202);
    return {
      changeId: Number(accepted.changeId),
      operations: operations(request, accepted.plannedChanges),
      expectedMembers: members(request, accepted.expectedTopology),
      currentMembers: members(request, accepted.currentTopology),
    };
  }

  private async get({ url, credentials }: Endpoint, path: string): Promise<Answer> {
    return send("GET", `${url}${path}`, { timeoutMs: this.timeoutMs, credentials });
  }

  private async post(url: string, body: unknown): Promise<Answer> {
    const { credentials } = this.management;
    return send("POST", url, { body, timeoutMs: this.timeoutMs, credentials });
  }

  private ok(request: string, answer: Answer, status: number): Record<string, unknown> {
    if (answer.status !== status || !isRecord(answer.body)) {
      throw new Refused(request, answer.status, reason(answer.body));
    }
    return answer.body;
  }
}

/** A number of an answer, which must be there: what is left out is no 0, and nothing to compare with. */
function numberOf(request: string, body: Record<string, unknown>, field: string): number {
  const value = body[field];
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    throw new Refused(request, 200, `the answer has no ${field}`);
  }
  return number;
}

/** A word of an answer, which must be there. */
function wordOf(request: string, body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (typeof value !== "string" || value === "") {
    throw new Refused(request, 200, `the answer has no ${field}`);
  }
  return value;
}

function reasonInFull(body: unknown): string {
  return isRecord(body) && typeof body.message === "string" ? body.message : "";
}

function members(request: string, value: unknown): Member[] {
  return listOf(request, value, "brokers").map((broker) => ({
    id: Number(broker.id),
    state: wordIn(broker.state),
    replicas: listOf(request, broker.partitions, "partitions").map((partition) => ({
      partition: Number(partition.id),
      state: wordIn(partition.state),
      exporters: exporterStatesOf(partition.config),
    })),
  }));
}

function exporterStatesOf(config: unknown): Record<string, string> {
  const exporting = isRecord(config) ? config.exporting : undefined;
  const exporters = isRecord(exporting) ? exporting.exporters : undefined;
  return Array.isArray(exporters)
    ? Object.fromEntries(exporters.filter(isRecord).map((e) => [wordIn(e.id), wordIn(e.state)]))
    : {};
}

function lastChange(value: unknown): LastChange | undefined {
  return isRecord(value) ? { id: Number(value.id), status: wordIn(value.status) } : undefined;
}

function pendingChange(request: string, value: unknown): PendingChange | undefined {
  return isRecord(value)
    ? {
        id: Number(value.id),
        status: wordIn(value.status),
        completed: operations(request, value.completed),
        pending: operations(request, value.pending),
      }
    : undefined;
}

function operations(request: string, value: unknown): Operation[] {
  return listOf(request, value, "operations").map((operation) => ({
    operation: wordIn(operation.operation),
    brokerId: Number(operation.brokerId),
    ...(operation.partitionId === undefined ? {} : { partitionId: Number(operation.partitionId) }),
    ...(typeof operation.exporterId === "string" ? { exporterId: operation.exporterId } : {}),
    brokers: Array.isArray(operation.brokers) ? operation.brokers.map(Number) : [],
  }));
}

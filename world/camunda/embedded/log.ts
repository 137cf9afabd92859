import { randomUUID } from "node:crypto";

/** The version that brokers and the names of indices carry. */
export const BROKER_VERSION = "8.6.0";

/** How names of indices begin, unless exporters have another `index.prefix`. */
export const RECORDS_PREFIX = "zeebe-record";

/** A record of a partition's log, with the place where an exporter writes it. */
export interface LogRecord {
  position: number;
  index: string;
  id: string;
  source: RecordSource;
}

/** The document that an exporter writes. Keys are text: they do not fit a JavaScript number. */
export interface RecordSource {
  partitionId: number;
  position: number;
  key: string;
  timestamp: number;
  recordType: "EVENT";
  valueType: string;
  intent: string;
  brokerVersion: string;
  value: Record<string, unknown>;
}

/** How far an exporter is in one partition. */
export interface ExporterPosition {
  /** Last record that it has read, and keeps until it writes. */
  collected: number;
  /** Last record that was written. */
  exported: number;
  /** Last record of which the exporter's state knows: what another exporter is initialised from. */
  committed: number;
  /** When the records that it has collected are written. */
  writesAt?: number;
  /** Whether records are on their way. */
  writing?: boolean;
}

/** The log of one partition, and the state that is replicated with it. */
export class PartitionLog {
  readonly records: LogRecord[] = [];
  readonly exporters = new Map<string, ExporterPosition>();
  /** Exporters that have created their templates since they were opened. */
  readonly opened = new Set<string>();
  private counter = 0;

  constructor(
    readonly partitionId: number,
    exporters: string[],
  ) {
    exporters.forEach((id) => this.exporters.set(id, newPosition(-1)));
  }

  get lastPosition(): number {
    return this.records.length === 0 ? -1 : this.records.length;
  }

  /** The lowest committed position of all enabled exporters. */
  get exportedPosition(): number {
    const positions = [...this.exporters.values()].map(({ committed }) => committed);
    return positions.length === 0 ? -1 : Math.min(...positions);
  }

  /** Where an exporter goes on that becomes enabled. Without a source it misses what came before. */
  enableExporter(id: string, initializeFrom: string | undefined): void {
    const source = this.exporters.get(initializeFrom ?? "")?.committed ?? this.lastPosition;
    this.exporters.set(id, newPosition(source));
    this.opened.delete(id);
  }

  disableExporter(id: string): void {
    this.exporters.delete(id);
    this.opened.delete(id);
  }

  /** A new leader starts its exporters from the replicated state. */
  reopenExporters(): void {
    this.opened.clear();
    // New objects: what an earlier leader still writes says nothing of what this one has written.
    for (const [id, { committed }] of this.exporters) {
      this.exporters.set(id, newPosition(committed));
    }
  }

  /** Records after a position, up to another. */
  between(position: number, last: number): LogRecord[] {
    return this.records.slice(Math.max(position, 0), last);
  }

  /** Writes what the deployment of a process leaves in this partition's log. */
  deploy(processId: string): void {
    const key = this.nextKey();
    const value = { bpmnProcessId: processId, version: 1, resourceName: `${processId}.bpmn` };
    this.append("process", "PROCESS", "CREATED", key, value);
    this.append("deployment", "DEPLOYMENT", "CREATED", key, value);
    this.append("command-distribution", "COMMAND_DISTRIBUTION", "DISTRIBUTING", key, value);
  }

  /** Writes what one process instance leaves in the log, and returns its key. */
  startInstance(processId: string, variables: Record<string, unknown>): string {
    const key = this.nextKey();
    const value = { bpmnProcessId: processId, version: 1, processInstanceKey: key };
    const element = (bpmnElementType: string, elementId: string) => ({
      ...value,
      bpmnElementType,
      elementId,
    });
    this.append(
      "process-instance-creation",
      "PROCESS_INSTANCE_CREATION",
      "CREATED",
      this.nextKey(),
      value,
    );
    for (const [name, content] of Object.entries(variables)) {
      const variable = { ...value, name, value: JSON.stringify(content), scopeKey: key };
      this.append("variable", "VARIABLE", "CREATED", this.nextKey(), variable);
    }
    for (const intent of ["ELEMENT_ACTIVATING", "ELEMENT_ACTIVATED"]) {
      this.append(
        "process-instance",
        "PROCESS_INSTANCE",
        intent,
        key,
        element("PROCESS", processId),
      );
    }
    const task = this.nextKey();
    for (const intent of ["ELEMENT_ACTIVATING", "ELEMENT_ACTIVATED"]) {
      this.append(
        "process-instance",
        "PROCESS_INSTANCE",
        intent,
        task,
        element("SERVICE_TASK", "work"),
      );
    }
    this.append("job", "JOB", "CREATED", this.nextKey(), { ...value, type: "work" });
    return key;
  }

  private append(
    kind: string,
    valueType: string,
    intent: string,
    key: string,
    value: Record<string, unknown>,
  ): void {
    const { partitionId } = this;
    const position = this.records.length + 1;
    const timestamp = Date.now();
    const day = new Date(timestamp).toISOString().slice(0, 10);
    this.records.push({
      position,
      index: `${RECORDS_PREFIX}_${kind}_${BROKER_VERSION}_${day}`,
      id: `${partitionId}-${position}`,
      source: {
        partitionId,
        position,
        key,
        timestamp,
        recordType: "EVENT",
        valueType,
        intent,
        brokerVersion: BROKER_VERSION,
        value,
      },
    });
  }

  /** Keys of a partition share its number in their upper bits. */
  private nextKey(): string {
    return String((BigInt(this.partitionId) << 51n) + BigInt(++this.counter));
  }
}

function newPosition(position: number): ExporterPosition {
  return { collected: position, exported: position, committed: position };
}

/** Ids as Elasticsearch makes them up. */
export function shortId(): string {
  return Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
}

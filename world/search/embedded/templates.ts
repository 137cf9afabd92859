import { BROKER_VERSION } from "../../camunda/embedded/log";

/** A template, by the name that it is put under. */
export interface NamedTemplate {
  name: string;
  template: Record<string, unknown>;
}

const KINDS = [
  "command-distribution",
  "deployment",
  "incident",
  "job",
  "job-batch",
  "message",
  "process",
  "process-instance",
  "process-instance-creation",
  "process-message-subscription",
  "timer",
  "user-task",
  "variable",
];

const KEYWORD = { type: "keyword" };
const LONG = { type: "long" };

/** What all records have in common. */
export const COMPONENT_TEMPLATE: NamedTemplate = {
  name: "zeebe-record",
  template: {
    template: {
      settings: { "index.number_of_replicas": "0" },
      mappings: {
        dynamic: "strict",
        properties: {
          partitionId: { type: "integer" },
          position: LONG,
          key: LONG,
          timestamp: { type: "date" },
          recordType: KEYWORD,
          valueType: KEYWORD,
          intent: KEYWORD,
          brokerVersion: KEYWORD,
        },
      },
    },
    version: 1,
  },
};

/** The templates of the indices, one for each type of a record. */
export const INDEX_TEMPLATES: readonly NamedTemplate[] = KINDS.map((kind) => ({
  name: `zeebe-record_${kind}_${BROKER_VERSION}`,
  template: {
    index_patterns: [`zeebe-record_${kind}_${BROKER_VERSION}_*`],
    template: {
      settings: { index: { number_of_shards: String(shardsOf(kind)) } },
      aliases: { [`zeebe-record-${kind}`]: {} },
      mappings: {
        properties: {
          value: {
            dynamic: "strict",
            properties: {
              bpmnElementType: KEYWORD,
              bpmnProcessId: KEYWORD,
              elementId: KEYWORD,
              name: KEYWORD,
              processInstanceKey: LONG,
              resourceName: KEYWORD,
              scopeKey: LONG,
              type: KEYWORD,
              value: KEYWORD,
              version: { type: "integer" },
            },
          },
        },
      },
    },
    composed_of: [COMPONENT_TEMPLATE.name],
    priority: 20,
    version: 1,
  },
}));

/** Shards of an index, by the type of its records. */
export function shardsOf(kind: string): number {
  return kind === "process-instance" || kind === "job" ? 3 : 1;
}

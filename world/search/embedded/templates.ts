import { brokerVersion } from "../../camunda/embedded/log";

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

const keyword = { type: "keyword" };
const long = { type: "long" };

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
          position: long,
          key: long,
          timestamp: { type: "date" },
          recordType: keyword,
          valueType: keyword,
          intent: keyword,
          brokerVersion: keyword,
        },
      },
    },
    version: 1,
  },
};

/** The templates of the indices, one for each type of a record. */
export const INDEX_TEMPLATES: readonly NamedTemplate[] = KINDS.map((kind) => ({
  name: `zeebe-record_${kind}_${brokerVersion}`,
  template: {
    index_patterns: [`zeebe-record_${kind}_${brokerVersion}_*`],
    template: {
      settings: { index: { number_of_shards: String(shardsOf(kind)) } },
      aliases: { [`zeebe-record-${kind}`]: {} },
      mappings: {
        properties: {
          value: {
            dynamic: "strict",
            properties: {
              bpmnElementType: keyword,
              bpmnProcessId: keyword,
              elementId: keyword,
              name: keyword,
              processInstanceKey: long,
              resourceName: keyword,
              scopeKey: long,
              type: keyword,
              value: keyword,
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

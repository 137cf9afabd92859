import { dynamicResource } from "../base/dynamic";

/** Inputs of an {@link ElasticsearchHealth}. */
export interface ElasticsearchHealthInputs {
  /** Nodes of Elasticsearch that are wished in this stack's region: another number is verified anew. */
  nodes: number;
}

/** After an installation, and after a change of their number: every node of this region's Elasticsearch is ready. */
export const ElasticsearchHealth = dynamicResource<ElasticsearchHealthInputs>(
  "elasticsearchHealth",
  "ElasticsearchHealth",
);

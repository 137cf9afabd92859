/** How many documents an Elasticsearch has, over all indices. */
export function documentCount(documents: Record<string, number>): number {
  return Object.values(documents).reduce((sum, count) => sum + count, 0);
}

import { requestJson } from "../../processes/http";

const RECORDS = "zeebe-record*";
/** The most distinct values that a search engine counts in one answer by default. */
const MOST_BUCKETS = 65_535;

interface Counted {
  aggregations?: {
    values: { sum_other_doc_count: number; buckets: { key: string | number; doc_count: number }[] };
  };
}

/** Number of documents by index of Zeebe's records, all that was indexed so far. */
export async function countDocuments(searchUrl: string): Promise<Record<string, number>> {
  await requestJson(`${searchUrl}/${RECORDS}/_refresh`, { method: "POST" });
  return Object.fromEntries(await countBy(`${searchUrl}/${RECORDS}`, "_index"));
}

/** Keys of all process instances in Zeebe's records. */
export async function findInstanceKeys(searchUrl: string): Promise<Set<string>> {
  const index = `${searchUrl}/zeebe-record_process-instance_*`;
  await requestJson(`${index}/_refresh`, { method: "POST" });
  const query = { term: { "value.bpmnElementType": "PROCESS" } };
  return new Set((await countBy(index, "value.processInstanceKey", query)).map(([key]) => key));
}

async function countBy(index: string, field: string, query?: object): Promise<[string, number][]> {
  const answer = await requestJson<Counted>(`${index}/_search`, {
    method: "POST",
    json: {
      size: 0,
      ...(query && { query }),
      aggs: { values: { terms: { field, size: MOST_BUCKETS } } },
    },
  });
  // Without any index there is nothing to aggregate, and nothing in the answer.
  const values = answer.aggregations?.values;
  if (values && values.sum_other_doc_count > 0) {
    throw new Error(`more than ${MOST_BUCKETS} values of ${field} in ${index}`);
  }
  return (values?.buckets ?? []).map(({ key, doc_count }) => [String(key), doc_count]);
}

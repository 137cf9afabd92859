import type { ExportTarget } from "../../camunda/embedded/exportTarget";
import type { LogRecord } from "../../camunda/embedded/log";
import { toJson } from "../embedded/searchQueries";
import { COMPONENT_TEMPLATE, INDEX_TEMPLATES } from "../embedded/templates";
import { requestJson } from "../../processes/http";
import { whyNoAnswer } from "../../processes/until";
import type { Log } from "../../../components/clients/poll";

/** The answer of `_bulk`, one item for each document. */
interface Bulk {
  items: { index: { status: number; error?: { type: string; reason: string } } }[];
}

/** Writes Zeebe's records as Camunda's exporter does: templates, then bulk requests by index and id. */
export class BulkExport implements ExportTarget {
  private problem = "";

  /**
   * @param url of the search engine
   * @param log gets what keeps the records from being written, once as long as it stays the same
   */
  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {}

  async export(records: readonly LogRecord[], opens: boolean): Promise<number> {
    try {
      if (opens) {
        await this.putTemplates();
      }
      const { items } = await requestJson<Bulk>(`${this.url}/_bulk`, {
        method: "POST",
        lines: records.flatMap(({ index, id, source }) => [
          JSON.stringify({
            index: { _index: index, _id: id, routing: String(source.partitionId) },
          }),
          toJson(source),
        ]),
      });
      const refused = items.findIndex(({ index }) => index.status > 299);
      this.say(refused === -1 ? "" : JSON.stringify(items[refused]?.index.error));
      return refused === -1 ? records.length : refused;
    } catch (error) {
      // An outage: the records wait.
      this.say(whyNoAnswer(error));
      return 0;
    }
  }

  private async putTemplates(): Promise<void> {
    const put = (kind: string, { name, template }: typeof COMPONENT_TEMPLATE) =>
      requestJson(`${this.url}/${kind}/${name}`, { method: "PUT", json: template });
    await put("_component_template", COMPONENT_TEMPLATE);
    for (const template of INDEX_TEMPLATES) {
      await put("_index_template", template);
    }
  }

  private say(problem: string): void {
    if (problem !== "" && problem !== this.problem) {
      this.log(`exporting to ${this.url}: ${problem}`);
    }
    this.problem = problem;
  }
}

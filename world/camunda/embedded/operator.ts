import type { AgreedCluster } from "./agreed";
import type { Incoming, Reply } from "../../exchange";

/** What an operator does by hand, past the servers and the journal, and waits for. */
export class Operator {
  /**
   * @param ask any broker that runs
   * @param until waits for a condition
   */
  constructor(
    private readonly ask: (request: Incoming) => Reply | Promise<Reply>,
    private readonly cluster: () => AgreedCluster,
    private readonly until: (what: string, condition: () => boolean) => Promise<void>,
  ) {}

  async disableExporter(id: string): Promise<void> {
    await this.post(`/actuator/exporters/${id}/disable`);
    await this.until(`${id} is disabled`, () => this.cluster().exporters[id] === "DISABLED");
    await this.untilNothingPends();
  }

  async pauseExporting(options: { soft?: boolean }): Promise<void> {
    const answer = await this.post(`/actuator/exporting/pause${options.soft ? "?soft=true" : ""}`);
    const body = answer.body as { status?: number } | undefined;
    if ((body?.status ?? answer.status) !== 204) {
      throw new Error(`cannot pause: ${JSON.stringify(answer.body)}`);
    }
  }

  async forceRemove(ids: number[]): Promise<void> {
    const retained = this.cluster().members.filter((id) => !ids.includes(id));
    await this.post("/actuator/cluster/brokers?force=true", JSON.stringify(retained));
    await this.untilNothingPends();
  }

  /** Cancels the change that pends. */
  async cancelChange(): Promise<void> {
    const id = this.cluster().pendingChange?.id;
    await this.request("DELETE", `/actuator/cluster/changes/${id}`);
    await this.untilNothingPends();
  }

  private untilNothingPends(): Promise<void> {
    return this.until("the change is complete", () => this.cluster().pendingChange === undefined);
  }

  private post(target: string, text = ""): Promise<Reply> {
    return this.request("POST", target, text);
  }

  private async request(method: string, target: string, text = ""): Promise<Reply> {
    const [path = "", query = ""] = target.split("?");
    const reply = await this.ask({
      method,
      path,
      query: new URLSearchParams(query),
      headers: { "content-type": "application/json" },
      text,
    });
    if (reply.status >= 400) {
      throw new Error(`${target}: ${reply.status} ${JSON.stringify(reply.body)}`);
    }
    return reply;
  }
}

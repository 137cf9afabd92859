import { REGION_NAMES } from "./options";
import { LoopbackServer } from "./server";
import type { Incoming, Reply } from "../../exchange";
import type { FaultBook, Journal, Receiver } from "./faults";
import type { RegionEndpoints, RegionName } from "../../world";

type BrokerServer = "management" | "gateway";

/** Who answers at the ports of the regions. */
export interface Answers {
  broker(id: number, server: BrokerServer, request: Incoming): Reply | Promise<Reply>;
  elasticsearch(region: RegionName, request: Incoming): Reply | Promise<Reply>;
}

/** The ports of both regions on this machine. They stay when what answers there is lost and recreated. */
export class Servers {
  private readonly brokers = new Map<number, Record<BrokerServer, LoopbackServer>>();
  private readonly searches: Record<RegionName, LoopbackServer>;

  constructor(
    private readonly answers: Answers,
    private readonly faults: FaultBook,
    private readonly journal: Journal,
  ) {
    const search = (region: RegionName) =>
      this.server({ region, server: "elasticsearch" }, (r) => answers.elasticsearch(region, r));
    this.searches = { region0: search("region0"), region1: search("region1") };
  }

  /** Ports for brokers that have none yet. */
  add(brokers: Iterable<{ id: number; region: RegionName }>): void {
    for (const { id, region } of brokers) {
      const server = (name: BrokerServer) =>
        this.server({ region, brokerId: id, server: name }, (request) =>
          this.answers.broker(id, name, request),
        );
      if (!this.brokers.has(id)) {
        this.brokers.set(id, { management: server("management"), gateway: server("gateway") });
      }
    }
  }

  /** Where a region with these brokers answers. */
  endpoints(region: RegionName, ids: number[]): RegionEndpoints {
    const url = (server: BrokerServer, id = ids[0] ?? 0) =>
      (this.brokers.get(id) as Record<BrokerServer, LoopbackServer>)[server].url;
    return {
      gateway: url("gateway"),
      management: url("management"),
      brokers: Object.fromEntries(ids.map((id) => [String(id), url("management", id)])),
      elasticsearch: this.searches[region].url,
    };
  }

  portOf(id: number, server: BrokerServer): number | undefined {
    return this.brokers.get(id)?.[server].port;
  }

  async openBroker(id: number): Promise<void> {
    const { management, gateway } = this.brokers.get(id) ?? {};
    await management?.open();
    await gateway?.open();
  }

  async closeBroker(id: number): Promise<void> {
    const { management, gateway } = this.brokers.get(id) ?? {};
    await Promise.all([management?.close(), gateway?.close()]);
  }

  async openSearch(region: RegionName): Promise<void> {
    await this.searches[region].open();
  }

  async closeSearch(region: RegionName): Promise<void> {
    await this.searches[region].close();
  }

  /** Gives the ports back. */
  release(): void {
    this.brokers.forEach((servers) => Object.values(servers).forEach((server) => server.release()));
    REGION_NAMES.forEach((region) => this.searches[region].release());
  }

  private server(
    site: Receiver,
    handle: (request: Incoming) => Reply | Promise<Reply>,
  ): LoopbackServer {
    return new LoopbackServer(site, handle, this.faults, this.journal);
  }
}

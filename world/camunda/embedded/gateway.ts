import { Cluster, Unavailable } from "./cluster";
import { springError } from "./management";
import type { Incoming, Reply } from "../../exchange";

const PROBLEM_JSON = { "Content-Type": "application/problem+json" };

/** The REST API of the gateway that is part of every broker. */
export class GatewayApi {
  constructor(
    private readonly cluster: Cluster,
    private readonly portOf: (brokerId: number) => number,
  ) {}

  /** Answers a request that reached the REST port of a broker. */
  answer(brokerId: number, request: Incoming): Reply {
    const broker = this.cluster.broker(brokerId);
    const asked = `${request.method} ${request.path}`;
    try {
      switch (asked) {
        case "GET /v2/topology":
          return { status: 200, body: this.cluster.topology(broker, this.portOf) };
        case "POST /v2/deployments": {
          const processId = /<(?:\w+:)?process\b[^>]*\bid="([^"]+)"/.exec(request.text)?.[1];
          if (processId === undefined) {
            return problem(400, "INVALID_ARGUMENT", "No process in the resources", request);
          }
          this.cluster.deploy(broker.region, processId);
          return {
            status: 200,
            body: {
              deployments: [
                {
                  processDefinition: {
                    processDefinitionId: processId,
                    processDefinitionVersion: 1,
                  },
                },
              ],
              tenantId: "<default>",
            },
          };
        }
        case "POST /v2/process-instances":
          return this.createInstance(broker.region, request);
        default:
          return springError(404, request);
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) {
        throw error;
      }
      const detail =
        "Expected to handle REST API request, but there was a connection error with one of the brokers";
      return problem(503, "java.net.ConnectException", detail, request);
    }
  }

  private createInstance(region: "region0" | "region1", request: Incoming): Reply {
    let body: { processDefinitionId?: unknown; variables?: Record<string, unknown> };
    try {
      body = (JSON.parse(request.text) ?? {}) as typeof body;
    } catch {
      return problem(400, "Bad Request", "Request property [body] cannot be parsed", request);
    }
    const processId = String(body.processDefinitionId ?? "");
    if (!this.cluster.processes.has(processId)) {
      // The partition that would look the process up must be there first.
      this.cluster.requireLeaders(region);
      const detail = `Command 'CREATE' rejected with code 'NOT_FOUND': Expected to find process definition with process ID '${processId}', but none found`;
      return problem(404, "NOT_FOUND", detail, request);
    }
    const key = this.cluster.startInstance(region, processId, body.variables ?? {});
    // Written by hand: the key does not fit a JavaScript number.
    const rest = JSON.stringify({
      processDefinitionId: processId,
      processDefinitionVersion: 1,
      tenantId: "<default>",
    });
    return { status: 200, text: `{"processInstanceKey":${key},${rest.slice(1)}` };
  }
}

function problem(status: number, title: string, detail: string, { path }: Incoming): Reply {
  return {
    status,
    body: { type: "about:blank", title, status, detail, instance: path },
    headers: PROBLEM_JSON,
  };
}

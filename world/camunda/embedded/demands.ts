import type { RegionName } from "../../world";
import type { ServerName } from "./faults";
import type { Incoming, Reply } from "../../exchange";

/** What a server lets in: a user with a password, an API key of Elasticsearch, or a bearer token. */
export type Demand = { user: string; password: string } | { apiKey: string } | { token: string };

/** What each server of each region asks for; nothing where it is left out. */
export type Demands = Record<RegionName, Partial<Record<ServerName, Demand>>>;

/** Whether a request carries what is asked for. */
export function isMet(demand: Demand | undefined, { headers }: Incoming): boolean {
  if (demand === undefined) {
    return true;
  }
  const [scheme, value = "", ...more] = headers.authorization?.split(" ") ?? [];
  if (more.length > 0) {
    return false;
  }
  if ("user" in demand) {
    const sent = Buffer.from(value, "base64").toString();
    return scheme === "Basic" && sent === `${demand.user}:${demand.password}`;
  }
  return "apiKey" in demand
    ? scheme === "ApiKey" && value === demand.apiKey
    : scheme === "Bearer" && value === demand.token;
}

/** What stands before a gateway and lets nobody in answers. */
export function unauthorized(demand: Demand | undefined): Reply {
  const scheme = demand !== undefined && "user" in demand ? 'Basic realm="camunda"' : "Bearer";
  return { status: 401, headers: { "WWW-Authenticate": scheme } };
}

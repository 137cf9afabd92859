import { isKubernetesUrl, parseKubernetesAddress } from "../../base/kubernetesAddress";
import * as s from "../schema";

/** What is wrong with a URL; what may hold a password is not said. */
function urlProblem(url: string): string | undefined {
  if (isKubernetesUrl(url)) {
    try {
      return parseKubernetesAddress(url.replace(/\/+$/, "")).path === ""
        ? undefined
        : "must end with the port, without a path behind it";
    } catch (error) {
      return `is wrong: ${(error as Error).message}`;
    }
  }
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    return `must be an http, https, eks or kubernetes URL${url.includes("@") ? "" : `, not ${s.quoted(url)}`}`;
  }
  const { username, password, pathname, search, hash } = new URL(url);
  if (search !== "" || hash !== "" || /[?#]/.test(url)) {
    return "has a query or a fragment: write the address alone, up to the port or path";
  }
  const [api] = /\/(actuator|v2)(?=\/|$)/.exec(pathname) ?? [];
  if (api !== undefined) {
    return `has ${api} in it, which requests add by themselves: write what is before it`;
  }
  return username === "" && password === ""
    ? undefined
    : "has a user or password in it, which would be kept in clear: they go into credentials";
}

/** A URL, without a slash at the end. */
const url = s.pipe(
  s.text,
  s.wrong(urlProblem),
  s.transform((given) => given.replace(/\/+$/, "")),
);

const region = s.part(
  s.parts({
    gateway: s.part(url, "Zeebe REST API, without `/v2`: shows which brokers are seen"),
    management: s.part(
      url,
      "management API of that gateway, without `/actuator`: changes the cluster",
    ),
    brokers: s.part(
      s.named(url),
      "management API of every broker of the region, by id: the only place that shows a pause",
    ),
    elasticsearch: s.part(url, "Elasticsearch of the region"),
  }),
  "where the gateway, management, brokers and elasticsearch of that region answer",
);

/** HTTP ends a user's name with a colon. Whatever stands here by mistake may be a secret, and is not said. */
const user = s.pipe(
  s.custom<string | number>(
    (value) =>
      ["string", "number"].includes(typeof value) &&
      /^[^\s:\p{Cc}]([^:\p{Cc}]*[^\s:\p{Cc}])?$/u.test(String(value)),
    "must be a name in one line, without a colon",
  ),
  s.transform(String),
);

const basic = { user: s.optional(user), password: s.optional(s.secret) };

/** What an API asks for, in both regions or in each. */
function api<E extends s.Entries>(asked: E, what: string) {
  return s.part(s.object({ ...asked, ...s.byRegion(() => s.optional(s.parts(asked))) }), what);
}

const camunda = { ...basic, token: s.optional(s.token("a bearer token")) };

export const ENDPOINTS = s.section("Camunda that is reached by URLs", ["endpoints"], {
  endpoints: {
    type: "object",
    schema: s.object(s.byRegion(() => region)),
    text: "Where each region answers: `gateway` (REST API), `management` (of that gateway), `brokers` (management API of each broker, by id) and `elasticsearch`. Set it in one place, here, so that the stacks cannot disagree. Required. http, https, or the way through a cluster as in [outputs](outputs.md); no user or password in them. [Example](endpoints.md#steps).",
    change: "at any time, to others of the same cluster",
  },
  webApps: {
    type: "object",
    schema: s.optional(
      s.parts({
        stop: s.part(s.command, "the command that stops them"),
        start: s.part(s.command, "the command that starts them again"),
      }),
    ),
    open: "the environment of pulumi, which commands see",
    text: "Commands of yours, `stop` and `start`, for Operate and Tasklist of this stack's region. Each must end with 0 only when it is done. Without it they are not stopped for the snapshot of a failback. On `eks` and `kubernetes` they are scaled.",
    change: "not while `failback` is set",
  },
  credentials: {
    type: "object",
    schema: s.object({
      elasticsearch: api(
        { ...basic, apiKey: s.optional(s.token("an API key in its encoded form")) },
        "what Elasticsearch asks for: `user` and `password`, or `apiKey` in its encoded form",
      ),
      gateway: api(
        camunda,
        "what the REST API of the gateway asks for: `user` and `password`, or `token`, which is sent as a bearer token",
      ),
      management: api(
        camunda,
        "what the management API of the gateway and of every broker asks for: likewise",
      ),
    }),
    secret: ["password", "apiKey", "token"],
    elsewhere:
      "are for Camunda of others (platform endpoints): what is installed here asks for none; leave it out",
    text: "What the regions ask for, of `elasticsearch`, `gateway` and `management`, as far as they ask: `user` and `password`, or `apiKey` (Elasticsearch) or `token` (the others). Said once for both regions, or under `region0` and `region1`. `password`, `apiKey` and `token` must be encrypted: `pulumi config set --path --secret credentials.elasticsearch.password` asks for it. Each stack needs those of both regions, in its own file. A token must outlast a recovery. [Example](endpoints.md#credentials). Refused on the other platforms: what is installed there asks for none.",
    change: "at any time",
  },
});

import { isIP } from "node:net";
import {
  Directive,
  readCorefile,
  ServerBlock,
  zoneOf,
} from "../../../components/installation/kubernetes/corefileText";

/** What CoreDNS does with a name: asks somebody else, answers with a code, or looks in its own cluster. */
export type DnsDecision =
  | { kind: "forward"; addresses: string[]; tcp: boolean }
  | { kind: "code"; code: string }
  | { kind: "cluster" }
  /** Beyond the cluster: the resolver of the node. */
  | { kind: "outside" };

/**
 * A configuration of CoreDNS, as far as it decides on the addresses of names. What it imports from files is
 * not known, nor what `hosts` and `rewrite` say.
 *
 * @throws Error where CoreDNS would not start with it
 */
export class Corefile {
  private readonly servers: ServerBlock[];

  constructor(text: string) {
    this.servers = readCorefile(text).servers;
    const directives = this.servers.flatMap((server) => server.directives);
    const unknown = directives.find(({ name }) => !PLUGINS.has(name));
    if (unknown !== undefined) {
      throw new Error(`Unknown directive '${unknown.name}'`);
    }
    for (const { args } of directives.filter(({ name }) => name === "forward")) {
      const wrong = args.slice(1).find((to) => !isAddress(to) && !isFile(to));
      if (args.length < 2 || wrong !== undefined) {
        throw new Error(`plugin/forward: not an IP address or file: "${wrong ?? ""}"`);
      }
    }
    const nameless = this.servers
      .flatMap(({ keys }) => keys)
      .find((key) => {
        const { name } = zoneOf(key);
        return name !== "." && /^\.|\.\./.test(name);
      });
    if (nameless !== undefined) {
      throw new Error(`zone is not a valid domain name: ${nameless}`);
    }
    const served = this.servers.flatMap((server) => {
      const bound = server.directives.filter(({ name }) => name === "bind");
      return server.keys.flatMap((key) => {
        const { transport, name, port } = zoneOf(key);
        const hosts = bound.length === 0 ? [""] : bound.flatMap(({ args }) => args);
        return hosts.map((host) => `${transport}://${name}:${port}${host && ` on ${host}`}`);
      });
    });
    const twice = served.find((zone, index) => served.indexOf(zone) !== index);
    if (twice !== undefined) {
      throw new Error(`cannot serve ${twice} - it is already defined`);
    }
  }

  /** Whether any server has a plugin. */
  has(plugin: string): boolean {
    return this.servers.some(({ directives }) => directives.some(({ name }) => name === plugin));
  }

  /**
   * What happens with a name that is asked for on port 53: of the servers the one with the longest zone
   * decides, and in it, whatever stands first, `template` before `kubernetes` before `forward`.
   */
  decide(name: string): DnsDecision {
    const [server] = this.servers
      .flatMap(({ keys, directives }) => keys.map((key) => ({ ...zoneOf(key), keys, directives })))
      .filter(({ transport, port }) => transport === "dns" && port === 53)
      .filter((zone) => within(name, zone.name))
      .sort((a, b) => b.name.length - a.name.length);
    if (server === undefined || server.directives.every((one) => SILENT.has(one.name))) {
      return { kind: "code", code: "REFUSED" };
    }
    const all = (plugin: string) => server.directives.filter((one) => one.name === plugin);
    const zones = (args: string[]) => (args.length > 0 ? args : server.keys).map(zoneOf);
    const concerns = (args: string[]) => zones(args).some((zone) => within(name, zone.name));
    for (const template of all("template")) {
      const [queryClass, type, ...own] = template.args;
      if (/^(IN|ANY)$/i.test(queryClass ?? "") && /^(A|ANY)$/i.test(type ?? "") && concerns(own)) {
        const code = templateCode(template, name);
        if (code !== undefined) {
          return { kind: "code", code };
        }
      }
    }
    if (all("kubernetes").some(({ args }) => concerns(args))) {
      return { kind: "cluster" };
    }
    const forward = all("forward").find(({ args: [from = ""], body }) => {
      const except = body.flatMap(([option, ...names]) => (option === "except" ? names : []));
      return (
        within(name, zoneOf(from).name) && !except.some((zone) => within(name, zoneOf(zone).name))
      );
    });
    if (forward === undefined) {
      return { kind: "code", code: "SERVFAIL" };
    }
    const addresses = forward.args.slice(1);
    return addresses.every(isAddress)
      ? {
          kind: "forward",
          addresses: addresses.map((address) => address.replace(/:53$/, "")),
          tcp: forward.body.some(([option]) => option === "force_tcp"),
        }
      : { kind: "outside" };
  }
}

/** The plugins of CoreDNS 1.12. */
const PLUGINS = new Set(
  (
    "root metadata geoip cancel tls quic timeouts multisocket reload nsid bufsize bind debug trace ready health " +
    "pprof prometheus errors log dnstap local dns64 acl any chaos loadbalance tsig cache rewrite header dnssec " +
    "autopath minimal template transfer hosts route53 azure clouddns k8s_external kubernetes file auto secondary " +
    "etcd loop forward grpc erratic whoami on sign view"
  ).split(" "),
);

/** Those of them that answer no question and hand none on. */
const SILENT = new Set(
  "root tls quic timeouts multisocket reload bind debug ready health pprof on".split(" "),
);

/** The code that a template answers with; undefined: it leaves the name to the next plugin. */
function templateCode({ body }: Directive, name: string): string | undefined {
  const option = (which: string) => body.find(([first]) => first === which);
  const patterns = body.flatMap(([first, ...rest]) => (first === "match" ? rest : []));
  if (patterns.length > 0 && !patterns.some((pattern) => new RegExp(pattern).test(`${name}.`))) {
    const [fallthrough, ...zones] = option("fallthrough") ?? [];
    const falls = zones.length === 0 || zones.some((zone) => within(name, zoneOf(zone).name));
    return fallthrough !== undefined && falls ? undefined : "SERVFAIL";
  }
  return option("rcode")?.[1] ?? "NOERROR";
}

function isAddress(to: string): boolean {
  return isIP(to.replace(/^dns:\/\//, "").replace(/:\d+$/, "")) === 4;
}

/** A file like the resolver's, or an upstream over TLS or IPv6: none of them is a DNS of a region. */
function isFile(to: string): boolean {
  return (
    to.startsWith("/") ||
    to.startsWith("tls://") ||
    isIP(to.replace(/^\[(.*)\](:\d+)?$/, "$1")) === 6
  );
}

function within(name: string, zone: string): boolean {
  return zone === "." || name === zone || name.endsWith(`.${zone}`);
}

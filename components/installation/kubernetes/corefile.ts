import { isDeepStrictEqual } from "node:util";
import { readCorefile, ServerBlock, Zone, zoneOf } from "./corefileText";

/** What DNS names of the other region's pods resolve to, and how. */
export interface PeerNames {
  /** The other region's namespace. */
  peerNamespace: string;
  /** Addresses of the other region's DNS entry point. */
  peerAddresses: readonly string[];
  /** Whether the other region is fenced off: its names then fail at once instead of timing out. */
  fenced: boolean;
}

const BEGIN = "# BEGIN camunda-dual-region";
const END = "# END camunda-dual-region";

/** What pods ask for everything that nobody else serves. */
const ROOT: Zone = { transport: "dns", name: ".", port: 53 };

/**
 * The whole Corefile of an EKS cluster: the one that the add-on ships, and the block of the other region.
 * `ready` and the lame duck must be in it: the add-on's pods are probed there.
 */
export function corefile(names: PeerNames): string {
  return `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
${corefileBlock(names)}`;
}

/**
 * The server block for the DNS names of the other region's namespace.
 *
 * They are asked over TCP, which is what the entry point and the security groups let in. Under a
 * fence the answer is "no such name": a broker that is restarted then goes on with the contact points of
 * its own region, instead of waiting for an answer that does not come.
 */
export function corefileBlock({ peerNamespace, peerAddresses, fenced }: PeerNames): string {
  const zone = `${peerNamespace}.svc.cluster.local`;
  return fenced
    ? `${zone}:53 {
    errors
    template IN ANY ${zone} {
        rcode NXDOMAIN
    }
}
`
    : `${zone}:53 {
    errors
    cache 30
    forward . ${peerAddresses.join(" ")} {
        force_tcp
        max_fails 2
        expire 10s
    }
}
`;
}

/**
 * Puts a block into a Corefile that is not ours, between two marks, or takes it out. What is around the
 * marks stays as it is, to the byte.
 *
 * @param block what {@link corefileBlock} makes; undefined takes ours out
 * @throws Error with one line where CoreDNS would not start with both, or would not ask our block
 */
export function patchCorefile(existing: string, block: string | undefined): string {
  const parts = split(existing);
  if (block === undefined) {
    return parts.theirs;
  }
  const patched =
    parts.block === block ? existing : `${parts.before}${BEGIN}\n${block}${END}${parts.after}`;
  expectServed(block.slice(0, block.indexOf(" ")), parts.theirs, patched);
  return patched;
}

/** Our block as it is in a Corefile, or undefined when it is not there. Errors as {@link patchCorefile}. */
export function blockIn(existing: string): string | undefined {
  return split(existing).block;
}

function expectServed(key: string, theirs: string, patched: string): void {
  const ours = zoneOf(key);
  const isOurs = (other: string) => isDeepStrictEqual(zoneOf(other), ours);
  const servers = serversIn(theirs);
  if (servers.some((server) => server.keys.some(isOurs))) {
    throw new Error(
      `the Corefile serves ${ours.name} itself, CoreDNS does not start with two: take it out, or set dns.kind to none`,
    );
  }
  const root = servers.find(({ keys }) => keys.some((one) => isDeepStrictEqual(zoneOf(one), ROOT)));
  if (root === undefined || root.directives.some(({ name }) => name === "bind")) {
    throw new Error(
      `the Corefile has no ".:53" without "bind", a server beside it would not be asked: set dns.kind to none and forward DNS yourself`,
    );
  }
  if (!serversIn(patched).some((server) => server.keys.some(isOurs))) {
    throw new Error(
      `${ours.name} cannot be added to the Corefile: every server in it must have its own { and }`,
    );
  }
}

function serversIn(text: string): ServerBlock[] {
  try {
    return readCorefile(text).servers;
  } catch (error) {
    throw new Error(
      `CoreDNS cannot read the Corefile (${(error as Error).message}) and runs with an older one: correct it, then pulumi up again`,
    );
  }
}

/**
 * A Corefile at our marks. Where the text ends without a line end, the second mark does, too: so that taking
 * ours out gives back what was there.
 */
function split(existing: string): {
  before: string;
  block: string | undefined;
  after: string;
  theirs: string;
} {
  const lines = existing.split("\n");
  const places = (mark: string) =>
    lines.flatMap((line, index) => (line.trim() === mark ? [index] : []));
  const begins = places(BEGIN);
  const ends = places(END);
  const [begin] = begins;
  const [end] = ends;
  if (begin === undefined && end === undefined) {
    const whole = existing === "" || existing.endsWith("\n");
    return {
      before: whole ? existing : `${existing}\n`,
      block: undefined,
      after: whole ? "\n" : "",
      theirs: existing,
    };
  }
  if (begin === undefined || end === undefined || begins.length + ends.length > 2 || begin > end) {
    throw new Error(
      `the Corefile has "${BEGIN}" ${begins.length} times, "${END}" ${ends.length} times: take these lines and what is between them out by hand`,
    );
  }
  const text = (part: string[]) => part.map((line) => `${line}\n`).join("");
  const before = text(lines.slice(0, begin));
  const after = lines.slice(end + 1);
  return {
    before,
    // An editor may have changed its line ends with all others.
    block: text(lines.slice(begin + 1, end)).replace(/\r\n/g, "\n"),
    after: after.map((line) => `\n${line}`).join(""),
    theirs: after.length === 0 ? before.replace(/\n$/, "") : before + after.join("\n"),
  };
}

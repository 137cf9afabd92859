/** What the names of the other region's pods resolve to, and how. */
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
 * The server block for the names of the other region's namespace.
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
 * marks stays as it is.
 *
 * @param block what {@link corefileBlock} makes; undefined takes ours out
 * @throws Error with one line when only one of the marks is there, or the zone is served outside of them:
 *   CoreDNS refuses a zone that is there twice, and would not start
 */
export function patchCorefile(existing: string, block: string | undefined): string {
  const { before, after } = split(existing);
  const rest = before + after;
  if (block === undefined) {
    return rest;
  }
  const zone = block.slice(0, block.indexOf(" "));
  const served = new RegExp(`(^|[\\s,])${escaped(zone.replace(/:53$/, ""))}\\.?(:53)?[\\s,{]`, "m");
  if (served.test(withoutComments(rest))) {
    throw new Error(
      `the Corefile serves ${zone} already, outside of the lines between "${BEGIN}" and "${END}": take that block out, CoreDNS does not start with two`,
    );
  }
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  return `${before}${gap}${BEGIN}\n${block}${END}\n${after}`;
}

/** Our block as it is in a Corefile, or undefined when it is not there. Errors as {@link patchCorefile}. */
export function blockIn(existing: string): string | undefined {
  return split(existing).block;
}

function split(existing: string): { before: string; block: string | undefined; after: string } {
  const lines = existing.split("\n");
  const places = (mark: string) =>
    lines.flatMap((line, index) => (line.trim() === mark ? [index] : []));
  const begins = places(BEGIN);
  const ends = places(END);
  const [begin] = begins;
  const [end] = ends;
  if (begin === undefined && end === undefined) {
    return { before: existing, block: undefined, after: "" };
  }
  if (begins.length !== 1 || ends.length !== 1 || Number(begin) > Number(end)) {
    throw new Error(
      `the Corefile has "${BEGIN}" ${begins.length} times and "${END}" ${ends.length} times, it must be one pair in this order: take these lines and what is between them out by hand`,
    );
  }
  const text = (part: string[]) => part.map((line) => `${line}\n`).join("");
  return {
    before: text(lines.slice(0, begin)),
    block: text(lines.slice(Number(begin) + 1, end)),
    after: lines.slice(Number(end) + 1).join("\n"),
  };
}

function withoutComments(text: string): string {
  return text.replace(/#.*$/gm, "");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

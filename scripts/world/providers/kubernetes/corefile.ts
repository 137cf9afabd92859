/** What CoreDNS does with a name: asks somebody else, answers with a code, or looks in its own cluster. */
export type DnsDecision =
  | { kind: "forward"; addresses: string[]; tcp: boolean }
  | { kind: "code"; code: string }
  | { kind: "cluster" }
  /** Beyond the cluster: the resolver of the node. */
  | { kind: "outside" };

interface Directive {
  name: string;
  args: string[];
  body: Directive[];
}

interface ServerBlock {
  zones: string[];
  directives: Directive[];
}

/**
 * A configuration of CoreDNS, as far as it decides on names.
 *
 * @throws Error where CoreDNS would not start with it
 */
export class Corefile {
  private readonly blocks: ServerBlock[];

  constructor(text: string) {
    this.blocks = parse(text).map(({ name, args, body }) => ({
      zones: [name, ...args].map(zoneOf),
      directives: body,
    }));
    const zones = this.blocks.flatMap((block) => block.zones);
    const twice = zones.find((zone, index) => zones.indexOf(zone) !== index);
    if (twice !== undefined) {
      throw new Error(`cannot serve dns://${twice}:53 - it is already defined`);
    }
    const unknown = this.blocks
      .flatMap(({ directives }) => directives)
      .find(({ name }) => !PLUGINS.has(name));
    if (unknown !== undefined) {
      throw new Error(`unknown directive '${unknown.name}'`);
    }
  }

  /** Whether any server has a plugin. */
  has(plugin: string): boolean {
    return this.blocks.some(({ directives }) => directives.some(({ name }) => name === plugin));
  }

  /** What happens with a name: of the servers the one with the longest zone decides. */
  decide(name: string): DnsDecision {
    const block = this.blocks
      .flatMap((candidate) => candidate.zones.map((zone) => ({ ...candidate, zone })))
      .filter(({ zone }) => within(name, zone))
      .sort((a, b) => b.zone.length - a.zone.length)[0];
    if (block === undefined) {
      return { kind: "code", code: "REFUSED" };
    }
    const first = (plugin: string, matches: (directive: Directive) => boolean) =>
      block.directives.find((directive) => directive.name === plugin && matches(directive));
    const template = first("template", ({ args }) => {
      const [, , ...zones] = args;
      const own = zones.length > 0 ? zones.map(zoneOf) : [block.zone];
      return own.some((zone) => within(name, zone));
    });
    if (template !== undefined) {
      const code = template.body.find((directive) => directive.name === "rcode")?.args[0];
      return { kind: "code", code: code ?? "NOERROR" };
    }
    // Whatever the order in which they stand, CoreDNS asks the cluster before it forwards.
    if (first("kubernetes", ({ args }) => args.some((zone) => within(name, zoneOf(zone))))) {
      return { kind: "cluster" };
    }
    const forward = first("forward", ({ args }) => within(name, zoneOf(args[0] ?? "")));
    if (forward === undefined) {
      return { kind: "code", code: "REFUSED" };
    }
    const addresses = forward.args.slice(1);
    return addresses.every((address) => /^[\d.]+(:\d+)?$/.test(address))
      ? {
          kind: "forward",
          addresses: addresses.map((address) => address.replace(/:53$/, "")),
          tcp: forward.body.some((directive) => directive.name === "force_tcp"),
        }
      : { kind: "outside" };
  }
}

const PLUGINS = new Set(
  "autopath bind bufsize cache cancel dns64 errors forward health hosts kubernetes log loadbalance loop metadata prometheus ready reload rewrite template".split(
    " ",
  ),
);

function within(name: string, zone: string): boolean {
  return zone === "." || name === zone || name.endsWith(`.${zone}`);
}

function zoneOf(text: string): string {
  const zone = text.replace(/^dns:\/\//, "").replace(/:\d+$/, "");
  return zone === "." ? zone : zone.replace(/\.$/, "");
}

function parse(text: string): Directive[] {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
  const root: Directive = { name: "", args: [], body: [] };
  const open = [root];
  for (const line of lines) {
    const current = open.at(-1) as Directive;
    if (line === "}") {
      if (open.length === 1) {
        throw new Error("Corefile: } without {");
      }
      open.pop();
      continue;
    }
    const opens = line.endsWith("{");
    const [name = "", ...args] = line
      .replace(/\{$/, "")
      .trim()
      .split(/[\s,]+/);
    if (line.includes("}") || name === "") {
      throw new Error(`Corefile: cannot read "${line}"`);
    }
    const directive = { name, args, body: [] };
    current.body.push(directive);
    if (opens) {
      open.push(directive);
    } else if (open.length === 1) {
      throw new Error(`Corefile: expected { after ${name}`);
    }
  }
  if (open.length > 1) {
    throw new Error("Corefile: } is missing");
  }
  return root.body;
}

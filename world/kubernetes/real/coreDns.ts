import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePorts, returnPorts } from "../../processes/ports";
import { OwnProcess, removeAtExit, removedAlready } from "../../processes/processes";
import { until } from "../../processes/until";

/** Where a Corefile is used in place of a cluster: see {@link onLoopback}. */
export interface LoopbackPlace {
  /** Addresses of loopback on which its servers listen. */
  addresses: readonly string[];
  /** In place of port 53. What it forwards to is asked there, too. */
  port: number;
  /** In place of the ports of `health`, `ready` and `prometheus`. */
  http: readonly number[];
}

/** What to start: see {@link CoreDns.start}. */
export interface CoreDnsSpec {
  /** The program. */
  program: string;
  corefile: string;
  /** Where it listens, as addresses of the cluster's network: see {@link loopbackOf}. */
  addresses: readonly string[];
  /** In place of port 53, the same for all that ask each other. */
  port: number;
  /** Text of a kubeconfig, for the plugin `kubernetes`. */
  kubeconfig?: string;
  /** Files beside the Corefile that it imports, by their paths. */
  files?: Record<string, string>;
}

/** The node's own resolver, as {@link onLoopback} leads to it. */
export const OUTSIDE = "10.99.99.99";

/** Where an address 10.x of a cluster's network is on this machine: all of 127/8 is loopback. */
function loopbackOf(address: string): string {
  return address.replace(/^10\./, "127.");
}

/**
 * A Corefile of a cluster, changed so that it works on loopback, for a user who is not root, beside others,
 * and not in a pod. Nothing else of it is changed, neither its comments nor its line ends.
 *
 * - Servers, and those that they ask, are on another port than 53; an address 10.x is 127.x, `/etc/resolv.conf`
 *   is {@link OUTSIDE}; servers bind to addresses of loopback.
 * - `health`, `ready` and `prometheus` have addresses and ports of their own.
 * - `kubernetes` finds its API by a kubeconfig beside the Corefile.
 * - `reload` looks every two seconds, its shortest, in place of thirty.
 * - Imports from `/etc/coredns` are from the folder of the Corefile.
 *
 * A server must begin at the beginning of a line, its directives further in, `bind` as the first of them.
 */
export function onLoopback(corefile: string, { addresses, port, http }: LoopbackPlace): string {
  const [health, ready, metrics] = http.map((one) => `${addresses[0]}:${one}`);
  const bind = `bind ${addresses.join(" ")}`;
  const server = /^[^\s#(}"\uFEFF][^\n{]*\s\{(?!\s+bind )/gm;
  const bound = /^\S.*\s\{/m.test(corefile)
    ? corefile.replace(server, `$&\n    ${bind}\n   `)
    : corefile.replace(/^\S[^]*/, `$&${bind}\n`);
  return bound
    .replace(/(?<=[^\s:]):0*53(?!\d)/g, `:${port}`)
    .replace(/^(\s+bind)(.*)$/gm, (_line, name: string, to: string) => {
      return name + to.replace(/ 10\./g, " 127.");
    })
    .replace(/^(\s*forward\s+\S+)(.*)$/gm, (_line, from: string, to: string) => {
      const named = to.replace("/etc/resolv.conf", OUTSIDE);
      return from + named.replace(/ 10((\.\d+){3})\b(?!:)/g, ` 127$1:${port}`);
    })
    .replace(/^(\s+health)(?=\s)/gm, `$1 ${health}`)
    .replace(/^(\s+ready)(?=\s)/gm, `$1 ${ready}`)
    .replace(/^(\s+prometheus)( :9153)?(?=\s)/gm, `$1 ${metrics}`)
    .replace(/^(\s+reload)(?=[^\S\n]*(#.*)?$)/gm, "$1 2s 1s")
    .replace(/(import\s+)\/etc\/coredns\//g, "$1")
    .replace(/^(\s*kubernetes\b.*?)([^\S\n]*\{)?(?=[^\S\n]*$)/gm, (_line, begin: string, open) => {
      return `${begin} {\n        kubeconfig kubeconfig${open === undefined ? "\n    }" : ""}`;
    });
}

/** A real CoreDNS, a process on loopback. */
export class CoreDns {
  private own: OwnProcess | undefined;

  private constructor(
    private readonly spec: CoreDnsSpec,
    private readonly folder: string,
    private readonly http: number[],
  ) {}

  /**
   * Starts one; resolves when it serves.
   *
   * @throws Error with what it printed where it does not start
   */
  static async start(spec: CoreDnsSpec): Promise<CoreDns> {
    const folder = mkdtempSync(join(tmpdir(), "coredns-"));
    removeAtExit(folder);
    const http = freePorts(3);
    if (spec.kubeconfig !== undefined) {
      writeFileSync(join(folder, "kubeconfig"), spec.kubeconfig);
    }
    const dns = new CoreDns(spec, folder, http);
    for (const [path, text] of Object.entries({ ...spec.files, Corefile: spec.corefile })) {
      dns.write(text, path);
    }
    dns.own = launch(spec, folder);
    try {
      await dns.until("serves", () => dns.printed.includes("CoreDNS-"));
      return dns;
    } catch (error) {
      await dns.stop();
      throw error;
    }
  }

  /** Changes its Corefile or a file beside it, as a changed ConfigMap arrives in a pod: all at once. */
  write(text: string, path = "Corefile"): void {
    const { addresses, port } = this.spec;
    const place = { addresses: addresses.map(loopbackOf), port, http: this.http };
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, onLoopback(text, place));
    renameSync(`${file}.new`, file);
  }

  /** All that it has printed. */
  get printed(): string {
    return readFileSync(join(this.folder, "coredns.log"), "utf8");
  }

  /** Waits until it has printed a text anew, after `from` characters. */
  async untilPrinted(text: string, from = 0): Promise<void> {
    await this.until(`prints "${text}"`, () => this.printed.slice(from).includes(text));
  }

  /**
   * Has it load a Corefile now, whatever `reload` says.
   *
   * @returns why it did not; undefined: it serves by it
   */
  async load(corefile: string): Promise<string | undefined> {
    const from = this.printed.length;
    this.write(corefile);
    this.own?.signal("SIGUSR1");
    const answer = () =>
      /Reloading complete|\[ERROR\] SIGUSR1: (.*)/.exec(this.printed.slice(from));
    await this.until("loads a Corefile or refuses it", () => answer() !== null);
    return answer()?.[1];
  }

  /** The process stands still: what is asked over TCP is accepted by the kernel, and nothing answers. */
  async freeze(): Promise<void> {
    this.own?.signal("SIGSTOP");
    const stopped = (pid: number) =>
      /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    await this.until("stands still", () => this.own?.pids().every(stopped) ?? false);
  }

  /** Ends {@link freeze}. */
  thaw(): void {
    this.own?.signal("SIGCONT");
  }

  /**
   * Asks it for the addresses of a name.
   *
   * @param at which of its addresses is asked, if not the first
   * @returns them in their order as texts; where there are none, the code of Node for the answer
   */
  async ask(name: string, at = this.spec.addresses[0] ?? ""): Promise<string[]> {
    // It waits five seconds for an answer and then asks again, as those in pods do.
    const resolver = new Resolver({ tries: 4 });
    resolver.setServers([`${loopbackOf(at)}:${this.spec.port}`]);
    try {
      return (await resolver.resolve4(name)).sort();
    } catch (error) {
      return [String((error as NodeJS.ErrnoException).code)];
    }
  }

  /** Whether the kubelet would leave its pod alone, and send it questions. */
  async passesProbes(): Promise<boolean> {
    const [health, ready] = this.http;
    const host = loopbackOf(this.spec.addresses[0] ?? "");
    const answers = [`${host}:${health}/health`, `${host}:${ready}/ready`].map((probe) =>
      fetch(`http://${probe}`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    return (await Promise.all(answers)).every(Boolean);
  }

  /** Ends it and removes what it has written. */
  async stop(): Promise<void> {
    await this.own?.kill();
    rmSync(this.folder, { recursive: true, force: true });
    removedAlready(this.folder);
    returnPorts(this.http);
  }

  private until(what: string, holds: () => boolean): Promise<void> {
    const processes = this.own === undefined ? [] : [this.own];
    return until(`CoreDNS ${what}`, holds, { seconds: 60, processes });
  }
}

function launch(spec: CoreDnsSpec, folder: string): OwnProcess {
  return OwnProcess.start({
    name: "coredns",
    command: spec.program,
    args: ["-conf", "Corefile", "-dns.port", String(spec.port)],
    cwd: folder,
    env: {},
    logFile: join(folder, "coredns.log"),
  });
}

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * An address on which every packet is dropped without a word, as those of a region that is gone: nothing
 * refuses a connection, so each waits for its own deadline. It lies behind a network namespace that has no
 * address and forwards nothing. Only root can make one, on Linux.
 */
export class BlackHole {
  private readonly sentBefore: number;

  private constructor(
    /** The address, of a network for measurements (RFC 2544), which nobody routes. */
    readonly address: string,
    private readonly link: string,
    private readonly namespace: string,
    sent: number,
  ) {
    this.sentBefore = sent;
  }

  /** Why there can be none here, or undefined. */
  static async missing(): Promise<string | undefined> {
    if (process.platform !== "linux" || process.getuid?.() !== 0) {
      return "network namespaces are made by root, on Linux";
    }
    return run("ip", ["netns", "list"]).then(
      () => undefined,
      () => "ip (iproute2) is not here, or may not make network namespaces",
    );
  }

  /** Makes one. To be taken away by {@link close}. */
  static async open(): Promise<BlackHole> {
    const link = `hole${process.pid % 1_000_000}`;
    const namespace = `camunda-${link}`;
    const network = `198.${18 + (process.pid % 2)}.${(process.pid >> 1) % 256}`;
    const address = `${network}.2`;
    await run("ip", ["netns", "add", namespace]);
    const hole = new BlackHole(address, link, namespace, 0);
    try {
      const inside = ["-n", namespace];
      await run("ip", [
        "link",
        "add",
        link,
        "type",
        "veth",
        "peer",
        "name",
        "in",
        "netns",
        namespace,
      ]);
      // What a link says of itself in IPv6 would be counted.
      await writeFile(`/proc/sys/net/ipv6/conf/${link}/disable_ipv6`, "1").catch(() => undefined);
      await run("ip", ["address", "add", `${network}.1/30`, "dev", link]);
      await run("ip", ["link", "set", link, "up"]);
      await run("ip", [...inside, "link", "set", "in", "up"]);
      const { stdout } = await run("ip", [...inside, "-j", "link", "show", "in"]);
      const [{ address: hardware }] = JSON.parse(stdout) as [{ address: string }];
      // Nobody in there answers the question who has the address.
      const neighbour = ["neighbour", "add", address, "lladdr", hardware, "dev", link];
      await run("ip", [...neighbour, "nud", "permanent"]);
      return new BlackHole(address, link, namespace, await hole.sent());
    } catch (error) {
      await hole.close();
      throw error;
    }
  }

  /** A URL with this address instead of its host. */
  at(url: string): string {
    const hidden = new URL(url);
    hidden.hostname = this.address;
    return hidden.toString().replace(/\/$/, "");
  }

  /** How many packets were sent to it: each attempt to connect is one at least. */
  async packets(): Promise<number> {
    return (await this.sent()) - this.sentBefore;
  }

  async close(): Promise<void> {
    // The link goes with the namespace that its other end is in.
    await run("ip", ["netns", "delete", this.namespace]);
  }

  private async sent(): Promise<number> {
    const text = await readFile(`/sys/class/net/${this.link}/statistics/tx_packets`, "utf8");
    return Number(text);
  }
}

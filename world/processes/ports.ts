import { readFileSync } from "node:fs";

const handedOut = new Set<number>();
const LOWEST = 12000;

/**
 * Finds `count` consecutive ports that nothing uses. They lie below the range that the kernel gives
 * to outgoing connections: the ports of a lost region must still be free when it comes back.
 */
export function freePorts(count: number): number[] {
  const used = usedPorts();
  const highest = Math.max(firstEphemeralPort(), LOWEST + 10000);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = LOWEST + Math.floor(Math.random() * (highest - LOWEST - count));
    const block = Array.from({ length: count }, (_, i) => first + i);
    if (block.some((port) => used.has(port) || handedOut.has(port))) {
      continue;
    }
    block.forEach((port) => handedOut.add(port));
    return block;
  }
  throw new Error(`no ${count} consecutive free ports between ${LOWEST} and ${highest}`);
}

/** Lets the ports be found again. */
export function returnPorts(ports: number[]): void {
  ports.forEach((port) => handedOut.delete(port));
}

function usedPorts(): Set<number> {
  const used = new Set<number>();
  for (const protocol of ["tcp", "tcp6", "udp", "udp6"]) {
    for (const [, hex] of kernelFile(`/proc/net/${protocol}`).matchAll(
      /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm,
    )) {
      used.add(parseInt(hex as string, 16));
    }
  }
  return used;
}

function firstEphemeralPort(): number {
  return Number(/^\d+/.exec(kernelFile("/proc/sys/net/ipv4/ip_local_port_range"))?.[0] ?? 32768);
}

/** Some of the files are missing where IPv6 is switched off. */
function kernelFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

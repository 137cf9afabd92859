/** A block of IPv4 addresses. */
export interface Cidr {
  /** First address as a number. */
  base: number;
  /** Bits of the network part. */
  bits: number;
}

/** Reads `10.192.0.0/16`; undefined when it is no CIDR, or when address bits stand behind the network part. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const parts = match?.slice(1).map(Number);
  if (
    parts === undefined ||
    parts.slice(0, 4).some((part) => part > 255) ||
    (parts[4] ?? 33) > 32
  ) {
    return undefined;
  }
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = parts;
  const base = ((a * 256 + b) * 256 + c) * 256 + d;
  return base % sizeOf(bits) === 0 ? { base, bits } : undefined;
}

function sizeOf(bits: number): number {
  return 2 ** (32 - bits);
}

function address(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** As it is written. */
export function formatCidr({ base, bits }: Cidr): string {
  return `${address(base)}/${bits}`;
}

/**
 * The `index`-th block when `cidr` is divided by `newBits` more bits (Terraform's `cidrsubnet`).
 *
 * @throws RangeError when the block is not in it
 */
export function subnet(cidr: string, newBits: number, index: number): string {
  const parsed = parseCidr(cidr);
  const bits = (parsed?.bits ?? 33) + newBits;
  if (parsed === undefined || bits > 32 || index < 0 || index >= 2 ** newBits) {
    throw new RangeError(`${cidr} has no block ${index} of ${newBits} more bits`);
  }
  return formatCidr({ base: parsed.base + index * sizeOf(bits), bits });
}

/**
 * The `index`-th address of a block (Terraform's `cidrhost`).
 *
 * @throws RangeError when it is not in it
 */
export function host(cidr: string, index: number): string {
  const parsed = parseCidr(cidr);
  if (parsed === undefined || index < 0 || index >= sizeOf(parsed.bits)) {
    throw new RangeError(`${cidr} has no address ${index}`);
  }
  return address(parsed.base + index);
}

/** Whether two blocks have an address in common. */
export function overlap(a: string, b: string): boolean {
  const left = parseCidr(a);
  const right = parseCidr(b);
  return (
    left !== undefined &&
    right !== undefined &&
    left.base < right.base + sizeOf(right.bits) &&
    right.base < left.base + sizeOf(left.bits)
  );
}

/** Whether a block lies within another. */
export function within(inner: string, outer: string): boolean {
  const a = parseCidr(inner);
  const b = parseCidr(outer);
  return (
    a !== undefined &&
    b !== undefined &&
    a.base >= b.base &&
    a.base + sizeOf(a.bits) <= b.base + sizeOf(b.bits)
  );
}

import assert from "node:assert/strict";
import fc from "fast-check";
import { readSettings } from "../../../components/settings";
import { dnsAddresses, subnetPlan } from "../../../components/settings/eksNames";
import { ZONES } from "../../../components/settings/eksZones";
import {
  formatCidr,
  host,
  overlap,
  parseCidr,
  subnet,
  within,
} from "../../../components/base/cidr";
import { eksConfig, lookup } from "../../support/config";

const block = (min: number, max: number) =>
  fc
    .record({ address: fc.integer({ min: 0, max: 2 ** 32 - 1 }), bits: fc.integer({ min, max }) })
    .map(({ address, bits }) => {
      const size = 2 ** (32 - bits);
      return formatCidr({ base: address - (address % size), bits });
    });

/** A VPC as the configuration allows it. */
const vpc = block(16, 20);

const numberOf = (address: string) => parseCidr(`${address}/32`)?.base ?? NaN;

describe("CIDRs", () => {
  it("are read and written without loss", () => {
    fc.assert(
      fc.property(block(0, 32), (cidr) => {
        const parsed = parseCidr(cidr);
        assert.ok(parsed !== undefined);
        assert.equal(formatCidr(parsed), cidr);
      }),
    );
  });

  for (const wrong of [
    "",
    "10.0.0.0",
    "10.0.0/16",
    "10.0.0.0/33",
    "10.0.0.256/32",
    "10.0.1.0/16",
    "10.0.0.0/16 ",
    "a.b.c.d/8",
    "::/0",
    "10.0.0.0/-1",
  ]) {
    it(`are not ${JSON.stringify(wrong)}`, () => assert.equal(parseCidr(wrong), undefined));
  }

  it("overlap symmetrically, and when one lies within the other", () => {
    fc.assert(
      fc.property(block(0, 32), block(0, 32), (a, b) => {
        assert.equal(overlap(a, b), overlap(b, a));
        assert.ok(overlap(a, a));
        assert.equal(overlap(a, b), within(a, b) || within(b, a));
      }),
    );
  });

  it("do not overlap when they only touch", () => {
    assert.equal(overlap("10.0.0.0/17", "10.0.128.0/17"), false);
    assert.equal(overlap("10.0.0.0/16", "10.0.255.255/32"), true);
    assert.equal(overlap("10.0.0.0/16", "10.1.0.0/32"), false);
    assert.equal(overlap("nonsense", "10.1.0.0/32"), false);
  });

  it("divide into blocks that fill them and do not overlap", () => {
    fc.assert(
      fc.property(block(0, 29), fc.integer({ min: 0, max: 3 }), (cidr, newBits) => {
        const parts = Array.from({ length: 2 ** newBits }, (_, index) =>
          subnet(cidr, newBits, index),
        );
        parts.forEach((part, index) => {
          assert.ok(within(part, cidr));
          parts.slice(0, index).forEach((other) => assert.ok(!overlap(part, other)));
        });
        assert.equal(parts[0]?.split("/")[0], cidr.split("/")[0]);
      }),
    );
  });

  it("have no block and no address beyond their end", () => {
    assert.equal(subnet("10.0.0.0/16", 3, 7), "10.0.224.0/19");
    for (const index of [-1, 8]) {
      assert.throws(() => subnet("10.0.0.0/16", 3, index), RangeError);
    }
    assert.throws(() => subnet("10.0.0.0/30", 3, 0), /10\.0\.0\.0\/30 has no block 0/);
    assert.throws(() => subnet("nonsense", 1, 0), RangeError);
    assert.equal(host("10.0.0.0/30", 3), "10.0.0.3");
    for (const index of [-1, 4]) {
      assert.throws(() => host("10.0.0.0/30", index), /10\.0\.0\.0\/30 has no address/);
    }
  });
});

describe("the subnets of a VPC", () => {
  it("lie within it, do not overlap, and are one of each kind in each zone", () => {
    fc.assert(
      fc.property(vpc, (cidr) => {
        const plan = subnetPlan(cidr);
        assert.equal(plan.length, 3 * ZONES);
        plan.forEach((one, index) => {
          assert.ok(within(one.cidr, cidr), `${one.cidr} in ${cidr}`);
          plan
            .slice(0, index)
            .forEach((other) =>
              assert.ok(!overlap(one.cidr, other.cidr), `${one.cidr} and ${other.cidr}`),
            );
        });
        assert.equal(new Set(plan.map(({ kind, zone }) => `${kind} ${zone}`)).size, plan.length);
      }),
    );
  });

  it("are of a size that AWS makes: /16 to /28", () => {
    fc.assert(
      fc.property(vpc, (cidr) => {
        for (const { cidr: one } of subnetPlan(cidr)) {
          const bits = parseCidr(one)?.bits ?? 0;
          assert.ok(bits >= 16 && bits <= 28, one);
        }
      }),
    );
  });

  it("are those of the reference installation in the default VPCs", () => {
    assert.deepEqual(
      subnetPlan("10.192.0.0/16").map(({ kind, zone, cidr }) => `${kind} ${zone} ${cidr}`),
      [
        "private 0 10.192.0.0/19",
        "private 1 10.192.32.0/19",
        "private 2 10.192.64.0/19",
        "public 0 10.192.96.0/19",
        "public 1 10.192.128.0/19",
        "public 2 10.192.160.0/19",
        "dns 0 10.192.255.240/28",
        "dns 1 10.192.255.224/28",
        "dns 2 10.192.255.208/28",
      ],
    );
  });
});

describe("the addresses of the DNS entry point", () => {
  it("lie in the DNS subnets, and AWS keeps none of them for itself", () => {
    fc.assert(
      fc.property(vpc, (cidr) => {
        const subnets = subnetPlan(cidr).filter(({ kind }) => kind === "dns");
        const addresses = dnsAddresses(cidr);
        assert.equal(addresses.length, ZONES);
        addresses.forEach((address, zone) => {
          const own = subnets[zone]?.cidr ?? "";
          assert.ok(within(`${address}/32`, own), `${address} in ${own}`);
          const first = parseCidr(own)?.base ?? NaN;
          const reserved = [first, first + 1, first + 2, first + 3, first + 15];
          assert.ok(!reserved.includes(numberOf(address)), address);
        });
      }),
    );
  });
});

describe("the CIDRs of two regions", () => {
  const cases: [string, Record<string, Record<string, string>>, RegExp | undefined][] = [
    ["the defaults", {}, undefined],
    ["the same twice", { region1: { vpc: "10.192.0.0/16" } }, /region1\.vpc .*overlaps/],
    [
      "services inside of a VPC",
      { region1: { services: "10.192.128.0/20" } },
      /region1\.services .*overlaps with cidrs\.region0\.vpc/,
    ],
    ["a public one", { region0: { vpc: "11.0.0.0/16" } }, /region0\.vpc .*choose a private one/],
    ["one too small", { region0: { vpc: "10.192.0.0/21" } }, /must be a \/16 to \/20/],
    ["one too large", { region0: { vpc: "10.128.0.0/10" } }, /must be a \/16 to \/20/],
    ["no CIDR", { region0: { vpc: "10.192.1.0/16" } }, /not a CIDR/],
  ];
  for (const [what, cidrs, expected] of cases) {
    it(`${expected === undefined ? "are accepted" : "are refused"}: ${what}`, () => {
      const read = () => readSettings(lookup(eksConfig({ cidrs })));
      if (expected === undefined) {
        assert.doesNotThrow(read);
      } else {
        assert.throws(read, expected);
      }
    });
  }
});

import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  idsOfMap,
  brokerList,
  peerOf,
  REGIONS,
  sameIds,
  without,
} from "../../../components/base/brokers";
import { IDS } from "../../support/ids";

const clusterSize = fc.integer({ min: 2, max: 40 }).map((half) => half * 2);
const region = fc.constantFrom(...REGIONS);
const ids = fc.uniqueArray(fc.nat(200));

describe("brokers", () => {
  it("are the even ones in region0 and the odd ones in region1", () => {
    assert.deepEqual(IDS.of("region0", 8), [0, 2, 4, 6]);
    assert.deepEqual(IDS.of("region1", 8), [1, 3, 5, 7]);
  });

  it("are shared out between the regions without rest or overlap, half each", () => {
    fc.assert(
      fc.property(clusterSize, region, (size, one) => {
        const own = IDS.of(one, size);
        const others = IDS.of(peerOf(one), size);
        assert.equal(own.length, size / 2);
        assert.deepEqual(
          [...own, ...others].sort((a, b) => a - b),
          IDS.all(size),
        );
        assert.ok(own.every((id) => IDS.regionOf(id) === one));
      }),
    );
  });

  it("have names of region and ordinal that no other broker has", () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((id) => IDS.nameOf(id)),
      ["region0/0", "region1/0", "region0/1", "region1/1"],
    );
    fc.assert(
      fc.property(region, clusterSize, (one, size) => {
        const names = IDS.of(one, size).map((id) => IDS.nameOf(id));
        assert.deepEqual(
          names,
          names.map((_, ordinal) => `${one}/${ordinal}`),
        );
      }),
    );
  });

  it("survive the way into a map and back, in any order", () => {
    fc.assert(
      fc.property(ids, (some) => {
        assert.deepEqual(
          idsOfMap(IDS.mapOf(some)),
          [...some].sort((a, b) => a - b),
        );
        assert.deepEqual(IDS.mapOf(some), IDS.mapOf([...some].reverse()));
        // A state lists them by name: those of region0 first.
        const byName = Object.entries(IDS.mapOf(some)).sort(([a], [b]) => a.localeCompare(b));
        assert.deepEqual(idsOfMap(Object.fromEntries(byName)), idsOfMap(IDS.mapOf(some)));
      }),
    );
  });

  it("read in a preview by name, with the id beside it", () => {
    assert.deepEqual(IDS.mapOf([3, 0]), { "region0/0": 0, "region1/1": 3 });
  });

  it("are compared as sets", () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        assert.equal(sameIds(a, b), without(a, b).length === 0 && without(b, a).length === 0);
        assert.ok(sameIds(a, [...a, ...a].reverse()));
        assert.ok(without(a, b).every((id) => a.includes(id) && !b.includes(id)));
      }),
    );
  });

  it("are named in messages, sorted", () => {
    assert.equal(brokerList([]), "no broker");
    assert.equal(brokerList([2]), "broker 2");
    assert.equal(brokerList([10, 3]), "brokers 3, 10");
    assert.equal(brokerList([12, 10, 8, 6, 4, 2, 0]), "brokers 0, 2, 4, 6, and 3 more");
  });

  it("know the other region", () => {
    assert.equal(peerOf("region0"), "region1");
    assert.equal(peerOf("region1"), "region0");
  });
});

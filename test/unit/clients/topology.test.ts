import assert from "node:assert/strict";
import {
  Configuration,
  describeOperation,
  describeOperations,
  describePending,
  exporterIds,
  exporterStates,
  memberIds,
  partitionsWithout,
  seenIds,
  Topology,
  unhealthy,
} from "../../../components/clients/topology";
import { configurationOf, topologyOf } from "../../support/cluster";

/** What is wrong with a cluster of brokers 0 and 2 after this has happened to it. */
function problems(spoil: (configuration: Configuration, topology: Topology) => void): string[] {
  const configuration = configurationOf([0, 2]);
  const topology = topologyOf([0, 2]);
  spoil(configuration, topology);
  return unhealthy(configuration, topology, [0, 2], 2, 2);
}

/** An element that the test knows to be there. */
function at<T>(list: readonly T[], index: number): T {
  const element = list[index];
  assert.ok(element !== undefined);
  return element;
}

describe("topology", () => {
  it("finds nothing wrong with a healthy cluster", () => {
    assert.deepEqual(
      problems(() => undefined),
      [],
    );
  });

  const cases: [string, (configuration: Configuration, topology: Topology) => void, string[]][] = [
    [
      "a broker that is still a member",
      (configuration) => configuration.members.push({ id: 1, state: "ACTIVE", replicas: [] }),
      ["broker 1 still a member"],
    ],
    [
      "a pending change",
      (configuration) => {
        configuration.pendingChange = { id: 9, status: "IN_PROGRESS", completed: [], pending: [] };
      },
      ["change 9 still pending"],
    ],
    [
      "another replication factor",
      (_configuration, topology) => {
        topology.replicationFactor = 4;
      },
      ["replication factor 4 instead of 2"],
    ],
    [
      "another cluster size",
      (_configuration, topology) => {
        topology.clusterSize = 4;
      },
      ["cluster size 4 instead of 2"],
    ],
    [
      "a replica that is still joining",
      (configuration) => {
        at(at(configuration.members, 1).replicas, 0).state = "JOINING";
      },
      ["partition 1 has 1 active replicas instead of 2"],
    ],
    [
      "one replica too many",
      (configuration) =>
        configuration.members.push({
          id: 4,
          state: "ACTIVE",
          replicas: [{ partition: 2, state: "ACTIVE", exporters: {} }],
        }),
      ["broker 4 still a member", "partition 2 has 3 active replicas instead of 2"],
    ],
    [
      "a partition without a leader",
      (_configuration, topology) => {
        at(at(topology.brokers, 0).partitions, 1).role = "follower";
      },
      ["partition 2 has no leader"],
    ],
    [
      "a partition with two leaders",
      (_configuration, topology) => {
        at(at(topology.brokers, 1).partitions, 0).role = "leader";
      },
      ["partition 1 has 2 leaders"],
    ],
    [
      "an unhealthy replica",
      (_configuration, topology) => {
        at(at(topology.brokers, 1).partitions, 0).health = "unhealthy";
      },
      ["partition 1 has 1 healthy replicas instead of 2"],
    ],
    [
      "a partition that is led by a broker which is no member",
      (_configuration, topology) => {
        const partition = { id: 1, role: "leader", health: "healthy" };
        at(at(topology.brokers, 0).partitions, 0).role = "follower";
        topology.brokers.push({ id: 3, version: "8.6.0", partitions: [partition] });
      },
      ["partition 1 has no leader"],
    ],
  ];
  for (const [what, spoil, expected] of cases) {
    it(`finds ${what}`, () => {
      assert.deepEqual(problems(spoil), expected);
    });
  }

  it("finds a member that is missing", () => {
    const found = unhealthy(configurationOf([0]), topologyOf([0, 2]), [0, 2], 2, 2);
    assert.ok(found.includes("broker 2 not a member"));
    assert.ok(found.includes("partition 1 has 1 active replicas instead of 2"));
  });

  it("finds a member that the gateway does not see", () => {
    const topology = topologyOf([0, 2]);
    topology.brokers.pop();
    const found = unhealthy(configurationOf([0, 2]), topology, [0, 2], 2, 2);
    assert.ok(found.includes("broker 2 not seen by the gateway"));
  });

  it("does not mind a recreated broker that is seen without partitions", () => {
    const found = problems((_configuration, topology) =>
      topology.brokers.push({ id: 1, version: "8.6.0", partitions: [] }),
    );
    assert.deepEqual(found, []);
  });

  it("lists ids in ascending order, whatever order the answers have", () => {
    assert.deepEqual(memberIds(configurationOf([2, 10, 0])), [0, 2, 10]);
    assert.deepEqual(seenIds(topologyOf([3, 2, 0, 1])), [0, 1, 2, 3]);
  });

  it("tells which partitions would be lost with the other brokers", () => {
    const configuration = configurationOf([0, 1, 2, 3], 3);
    for (const id of [0, 2]) {
      const member = at(configuration.members, id);
      member.replicas = member.replicas.filter(({ partition }) => partition !== 3);
    }
    at(at(configuration.members, 0).replicas, 0).state = "JOINING";
    at(at(configuration.members, 2).replicas, 0).state = "LEAVING";
    assert.deepEqual(partitionsWithout(configuration, [0, 2], 3), [1, 3]);
    assert.deepEqual(partitionsWithout(configuration, [1, 3], 3), []);
  });

  it("tells every state that an exporter has, also where it is not known", () => {
    const configuration = configurationOf([0, 2]);
    assert.deepEqual(exporterStates(configuration, "elasticsearchregion1"), ["ENABLED"]);
    at(at(configuration.members, 0).replicas, 0).exporters = { elasticsearchregion1: "DISABLED" };
    assert.deepEqual(exporterStates(configuration, "elasticsearchregion1"), [
      "DISABLED",
      "ENABLED",
    ]);
    assert.deepEqual(exporterStates(configuration, "elasticsearchregion0"), ["ENABLED", "UNKNOWN"]);
    assert.deepEqual(exporterStates({ members: [] }, "elasticsearchregion0"), []);
    assert.deepEqual(exporterIds(configuration), ["elasticsearchregion0", "elasticsearchregion1"]);
  });

  it("describes operations and changes in words", () => {
    const join = { operation: "PARTITION_JOIN", brokerId: 3, partitionId: 1, brokers: [] };
    const force = {
      operation: "PARTITION_FORCE_RECONFIGURE",
      brokerId: 0,
      partitionId: 2,
      brokers: [0, 2],
    };
    const disable = {
      operation: "PARTITION_DISABLE_EXPORTER",
      brokerId: 0,
      exporterId: "a",
      brokers: [],
    };
    assert.equal(describeOperation(join), "PARTITION_JOIN broker 3 partition 1");
    assert.equal(
      describeOperation(force),
      "PARTITION_FORCE_RECONFIGURE broker 0 partition 2 with brokers 0, 2",
    );
    assert.equal(describeOperation(disable), "PARTITION_DISABLE_EXPORTER broker 0 exporter a");
    const change = { id: 7, status: "IN_PROGRESS", completed: [force], pending: [join, disable] };
    assert.equal(
      describePending(change),
      "change 7 (1 of 3 done, at PARTITION_JOIN broker 3 partition 1)",
    );
    assert.equal(describePending({ ...change, pending: [] }), "change 7 (1 of 1 done)");
  });

  it("describes of many operations the first of each kind, and how many more", () => {
    const force = (partitionId: number) => ({
      operation: "PARTITION_FORCE_RECONFIGURE",
      brokerId: 0,
      partitionId,
      brokers: Array.from({ length: 32 }, (_, index) => index * 2),
    });
    const remove = { operation: "BROKER_REMOVE", brokerId: 0, brokers: [1] };
    const operations = [...Array.from({ length: 512 }, (_, index) => force(index + 1)), remove];
    const described = describeOperations(operations);
    assert.equal(described.length, 6);
    assert.equal(
      described[0],
      "PARTITION_FORCE_RECONFIGURE broker 0 partition 1 with brokers 0, 2, 4, 6, and 28 more",
    );
    assert.deepEqual(described.slice(4), ["and 508 more", "BROKER_REMOVE broker 0 with brokers 1"]);
    assert.deepEqual(describeOperations([]), []);
  });
});

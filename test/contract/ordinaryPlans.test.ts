import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { ZeebeClient } from "../../components/clients/zeebe";
import { generationOf } from "../../components/generations";
import { followed } from "../../components/recovery/checks/followed";
import {
  ChangeOperation,
  ClusterConfiguration,
  memberOrder,
  NEVER,
} from "../../world/camunda/embedded/configuration";
import { planScaling } from "../../world/camunda/embedded/planning";
import { useServer } from "../support/server";
import { RecordedPlan, RECORDED_PLANS, Replicas } from "./recordedPlans";

const GENERATION = generationOf("8.6");

/** Those that move a replica or a broker: which replica leads first, nobody follows. */
const MOVES = /^(BROKER|PARTITION)_(ADD|REMOVE|JOIN|LEAVE)$/;

function operationsOf({ operations }: RecordedPlan): ChangeOperation[] {
  return operations
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map((one) => {
      const [operation = "", brokerId, partitionId, priority] = one.split(" ");
      return {
        operation,
        brokerId: Number(brokerId),
        ...(partitionId === undefined ? {} : { partitionId: Number(partitionId) }),
        ...(priority === undefined ? {} : { priority: Number(priority) }),
        brokers: [],
      };
    });
}

/** The members as brokers answer them. */
function topologyOf(replicas: Replicas) {
  return memberOrder(Object.keys(replicas).map(Number)).map((id) => ({
    id,
    state: "ACTIVE",
    partitions: partitionsOf(replicas[id]).map((partition) => ({ ...partition, state: "ACTIVE" })),
  }));
}

function partitionsOf(priorities: readonly number[] = []): { id: number; priority: number }[] {
  return priorities
    .map((priority, place) => ({ id: place + 1, priority }))
    .filter(({ priority }) => priority > 0);
}

/** The same as the embedded brokers have it. */
function configurationOf(replicas: Replicas): ClusterConfiguration {
  return {
    version: 2,
    members: new Map(
      Object.entries(replicas).map(([id, priorities]) => [
        Number(id),
        {
          state: "ACTIVE",
          version: 0,
          lastUpdated: NEVER,
          partitions: new Map(
            partitionsOf(priorities).map(({ id: partition, priority }) => [
              partition,
              { state: "ACTIVE", priority, exporters: new Map() },
            ]),
          ),
        },
      ]),
    ),
  };
}

describe("contract: the ordinary plans of real brokers", () => {
  const server = useServer();

  /** Where a plan leads, as the program reads it from the answer. */
  const read = async (recorded: RecordedPlan, operations = operationsOf(recorded)) => {
    server.answer(202, {
      changeId: 2,
      currentTopology: topologyOf(recorded.before),
      plannedChanges: operations,
      expectedTopology: topologyOf(recorded.after),
    });
    const endpoints = {
      gateway: server.url,
      management: server.url,
      elasticsearch: "",
      brokers: {},
    };
    const plan = await new ZeebeClient(endpoints, 2_000, GENERATION).setBrokers(
      recorded.members,
      recorded,
    );
    const { end, fewest, impossible } = followed(plan, GENERATION.cluster.operations);
    const held = [...end].map(([id, partitions]): [number, number[]] => [
      id,
      [...partitions].sort(),
    ]);
    return {
      end: new Map(held.sort(([a], [b]) => a - b)),
      shown: new Map(
        plan.expectedMembers
          .map(({ id, replicas }): [number, number[]] => [id, replicas.map((one) => one.partition)])
          .sort(([a], [b]) => a - b),
      ),
      fewest: [...fewest.values()],
      impossible,
    };
  };

  for (const recorded of RECORDED_PLANS) {
    it(`lead where they show when ${recorded.what}`, async () => {
      const { end, shown, fewest, impossible } = await read(recorded);
      assert.deepEqual(end, shown);
      assert.deepEqual(impossible, []);
      assert.deepEqual([...end.keys()], recorded.members);
      assert.deepEqual(
        [...new Set(fewest)],
        recorded.fewest === undefined ? [] : [recorded.fewest],
      );
    });

    it(`lead elsewhere, or nowhere, with any one move left out when ${recorded.what}`, async () => {
      const all = operationsOf(recorded);
      for (const left of all.filter(({ operation }) => MOVES.test(operation))) {
        const rest = all.filter((one) => one !== left);
        const { end, shown, impossible } = await read(recorded, rest);
        assert.ok(impossible.length > 0 || !isDeepStrictEqual(end, shown), JSON.stringify(left));
      }
    });

    it(`are those of the embedded brokers when ${recorded.what}`, () => {
      const { before, members, replicationFactor } = recorded;
      assert.deepEqual(
        planScaling(configurationOf(before), members, replicationFactor),
        operationsOf(recorded),
      );
    });
  }
});

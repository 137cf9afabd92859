import assert from "node:assert/strict";
import { Body, broker } from "../../../support/answers";
import { Bench, useBench } from "../../../support/bench";
import { refusal } from "../../../support/failure";

const DRY_RUN = /\/actuator\/cluster\/brokers\?.*dryRun=true$/;

type Spoil = (body: Body) => void;

/** One operation more. */
const also =
  (operation: Body): Spoil =>
  ({ plannedChanges }) => {
    plannedChanges.push({ brokers: [], ...operation });
  };

/** Some operations less. */
const lacking =
  (isLeftOut: (one: Body) => boolean): Spoil =>
  (body) => {
    body.plannedChanges = body.plannedChanges.filter((one: Body) => !isLeftOut(one));
  };

const isOf =
  (operation: string, brokerId?: number) =>
  (one: Body): boolean =>
    one.operation === operation && (brokerId === undefined || one.brokerId === brokerId);

/** Other members at the end than the operations lead to. */
const showing =
  (change: (members: Body[]) => unknown): Spoil =>
  (body) => {
    body.expectedTopology = change(body.expectedTopology) ?? body.expectedTopology;
  };

interface Plan {
  of: string;
  prepare(bench: Bench): Promise<void>;
  act(bench: Bench): Promise<unknown>;
  /** What it would do, what is said of that, and how the true plan is changed to that. */
  spoilt: [string, RegExp, Spoil][];
}

const act = (bench: Bench) => bench.run.remove();

const PLANS: Plan[] = [
  {
    of: "the forced removal",
    async prepare(bench) {
      await bench.start();
      await bench.loseRegion();
    },
    act,
    spoilt: [
      [
        "remove a survivor",
        /\(BROKER_REMOVE broker 0 with brokers 2\)/,
        also({ operation: "BROKER_REMOVE", brokerId: 0, brokers: [2] }),
      ],
      [
        "keep fewer than the survivors",
        /it would keep broker 0\)/,
        showing((members) => members.filter(({ id }) => id !== 2)),
      ],
      [
        "do something else",
        /\(PARTITION_LEAVE broker 0 partition 1\)/,
        also({ operation: "PARTITION_LEAVE", brokerId: 0, partitionId: 1 }),
      ],
      [
        "leave a lost broker a member",
        /it would not remove broker 3\)/,
        lacking((one) => isOf("BROKER_REMOVE")(one) && one.brokers[0] === 3),
      ],
      [
        "remove nobody, though the lost brokers are members",
        /it would not remove brokers 1, 3\)/,
        lacking(isOf("BROKER_REMOVE")),
      ],
      [
        "leave a partition as it is",
        /it would leave partition 2 as it is/,
        lacking(({ partitionId }) => partitionId === 2),
      ],
      [
        "leave a partition to a lost broker",
        /\(PARTITION_FORCE_RECONFIGURE broker 2 partition 1/,
        ({ plannedChanges }) => {
          plannedChanges[0].brokers = [0, 1];
        },
      ],
    ],
  },
  {
    of: "the drain",
    async prepare(bench) {
      await bench.start();
      bench.configure({ drainRegion: "region1" });
    },
    act,
    spoilt: [
      [
        "remove a broker that stays",
        /it would BROKER_REMOVE broker 2\)/,
        also({ operation: "BROKER_REMOVE", brokerId: 2 }),
      ],
      [
        "take a replica from a broker that stays",
        /partition 1 would not have 2 replicas a region/,
        also({ operation: "PARTITION_LEAVE", brokerId: 0, partitionId: 1 }),
      ],
      [
        "give a broker that goes a replica",
        /it would PARTITION_JOIN broker 1 partition 1\)/,
        also({ operation: "PARTITION_JOIN", brokerId: 1, partitionId: 1 }),
      ],
      [
        "force",
        /it would BROKER_REMOVE broker 0 with brokers 1\)/,
        also({ operation: "BROKER_REMOVE", brokerId: 0, brokers: [1] }),
      ],
      [
        "leave a broker a member",
        /the members would be brokers 0, 2, 3\)/,
        lacking(isOf("BROKER_REMOVE", 3)),
      ],
      [
        "leave a broker a member, and show it as one",
        /the members would be brokers 0, 2, 3\)/,
        (body) => {
          lacking(isOf("BROKER_REMOVE", 3))(body);
          body.expectedTopology.push({ id: 3, state: "ACTIVE", partitions: [] });
        },
      ],
      [
        "end with other members",
        /it would end otherwise than it shows/,
        showing((members) => members.filter(({ id }) => id !== 2)),
      ],
      [
        "leave a partition with one replica",
        /it would end otherwise than it shows/,
        showing((brokers) => void broker({ brokers }, 2).partitions.pop()),
      ],
    ],
  },
  {
    of: "the drain of more brokers",
    async prepare(bench) {
      await bench.start("region1", { shape: { clusterSize: 8, partitionCount: 3 } });
      bench.configure({ drainRegion: "region1" });
    },
    act,
    spoilt: [
      [
        "let replicas leave before others have joined",
        /partition 3 would have too few replicas on the way/,
        (body) => {
          const isLeave = isOf("PARTITION_LEAVE");
          const { plannedChanges } = body;
          body.plannedChanges = [
            ...plannedChanges.filter(isLeave),
            ...plannedChanges.filter((one: Body) => !isLeave(one)),
          ];
        },
      ],
      [
        "remove a broker that has not left a partition",
        /\(impossible where it stands: BROKER_REMOVE broker 3\)/,
        lacking(isOf("PARTITION_LEAVE", 3)),
      ],
      [
        "let nobody join",
        /partition 3 would not have 2 replicas a region/,
        lacking(isOf("PARTITION_JOIN")),
      ],
      [
        "show a replica elsewhere",
        /it would end otherwise than it shows/,
        showing((brokers) => {
          const [moved] = broker({ brokers }, 6).partitions.splice(0, 1);
          broker({ brokers }, 0).partitions.push(moved);
        }),
      ],
    ],
  },
  {
    of: "adding the brokers",
    async prepare(bench) {
      await bench.start();
      await bench.restored();
    },
    act: (bench) => bench.run.add(),
    spoilt: [
      [
        "move a replica away",
        /partition 1 would not have 2 replicas a region/,
        also({ operation: "PARTITION_LEAVE", brokerId: 0, partitionId: 1 }),
      ],
      [
        "remove a broker",
        /it would BROKER_REMOVE broker 2/,
        also({ operation: "BROKER_REMOVE", brokerId: 2 }),
      ],
      [
        "leave a partition short",
        /it would end otherwise than it shows/,
        showing(([first]) => {
          first.partitions = first.partitions.filter(({ id }: Body) => id !== 2);
        }),
      ],
      [
        "let a replica appear by nothing",
        /partition 2 would not have 2 replicas a region/,
        lacking(({ brokerId, partitionId }) => brokerId === 3 && partitionId === 2),
      ],
      [
        "let a broker join that it does not add",
        /\(impossible where it stands: PARTITION_JOIN broker/,
        lacking(isOf("BROKER_ADD", 3)),
      ],
      [
        "have other members",
        /it would end otherwise than it shows/,
        showing((members) => void members.push({ id: 5, state: "ACTIVE", partitions: [] })),
      ],
    ],
  },
];

describe("BrokerMembership sends nothing", () => {
  const bench = useBench();

  for (const { of, prepare, act: run, spoilt } of PLANS) {
    for (const [what, expected, spoil] of spoilt) {
      it(`when the cluster's own plan for ${of} would ${what}`, async () => {
        await prepare(bench);
        bench.spoil({ path: DRY_RUN }, spoil);
        await refusal(
          run(bench),
          expected,
          /^the cluster's own plan for .* is not what is meant .*nothing was sent/,
        );
        assert.deepEqual(bench.sent(), []);
      });
    }
  }
});

/** The priority of each replica by broker: of partition 1, 2, 3 and 4; 0 where the broker holds none. */
export type Replicas = Record<number, readonly number[]>;

/** What brokers answered to `POST /actuator/cluster/brokers` without force. */
export interface RecordedPlan {
  what: string;
  /** Who is to be a member, and with how many replicas of each partition. */
  members: number[];
  replicationFactor?: number;
  before: Replicas;
  after: Replicas;
  /** In their order, each with its broker, partition and priority. */
  operations: string;
  /** The fewest replicas of any partition that loses one, on the way. */
  fewest?: number;
}

const BOTH: Replicas = { 0: [4, 1, 2, 3], 1: [3, 4, 1, 2], 2: [2, 3, 4, 1], 3: [1, 2, 3, 4] };
const REGION0: Replicas = { 0: [4, 1, 2, 3], 2: [2, 3, 4, 1] };
const REGION1: Replicas = { 1: [3, 4, 1, 2], 3: [1, 2, 3, 4] };

/** Every ordinary plan that real brokers of 8.6.0 answered on 21 November 2026: four partitions, four brokers. */
export const RECORDED_PLANS: readonly RecordedPlan[] = [
  {
    what: "region1 goes, while it is alive",
    members: [0, 2],
    replicationFactor: 2,
    before: BOTH,
    after: { 0: [2, 1, 2, 1], 2: [1, 2, 1, 2] },
    operations: `
      PARTITION_LEAVE 1 1, PARTITION_LEAVE 3 1, PARTITION_RECONFIGURE_PRIORITY 2 1 1, PARTITION_RECONFIGURE_PRIORITY 0 1 2,
      PARTITION_LEAVE 1 2, PARTITION_LEAVE 3 2, PARTITION_RECONFIGURE_PRIORITY 2 2 2,
      PARTITION_LEAVE 1 3, PARTITION_LEAVE 3 3, PARTITION_RECONFIGURE_PRIORITY 2 3 1,
      PARTITION_LEAVE 1 4, PARTITION_LEAVE 3 4, PARTITION_RECONFIGURE_PRIORITY 2 4 2, PARTITION_RECONFIGURE_PRIORITY 0 4 1,
      BROKER_REMOVE 1, BROKER_REMOVE 3`,
    fewest: 2,
  },
  {
    what: "all are members already",
    members: [0, 1, 2, 3],
    before: BOTH,
    after: BOTH,
    operations: "",
  },
  {
    what: "region1 comes back",
    members: [0, 1, 2, 3],
    replicationFactor: 4,
    before: REGION0,
    after: BOTH,
    operations: `
      BROKER_ADD 1, BROKER_ADD 3,
      PARTITION_JOIN 1 1 3, PARTITION_JOIN 3 1 1, PARTITION_JOIN 1 2 4, PARTITION_JOIN 3 2 2,
      PARTITION_JOIN 1 3 1, PARTITION_JOIN 3 3 3, PARTITION_JOIN 1 4 2, PARTITION_JOIN 3 4 4`,
  },
  {
    what: "region0 comes back",
    members: [0, 1, 2, 3],
    replicationFactor: 4,
    before: REGION1,
    after: BOTH,
    operations: `
      BROKER_ADD 2, BROKER_ADD 0,
      PARTITION_JOIN 0 1 4, PARTITION_JOIN 2 1 2, PARTITION_JOIN 0 2 1, PARTITION_JOIN 2 2 3,
      PARTITION_JOIN 0 3 2, PARTITION_JOIN 2 3 4, PARTITION_JOIN 0 4 3, PARTITION_JOIN 2 4 1`,
  },
  {
    what: "region1 comes back, and nobody says with how many replicas",
    members: [0, 1, 2, 3],
    before: REGION0,
    after: { 0: [2, 0, 0, 1], 1: [1, 2, 0, 0], 2: [0, 1, 2, 0], 3: [0, 0, 1, 2] },
    operations: `
      BROKER_ADD 1, BROKER_ADD 3,
      PARTITION_JOIN 1 1 1, PARTITION_LEAVE 2 1, PARTITION_RECONFIGURE_PRIORITY 0 1 2,
      PARTITION_JOIN 1 2 2, PARTITION_LEAVE 0 2, PARTITION_RECONFIGURE_PRIORITY 2 2 1,
      PARTITION_JOIN 3 3 1, PARTITION_LEAVE 0 3, PARTITION_RECONFIGURE_PRIORITY 2 3 2,
      PARTITION_JOIN 3 4 2, PARTITION_LEAVE 2 4, PARTITION_RECONFIGURE_PRIORITY 0 4 1`,
    fewest: 2,
  },
  {
    what: "region1 comes back, and a broker that there never was",
    members: [0, 1, 2, 3, 4],
    replicationFactor: 4,
    before: REGION0,
    after: {
      0: [4, 0, 1, 2],
      1: [3, 4, 0, 1],
      2: [2, 3, 4, 0],
      3: [1, 2, 3, 4],
      4: [0, 1, 2, 3],
    },
    operations: `
      BROKER_ADD 1, BROKER_ADD 3, BROKER_ADD 4,
      PARTITION_JOIN 1 1 3, PARTITION_JOIN 3 1 1,
      PARTITION_JOIN 1 2 4, PARTITION_JOIN 3 2 2, PARTITION_JOIN 4 2 1, PARTITION_LEAVE 0 2,
      PARTITION_JOIN 3 3 3, PARTITION_JOIN 4 3 2, PARTITION_RECONFIGURE_PRIORITY 0 3 1,
      PARTITION_JOIN 1 4 1, PARTITION_JOIN 3 4 4, PARTITION_JOIN 4 4 3, PARTITION_LEAVE 2 4, PARTITION_RECONFIGURE_PRIORITY 0 4 2`,
    fewest: 4,
  },
];

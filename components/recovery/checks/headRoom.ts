import { brokerList, RegionName } from "../../base/brokers";
import { Refusal } from "../../base/refusal";
import { Refused, Unreachable } from "../../clients/answers";
import { asked } from "../../clients/poll";
import type { DiskSpace } from "../../clients/zeebe";
import type { Session } from "../session";

/** What is known of the disks. */
export interface HeadRoom {
  disksOfBrokers: string;
  diskOfElasticsearch: string;
}

/**
 * Refuses, before anything is paused, where a disk is plainly too small for what a failback puts on it. What nobody says
 * is said to be unknown, and keeps nobody up: how fast a log grows, nothing tells.
 *
 * @param seconds how long a question is asked again at most, as `asked` has it
 * @returns what was seen, for the record
 */
export async function expectHeadRoom(
  session: Session,
  recreated: RegionName,
  seconds?: number,
): Promise<HeadRoom> {
  const disksOfBrokers = await brokersDisks(session);
  const diskOfElasticsearch = await roomForRestore(session, recreated, seconds);
  const room = { disksOfBrokers, diskOfElasticsearch };
  headRoomLines(room, recreated).forEach(session.log);
  return room;
}

/** The same as an operator reads it. */
export function headRoomLines(
  { disksOfBrokers, diskOfElasticsearch }: HeadRoom,
  recreated: RegionName,
): string[] {
  return [
    `disks of the brokers, which fill while exporting is paused: ${disksOfBrokers}`,
    `disks of Elasticsearch of ${recreated}: ${diskOfElasticsearch}`,
  ];
}

/**
 * A broker of 8.6 does not show its disk unless it is told to (`management.health.diskspace`); one that is past its
 * watermark has unhealthy partitions, which the gate has looked at.
 */
async function brokersDisks(session: Session): Promise<string> {
  const disks = await Promise.all(
    session.own.map(async (id): Promise<[number, DiskSpace | undefined]> => [
      id,
      await known(() => session.zeebe.diskSpace(session.broker(id))),
    ]),
  );
  for (const [id, disk] of disks) {
    if (disk?.status === "DOWN") {
      throw new Refusal(
        `broker ${id} says that its disk is full (${inBytes(disk.free)} of ${inBytes(disk.total)} free): while exporting is paused it fills; enlarge it`,
      );
    }
  }
  const silent = disks.flatMap(([id, disk]) => (disk === undefined ? [id] : []));
  const least = Math.min(...disks.flatMap(([, disk]) => (disk === undefined ? [] : [disk.free])));
  return [
    ...(least === Infinity ? [] : [`at least ${inBytes(least)} free`]),
    ...(silent.length === 0 ? [] : [`not said by ${brokerList(silent)}`]),
  ].join(", ");
}

/** The primary shards must have room: where they have not, the restore would fail while exporting is paused. */
async function roomForRestore(
  session: Session,
  recreated: RegionName,
  seconds: number | undefined,
): Promise<string> {
  const survivor = session.elasticsearch(session.settings.region);
  const target = session.elasticsearch(recreated);
  const sizes = await known(() =>
    asked(
      "the sizes of both Elasticsearches",
      session.log,
      async () => ({
        needed: (await survivor.indices.storeSize(session.indexPatterns)).primaries,
        // What an abandoned attempt has left is deleted before the restore.
        free:
          (await target.freeSpace()) +
          (await target.indices.storeSize(session.indexPatterns)).total,
      }),
      seconds,
    ),
  );
  if (sizes !== undefined && sizes.free < sizes.needed) {
    throw new Refusal(
      `Elasticsearch of ${recreated} has ${inBytes(sizes.free)} free for the survivor's ${inBytes(sizes.needed)}: enlarge its disks`,
    );
  }
  return sizes === undefined
    ? "not said"
    : `${inBytes(sizes.free)} free for ${inBytes(sizes.needed)} to restore`;
}

/** What is answered; undefined where it is not. */
function known<T>(ask: () => Promise<T>): Promise<T | undefined> {
  return ask().catch((error: unknown) => {
    if (error instanceof Refused || error instanceof Unreachable) {
      return undefined;
    }
    throw error;
  });
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A number of bytes as people say it. */
function inBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}

/** Availability zones of a region. */
export const ZONES = 3;

/** Zones that EKS refuses for its control plane (EKS user guide, network requirements), or that AWS opens to nobody new. */
const CLOSED = ["use1-az3", "usw1-az2", "cac1-az3", "apne1-az3"];

const DIRECTIONS: Record<string, string> = {
  north: "n",
  south: "s",
  east: "e",
  west: "w",
  central: "c",
  northeast: "ne",
  northwest: "nw",
  southeast: "se",
  southwest: "sw",
};

/**
 * Ids of the availability zones that a region is built in: `euw2-az1`, `euw2-az2`, `euw2-az3`.
 *
 * By rule and not by look-up: an answer of EC2 would stand in the way of every preview and every recovery,
 * and one that leaves out a zone in trouble would move the subnets, and with them the whole region. Ids,
 * because a zone's name (`eu-west-2a`) is another zone in another account. A zone that an account does
 * not have is refused by EC2 when the first subnet is made, with the list of those it has.
 *
 * @throws RangeError for a region with less than three zones for EKS; its message goes on after the key
 */
export function zoneIds(awsRegion: string): string[] {
  const [area = "", ...rest] = awsRegion.split("-");
  const number = rest.pop() ?? "";
  const short = area + rest.map((word) => DIRECTIONS[word] ?? word).join("") + number;
  const all = short === "usw1" ? [1, 2, 3] : [1, 2, 3, 4];
  const open = all.map((zone) => `${short}-az${zone}`).filter((id) => !CLOSED.includes(id));
  if (open.length < ZONES) {
    throw new RangeError(
      `is ${awsRegion}, which has ${open.length} availability zones for EKS, and a region needs ${ZONES}: choose another`,
    );
  }
  return open.slice(0, ZONES);
}

import { shortened } from "../../base/bounded";
import type { StatefulSetState } from "../../clients/kubernetes";

/** How many pods of a StatefulSet are ready, and what the cluster says of those that it could not make. */
export function podsOf({ wanted, ready, current, problem }: StatefulSetState): string {
  const pods = `${ready} of ${wanted} pods ready${current ? "" : ", of before its last change"}`;
  return `${pods}${problem === undefined ? "" : `, ${short(problem)}`}`;
}

/** What admission says of privileged pods goes on with every field of theirs: the policy is what counts. */
function short(problem: string): string {
  const forbidden = /violates PodSecurity "([^":]*)/.exec(problem)?.[1];
  return forbidden === undefined
    ? shortened(problem, 70)
    : `PodSecurity "${forbidden}" forbids them`;
}

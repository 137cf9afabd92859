import { brokerList, without } from "../../base/brokers";
import { idsOf } from "../../generations";
import * as resources from "../resources";
import { desiredMembership, leavesOut, SURVIVING_REPLICAS } from "../phase";
import type { Step } from "./step";

/** Failover: the lost region's brokers are forced out. Drain: removed, unforced. Failback: added, unforced. */
export const membership: Step = {
  says({ settings, shape, lost }) {
    const survivors = desiredMembership(settings, "failed-over").ids;
    const all = desiredMembership(settings, "steady");
    const others = brokerList(without(all.ids, survivors));
    const out = `${others} of ${lost}, keep ${brokerList(survivors)}; replication factor ${all.replicationFactor} -> ${SURVIVING_REPLICAS}`;
    return shape === "failed-over"
      ? `force out ${out}`
      : shape === "drained"
        ? `remove, by an ordinary change, ${out}`
        : `add ${others} with replication factor ${all.replicationFactor}`;
  },
  declare({ settings, shape, declaration }, scene, after) {
    const { ids, replicationFactor } = desiredMembership(settings, shape);
    const inputs = { brokers: idsOf(settings).mapOf(ids), replicationFactor, declaration };
    scene.made.membership = new resources.BrokerMembership(
      "broker-membership",
      inputs,
      leavesOut(shape) ? scene.confirmed(after) : scene.after(after),
    );
    scene.made.declared.push(scene.made.membership.declaration);
    return [scene.made.membership];
  },
};

import { shortened } from "../../base/bounded";
import type { ElasticsearchHealthInputs } from "../../installation/elasticsearchHealth";
import { waitFor } from "../../clients/poll";
import { podsOf } from "../checks/pods";
import { implement } from "./behaviour";

/**
 * Every node of the region's Elasticsearch is ready. The release does not wait for them, and nothing else of an
 * installation would notice that there is none: brokers start without it, and export later.
 */
export const provider = implement<ElasticsearchHealthInputs>({
  id: () => "elasticsearch-health",
  async converge(_inputs, { session }) {
    const { region, timeouts } = session.settings;
    const namespace = session.namespace();
    const { elasticsearch } = session.generation.objects;
    const ready = await waitFor<number>(
      `Elasticsearch of ${region} to be ready`,
      timeouts.formation,
      session.log,
      async () => {
        const found = await session.kubernetes().statefulSet(namespace, elasticsearch);
        if (found === undefined) {
          return { done: false, seen: `there is no StatefulSet ${elasticsearch}` };
        }
        // As many as are wished there: values of the user's own may say another number than ours.
        return found.current && found.ready > 0 && found.ready >= found.wanted
          ? { done: true, value: found.ready }
          : { done: false, seen: podsOf(found) };
      },
      {
        refuse: (last, seconds) =>
          `Elasticsearch of ${region}: ${shortened(last, 80)} (waited ${seconds} s): mend its StatefulSet, then pulumi up`,
      },
    );
    return { how: "already true", observed: { ready } };
  },
});

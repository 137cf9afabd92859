import { BrokerIds } from "../../components/base/brokers";
import { isRecord } from "../../components/base/json";
import { CAMUNDA_VERSIONS, generationOf, GENERATIONS } from "../../components/generations";
import type { Generation, StepName } from "../../components/generations/generation";
import type { EmbeddedWorldOptions } from "../../world/camunda/embedded";
import type { Dialect } from "../../world/camunda/embedded/dialect";

/** The value of `camundaVersion` that names it. */
export const MIRRORED = "8.6-mirrored";

const RECORDED = generationOf("8.6");
const versions = CAMUNDA_VERSIONS as string[];

/** With two steps in each other's place. */
function swapped(steps: readonly StepName[], one: StepName, other: StepName): StepName[] {
  return steps.map((step) => (step === one ? other : step === other ? one : step));
}

/**
 * A generation that there is not: 8.6 with other ids, two steps the other way round, and another dialect. What
 * works with it knows nothing of 8.6 by itself.
 */
export const GENERATION: Generation = {
  ...RECORDED,
  failback: swapped(RECORDED.failback, "web-apps-stop", "snapshot-source"),
  // Region0 has the odd ids: the broker that is asked for the configuration is one of region1.
  ids: new BrokerIds({
    idOf: (region, ordinal) => ordinal * 2 + (region === "region0" ? 1 : 0),
    placeOf: (id) => ({
      region: id % 2 === 1 ? "region0" : "region1",
      ordinal: Math.floor(id / 2),
    }),
    coordinator: 0,
  }),
  versions: { minor: "6.8", patch: 0 },
  cluster: {
    members: (ids, { force = false, replicationFactor }) => ({
      path: "/actuator/members?mode=keep",
      body: {
        keep: ids,
        force,
        ...(replicationFactor === undefined ? {} : { replicas: replicationFactor }),
      },
    }),
    disableExporter: (id) => ({ path: `/actuator/exporters?id=${id}`, body: { state: "off" } }),
    enableExporter: (id, from) => ({
      path: `/actuator/exporters?id=${id}`,
      body: { state: "on", from },
    }),
    pendingChange: (id) => `/actuator/changes/${id}`,
    operations: {
      forceReconfigure: "REPLICAS_FORCED",
      remove: "MEMBER_OUT",
      add: "MEMBER_IN",
      join: "REPLICA_IN",
      leave: "REPLICA_OUT",
      reorder: "REPLICA_PRIORITY",
      enableExporter: "EXPORTER_ON",
      disableExporter: "EXPORTER_OFF",
    },
  },
  exporting: {
    pause: { path: "/actuator/exporting?state=paused" },
    resume: { path: "/actuator/exporting?state=running" },
    success: 202,
    outcome: (answer) => answer,
  },
  exporter: {
    ...RECORDED.exporter,
    ids: { region0: "mirrorregion0", region1: "mirrorregion1" },
  },
};

/** Makes it known to the program in this process, until {@link forgetMirrored}. */
export function knowMirrored(): void {
  GENERATIONS[MIRRORED] = GENERATION;
  versions.push(MIRRORED);
}

/** Leaves the generations that there are. */
export function forgetMirrored(): void {
  delete GENERATIONS[MIRRORED];
  versions.splice(versions.indexOf(MIRRORED), 1);
}

/** What 8.6 calls the operations, and what this generation does. */
const OPERATIONS: Record<string, string> = {
  PARTITION_FORCE_RECONFIGURE: "REPLICAS_FORCED",
  BROKER_REMOVE: "MEMBER_OUT",
  BROKER_ADD: "MEMBER_IN",
  PARTITION_JOIN: "REPLICA_IN",
  PARTITION_LEAVE: "REPLICA_OUT",
  PARTITION_RECONFIGURE_PRIORITY: "REPLICA_PRIORITY",
  PARTITION_ENABLE_EXPORTER: "EXPORTER_ON",
  PARTITION_DISABLE_EXPORTER: "EXPORTER_OFF",
};

/** Brokers of this generation, as the embedded world plays them. What only 8.6 is asked they do not have. */
const DIALECT: Dialect = {
  version: "6.8.0",
  regionOf: (id) => (id % 2 === 1 ? "region0" : "region1"),
  asked(request) {
    const { method, path, query, text } = request;
    const asked = (to: string, more: Record<string, string> = {}, body?: unknown) => ({
      ...request,
      path: to,
      query: new URLSearchParams({
        ...(query.get("dryRun") === null ? {} : { dryRun: String(query.get("dryRun")) }),
        ...more,
      }),
      text: body === undefined ? "" : JSON.stringify(body),
    });
    const parsed: unknown = text === "" ? undefined : JSON.parse(text);
    const body = isRecord(parsed) ? parsed : {};
    switch (`${method} ${path}`) {
      case "POST /actuator/members":
        return asked(
          "/actuator/cluster/brokers",
          {
            ...(body.force === true ? { force: "true" } : {}),
            ...(body.replicas === undefined ? {} : { replicationFactor: String(body.replicas) }),
          },
          (body.keep as number[]).map(String),
        );
      case "POST /actuator/exporters": {
        const exporter = `/actuator/exporters/${query.get("id") ?? ""}`;
        return body.state === "on"
          ? asked(`${exporter}/enable`, {}, { initializeFrom: body.from })
          : asked(`${exporter}/disable`);
      }
      case "POST /actuator/exporting":
        return asked(`/actuator/exporting/${query.get("state") === "paused" ? "pause" : "resume"}`);
    }
    const change = /^\/actuator\/changes\/([^/]+)$/.exec(path)?.[1];
    if (change !== undefined) {
      return asked(`/actuator/cluster/changes/${change}`);
    }
    return method === "GET" ? request : asked("/actuator/nothing");
  },
  answered(reply, { method, path }) {
    const text = reply.body === undefined ? undefined : JSON.stringify(reply.body);
    return {
      ...reply,
      ...(text === undefined
        ? {}
        : {
            body: JSON.parse(
              text.replace(/"operation":"(\w+)"/g, (all, name: string) =>
                OPERATIONS[name] === undefined ? all : `"operation":"${OPERATIONS[name]}"`,
              ),
            ) as unknown,
          }),
      ...(method === "POST" && path === "/actuator/exporting" && reply.status === 204
        ? { status: 202 }
        : {}),
    };
  },
};

/** The world of this generation. */
export const MIRRORED_WORLD: EmbeddedWorldOptions = {
  dialect: DIALECT,
  pauseAnswer: "204",
  exporters: Object.fromEntries(
    Object.entries(GENERATION.exporter.ids).map(([region, id]) => [
      id,
      { region: region as "region0" | "region1", type: GENERATION.exporter.className },
    ]),
  ),
};

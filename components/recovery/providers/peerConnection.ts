import type { V1NetworkPolicyPeer } from "@kubernetes/client-node";
import { listed, shortened } from "../../base/bounded";
import type { Declaration } from "../../base/declaration";
import { dnsAddresses } from "../../settings/eksNames";
import { brokerHost, elasticsearchHost } from "../../settings/addresses";
import { FENCE_POLICY, PORTS } from "../../generations/objects";
import { overlap, within } from "../../base/cidr";
import { Refusal } from "../../base/refusal";
import { Refused, Unreachable } from "../../clients/http";
import type { Probe } from "../../clients/kubernetes";
import { waitFor } from "../../clients/poll";
import { podsOf } from "../checks/pods";
import { FENCE_UNPROVED } from "../interlocks/step";
import type { Session } from "../session";
import { implement, Outcome } from "./behaviour";

/** Inputs of a `PeerConnection`. */
export interface PeerConnectionInputs {
  /** `open`: pods of this region reach the other's. `cut`: they do not, and the fence is why. */
  state: "open" | "cut";
  /** What is declared, as `BrokerMembership` has it: each declaration is verified anew. */
  declaration: Declaration;
}

/** Highest round trip between the regions that Camunda supports (concept page, network requirements). */
const ROUND_TRIP_MS = 100;

/**
 * Proves from inside a pod what the network and DNS do. A rule that was accepted is not a packet
 * that was dropped, and a Corefile that was accepted is not a name that resolves.
 */
export const provider = implement<PeerConnectionInputs>({
  id: () => "peer-connection",
  converge: (inputs, { session, previous }) => {
    const seen = previous?.record?.observed.addresses;
    return inputs.state === "cut"
      ? expectCut(session, Array.isArray(seen) ? seen.map(String) : [])
      : expectOpen(session);
  },
});

interface Target {
  host: string;
  port: number;
}

/**
 * What must not answer behind a closed fence: the entry point of the other region's names, its Elasticsearch
 * by name, and the pods that answered when they were last reached.
 *
 * @throws Refusal when nothing of it is an address: a name that does not resolve proves no fence
 */
function fixedTargets(session: Session, seen: string[]): Target[] {
  const { installation, peer } = session.settings;
  if (installation === undefined) {
    return [];
  }
  const { cluster } = installation;
  const entryPoint =
    cluster.kind === "eks"
      ? dnsAddresses(cluster.cidrs[peer].vpc)
      : // kube-dns is asked in UDP, which no connection tells of.
        cluster.dns.kind === "kube-dns"
        ? []
        : cluster.dns.addresses[peer];
  const addresses = [
    ...entryPoint.map((host) => ({ host, port: PORTS.dns })),
    ...seen.map((address) => {
      const at = address.lastIndexOf(":");
      return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    }),
  ];
  if (addresses.length === 0) {
    throw new Refusal(
      FENCE_UNPROVED.refusal({ peer, why: "this stack has never reached it, so knows no address" }),
    );
  }
  return [
    ...addresses,
    {
      host: elasticsearchHost(peer, { ...session.settings, installation }),
      port: PORTS.elasticsearch,
    },
  ];
}

async function expectCut(session: Session, seen: string[]): Promise<Outcome> {
  const { peer, overrides, timeouts } = session.settings;
  const unproved = overrides["fence-unproved"];
  try {
    const targets = fixedTargets(session, seen);
    await expectNoOtherPolicy(session);
    await waitFor<void>(
      `the fence to ${peer} to hold`,
      timeouts.loss,
      session.log,
      async () => {
        const answers = await Promise.all(targets.map((target) => answering(session, target)));
        const open = answers.filter((answer) => answer !== undefined);
        return open.length === 0
          ? { done: true, value: undefined }
          : { done: false, seen: `still answering: ${listed(open)}` };
      },
      {
        refuse: (last, seconds) =>
          FENCE_UNPROVED.refusal({ peer, why: `${shortened(last, 68)} (waited ${seconds} s)` }),
      },
    );
    return { how: "already true", observed: { cut: targets.map(nameOf), addresses: seen } };
  } catch (error) {
    if (unproved !== undefined) {
      return { how: "already true", observed: { unproved, addresses: seen } };
    }
    if (error instanceof Refused || error instanceof Unreachable) {
      throw new Refusal(FENCE_UNPROVED.refusal({ peer, why: shortened(error.message, 80) }));
    }
    throw error;
  }
}

/**
 * Policies add up: one more that lets these pods reach the other region makes the fence void, and a probe
 * of some ports would not tell.
 */
async function expectNoOtherPolicy(session: Session): Promise<void> {
  const { installation, peer } = session.settings;
  if (installation?.cluster.kind !== "kubernetes") {
    return;
  }
  const blocks = Object.values(installation.cluster.cidrs[peer]).flat();
  const policies = await session.kubernetes().networkPolicies(session.namespace());
  const opening = policies
    .filter(({ metadata }) => metadata?.name !== FENCE_POLICY)
    .filter(({ spec }) =>
      [
        ...(spec?.ingress ?? []).map((rule) => rule._from),
        ...(spec?.egress ?? []).map((rule) => rule.to),
      ].some((peers) => admits(peers, blocks)),
    )
    .map(({ metadata }) => metadata?.name ?? "?");
  if (opening.length > 0) {
    throw new Refusal(
      `NetworkPolicy ${listed(opening)} in ${session.namespace()} lets pods reach ${peer} or be reached from it: policies add up, the fence would not hold; delete it`,
    );
  }
}

/** Whether a rule lets any of the blocks in or out. A rule without peers lets everything. */
function admits(peers: V1NetworkPolicyPeer[] | undefined, blocks: string[]): boolean {
  return (
    peers === undefined ||
    peers.length === 0 ||
    peers.some(
      ({ ipBlock }) =>
        ipBlock !== undefined &&
        blocks.some(
          (block) =>
            overlap(ipBlock.cidr, block) &&
            !(ipBlock.except ?? []).some((except) => within(block, except)),
        ),
    )
  );
}

async function answering(session: Session, target: Target): Promise<string | undefined> {
  const { connected } = await session
    .kubernetes()
    .probe(session.namespace(), session.generation.objects.lookout, target.host, target.port);
  return connected ? nameOf(target) : undefined;
}

async function expectOpen(session: Session): Promise<Outcome> {
  const { installation, peer, clusterSize, timeouts } = session.settings;
  if (installation === undefined) {
    throw new Error("there is no installation");
  }
  const settings = { ...session.settings, installation };
  const [first] = session.generation.ids.of(peer, clusterSize);
  const targets: Target[] = [
    { host: elasticsearchHost(peer, settings), port: PORTS.elasticsearch },
    { host: brokerHost(first ?? 0, settings), port: PORTS.internal },
  ];
  let noPod = false;
  const { times, addresses } = await waitFor(
    `${peer} to be reached from a pod of this region`,
    timeouts.gate,
    session.log,
    async () => {
      const times: number[] = [];
      const addresses: string[] = [];
      for (const target of targets) {
        const probe = await probeWhenThere(session, target);
        noPod = "missing" in probe;
        if ("missing" in probe) {
          return { done: false, seen: probe.missing };
        }
        const { resolved, connected, roundTripMs, address } = probe;
        if (!resolved || !connected) {
          return {
            done: false,
            seen: resolved
              ? `${nameOf(target)} does not answer`
              : `${target.host} does not resolve`,
          };
        }
        times.push(roundTripMs ?? 0);
        if (address !== undefined) {
          addresses.push(`${address}:${target.port}`);
        }
      }
      return { done: true, value: { times, addresses } };
    },
    {
      refuse: (last, seconds) =>
        noPod
          ? `${peer} is not looked for: ${shortened(last, 90)} (waited ${seconds} s): mend that, then up again`
          : `${peer} cannot be reached from a pod here: ${shortened(last, 88)} (waited ${seconds} s): npm run up`,
    },
  );
  const roundTripMs = Math.round(Math.min(...times) * 10) / 10;
  if (roundTripMs > ROUND_TRIP_MS) {
    session.log(
      `warning: the round trip to ${peer} takes ${roundTripMs} ms; Camunda supports up to ${ROUND_TRIP_MS} ms between the regions`,
    );
  }
  return {
    how: "already true",
    observed: { reached: targets.map(nameOf), addresses, roundTripMs },
  };
}

/** What a pod of this region sees of a target; or, in words, why there is no pod that could be asked yet. */
async function probeWhenThere(
  session: Session,
  { host, port }: Target,
): Promise<Probe | { missing: string }> {
  const cluster = session.kubernetes();
  const namespace = session.namespace();
  const { lookout, elasticsearch } = session.generation.objects;
  try {
    return await cluster.probe(namespace, lookout, host, port);
  } catch (error) {
    // No pod, or a container that does not run yet: it may come.
    if (error instanceof Refused && (error.status === 404 || error.status >= 500)) {
      const found = await cluster.statefulSet(namespace, elasticsearch);
      return {
        missing:
          found !== undefined && found.ready < found.wanted
            ? `${elasticsearch} has ${podsOf(found)}`
            : error.message,
      };
    }
    throw error;
  }
}

function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}

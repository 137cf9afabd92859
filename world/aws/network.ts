import { overlap, parseCidr, within } from "../../components/base/cidr";
import { Corefile } from "../kubernetes/played/corefile";
import { type Properties, record } from "../pulumi/properties";
import { referencedGroup } from "./filters";
import { addressesOf, nodeGroupOf, targetOf } from "./lb";
import { jsonObject, records, strings } from "./resourceType";
import type { Aws, Item } from "./state";
import {
  ADDON,
  ATTACHMENT,
  CLUSTER,
  EGRESS_RULE,
  INGRESS_RULE,
  LISTENER,
  LOAD_BALANCER,
  NETWORK_ACL,
  NODE_GROUP,
  ROUTE_TABLE,
  ROUTE_TABLE_ASSOCIATION,
  SECURITY_GROUP,
  SUBNET,
  TARGET_GROUP,
} from "./tokens";

/** Whether something gets through, and what is in its way. */
export type Verdict = { ok: true } | { ok: false; why: string };

/** Where a name leads. */
export type Resolution = { ok: true; region: string } | { ok: false; why: string };

/** Ports from the first to the last. */
type Ports = readonly [number, number];

/** One end of a connection. */
interface End {
  region: string;
  subnet: Item;
  /** Addresses that it may have. */
  cidr: string;
  /** Security groups; none: nothing is filtered there. */
  groups: string[];
}

/** What clients are given for the answer. */
const EPHEMERAL: Ports = [1024, 65535];

const OK: Verdict = { ok: true };

function no(why: string): { ok: false; why: string } {
  return { ok: false, why };
}

/**
 * Which packets pass, by what is in AWS at the moment: routes and peering there and back, network ACLs on
 * both sides and in both directions, security groups. A rule that was changed counts at once, for
 * connections that are established as well: that is so of network ACLs only.
 */
export class Network {
  /** @param nodePort whether a Service answers on that port of a region's nodes: undefined, or why not */
  constructor(
    private readonly aws: Aws,
    private readonly nodePort: (region: string, port: number) => string | undefined = () =>
      undefined,
  ) {}

  /** Whether every pod of a region reaches every pod of another one, wherever it runs. */
  reachable(from: string, to: string, port: number, protocol: "tcp" | "udp"): Verdict {
    const sources = this.nodes(from);
    const targets = this.nodes(to);
    if (!Array.isArray(sources)) {
      return sources;
    }
    if (!Array.isArray(targets)) {
      return targets;
    }
    return first(
      sources.flatMap((source) => targets.map((target) => ({ source, target }))),
      ({ source, target }) => this.connects(source, target, [port, port], protocol),
    );
  }

  /** Whether a region's pods get an answer of DNS at an address of a load balancer, over TCP. */
  dnsAnswersAt(address: string, from: string): Resolution {
    const found = this.aws.list(LOAD_BALANCER).flatMap((balancer) =>
      addressesOf(balancer.inputs)
        .filter((mapping) => mapping.address === address)
        .map(({ subnetId }) => ({ balancer, subnetId })),
    )[0];
    if (found === undefined) {
      return no(`no load balancer has the address ${address}`);
    }
    const { balancer, subnetId } = found;
    const region = String(balancer.region);
    const listener = this.aws
      .list(LISTENER, region)
      .find(
        ({ inputs }) =>
          inputs.loadBalancerArn === balancer.id && inputs.port === 53 && inputs.protocol === "TCP",
      );
    const targets = this.aws.find(TARGET_GROUP, region, listener && targetOf(listener.inputs));
    if (listener === undefined || targets === undefined) {
      return no(`${address}: ${balancer.id} has no listener on TCP 53 with a target group`);
    }
    const group = this.aws
      .list(ATTACHMENT, region)
      .filter(({ inputs }) => inputs.lbTargetGroupArn === targets.id)
      .map(({ inputs }) => nodeGroupOf({ aws: this.aws, region }, inputs.autoscalingGroupName))
      .find((item) => item !== undefined);
    const port = Number(targets.inputs.port);
    const clients = this.nodes(from);
    const nodes = this.nodes(region);
    if (group === undefined) {
      return no(`${address}: no nodes are attached to ${targets.id}`);
    }
    if (!Array.isArray(clients)) {
      return clients;
    }
    if (!Array.isArray(nodes)) {
      return nodes;
    }
    const subnet = this.aws.find(SUBNET, region, subnetId);
    if (subnet === undefined) {
      return no(`${address}: the subnet ${subnetId} is gone`);
    }
    const zone = subnet.outputs.availabilityZone;
    if (
      balancer.inputs.enableCrossZoneLoadBalancing !== true &&
      !nodes.some((node) => node.subnet.outputs.availabilityZone === zone)
    ) {
      return no(`${address}: no nodes in ${String(zone)}, and no balancing across zones`);
    }
    const entry: End = {
      region,
      subnet,
      cidr: `${address}/32`,
      groups: strings(balancer.inputs.securityGroups),
    };
    const arrives = first(clients, (client) => this.connects(client, entry, [53, 53], "tcp"));
    if (!arrives.ok) {
      return no(`${address}: ${arrives.why}`);
    }
    // With the client's own address kept, it is the client that the nodes must let in.
    const preserved = String(targets.inputs.preserveClientIp ?? true) === "true";
    const handedOn = first(preserved ? clients : [entry], (seen) =>
      first(nodes, (node) => this.connects(entry, node, [port, port], "tcp", seen)),
    );
    if (!handedOn.ok) {
      return no(`${address}: ${handedOn.why}`);
    }
    const silent = this.nodePort(region, port);
    return silent === undefined ? { ok: true, region } : no(`${address}: ${silent}`);
  }

  /**
   * Whose DNS a region's pods get the answer for a name from: by the Corefile of its cluster's add-on, and
   * by whether the addresses that it forwards to answer.
   */
  resolve(from: string, name: string): Resolution {
    const nodes = this.nodes(from);
    const addon = this.aws.list(ADDON, from).find(({ inputs }) => inputs.addonName === "coredns");
    if (!Array.isArray(nodes)) {
      return nodes;
    }
    if (addon === undefined) {
      return no(`${from} has no CoreDNS`);
    }
    const { corefile } = jsonObject(addon.inputs.configurationValues);
    if (typeof corefile !== "string") {
      return name.endsWith(".cluster.local")
        ? { ok: true, region: from }
        : no(`${name} is not in the cluster, and the Corefile has nothing for it`);
    }
    const decision = new Corefile(corefile).decide(name);
    switch (decision.kind) {
      case "cluster":
        return { ok: true, region: from };
      case "code":
        return no(`the Corefile of ${from} answers ${decision.code} for ${name}`);
      case "outside":
        return no(`the Corefile of ${from} asks the node's resolver for ${name}`);
      case "forward": {
        if (!decision.tcp) {
          return no(`the Corefile of ${from} asks for ${name} over UDP, which no listener answers`);
        }
        const answers = decision.addresses.map((address) => this.dnsAnswersAt(address, from));
        return (
          answers.find(({ ok }) => ok) ??
          no(answers.flatMap((answer) => (answer.ok ? [] : [answer.why])).join("; "))
        );
      }
    }
  }

  /** Where a region's pods run; or why none do. */
  private nodes(region: string): End[] | { ok: false; why: string } {
    if (this.aws.outages.has(region)) {
      return no(`${region} is lost`);
    }
    const ends = this.aws.list(NODE_GROUP, region).flatMap((group) => {
      const cluster = this.aws.find(CLUSTER, region, group.inputs.clusterName);
      const ofCluster = String(record(cluster?.outputs.vpcConfig).clusterSecurityGroupId);
      return strings(group.inputs.subnetIds).flatMap((id) => {
        const subnet = this.aws.find(SUBNET, region, id);
        return subnet === undefined
          ? []
          : [
              {
                region,
                subnet,
                cidr: String(subnet.inputs.cidrBlock),
                groups: [ofCluster],
              },
            ];
      });
    });
    return ends.length > 0 ? ends : no(`${region} has no nodes`);
  }

  /**
   * There and back: security groups know a connection, ACLs and routes do not.
   *
   * @param seen whose address the target is shown
   */
  private connects(
    source: End,
    target: End,
    ports: Ports,
    protocol: string,
    seen = source,
  ): Verdict {
    return first(
      [
        () => this.admits(source, "egress", target, ports, protocol),
        () => this.passes(source, "egress", target, ports, protocol),
        () => this.isRouted(source, target),
        () => this.passes(target, "ingress", source, ports, protocol),
        () => this.admits(target, "ingress", seen, ports, protocol),
        () => this.passes(target, "egress", source, EPHEMERAL, protocol),
        () => this.isRouted(target, source),
        () => this.passes(source, "ingress", target, EPHEMERAL, protocol),
      ],
      (check) => check(),
    );
  }

  /** Security groups of one end. */
  private admits(
    end: End,
    direction: "ingress" | "egress",
    other: End,
    ports: Ports,
    protocol: string,
  ): Verdict {
    const allowed =
      end.groups.length === 0 ||
      end.groups.some((id) =>
        this.rulesOf(end.region, id, direction).some(
          (rule) =>
            speaks(rule.protocol, protocol) &&
            covers(rule, ports) &&
            (rule.cidrs.some((cidr) => within(other.cidr, cidr)) ||
              (other.region === end.region &&
                rule.groups.some((group) => other.groups.includes(group)))),
        ),
      );
    return allowed
      ? OK
      : no(
          `security group ${end.groups.join(", ")} in ${end.region} has no ${direction} rule for ${protocol} ${ports[0]} ${direction === "ingress" ? "from" : "to"} ${other.cidr}`,
        );
  }

  private rulesOf(region: string, id: string, direction: "ingress" | "egress"): Rule[] {
    const group = this.aws.find(SECURITY_GROUP, region, id);
    const separate = this.aws
      .list(direction === "ingress" ? INGRESS_RULE : EGRESS_RULE, region)
      .filter(({ inputs }) => inputs.securityGroupId === id)
      .map(({ inputs }) => ({
        protocol: String(inputs.ipProtocol),
        ...portsOf(inputs),
        cidrs: strings([inputs.cidrIpv4]),
        groups: strings([referencedGroup(this.aws, inputs)]),
      }));
    // What AWS makes by itself lets itself in, and everything out.
    const everything = { protocol: "-1", from: 0, to: 65535 };
    const implicit: Rule[] = group?.implicit
      ? [
          direction === "ingress"
            ? { ...everything, cidrs: [], groups: [id] }
            : { ...everything, cidrs: ["0.0.0.0/0"], groups: [] },
        ]
      : [];
    return [...separate, ...implicit];
  }

  /** The network ACL of one end's subnet. It filters nothing within a subnet. */
  private passes(
    end: End,
    direction: "ingress" | "egress",
    other: End,
    ports: Ports,
    protocol: string,
  ): Verdict {
    const acl = this.aws
      .list(NETWORK_ACL, end.region)
      .find(({ inputs }) => strings(inputs.subnetIds).includes(end.subnet.id));
    if (acl === undefined || end.subnet.id === other.subnet.id) {
      return OK;
    }
    const rules = records(acl.inputs[direction]).sort(
      (a, b) => Number(a.ruleNo) - Number(b.ruleNo),
    );
    for (const rule of rules) {
      const cidr = String(rule.cidrBlock);
      const range = speaks(String(rule.protocol), "every") ? { from: 0, to: 65535 } : portsOf(rule);
      const touches = range.from <= ports[1] && ports[0] <= range.to && overlap(other.cidr, cidr);
      if (!speaks(String(rule.protocol), protocol) || !touches) {
        continue;
      }
      if (rule.action === "deny") {
        return no(
          `network ACL ${acl.id} in ${end.region} denies ${protocol} ${direction === "ingress" ? "from" : "to"} ${other.cidr} (${direction} rule ${String(rule.ruleNo)})`,
        );
      }
      if (covers(range, ports) && within(other.cidr, cidr)) {
        return OK;
      }
    }
    return no(
      `network ACL ${acl.id} in ${end.region} has no ${direction} rule that allows ${protocol} ${ports.join("-")} ${direction === "ingress" ? "from" : "to"} ${other.cidr}`,
    );
  }

  private isRouted(source: End, target: End): Verdict {
    const { vpcId } = source.subnet.inputs;
    if (vpcId === target.subnet.inputs.vpcId) {
      return OK;
    }
    const place = `${source.subnet.id} (${source.cidr}) in ${source.region}`;
    const table = this.aws
      .list(ROUTE_TABLE_ASSOCIATION, source.region)
      .find(({ inputs }) => inputs.subnetId === source.subnet.id)?.inputs.routeTableId;
    const [route] = this.routesOf(source.region, table)
      .filter(({ cidr }) => within(target.cidr, cidr))
      .sort((a, b) => (parseCidr(b.cidr)?.bits ?? 0) - (parseCidr(a.cidr)?.bits ?? 0));
    if (route === undefined) {
      return no(`no route from ${place} to ${target.cidr}`);
    }
    if (route.peering === undefined) {
      return no(`the route from ${place} to ${target.cidr} is ${route.cidr}, and no peering`);
    }
    const peering = this.aws.peerings.get(route.peering);
    if (peering?.status !== "active") {
      return no(
        `the route from ${place} to ${target.cidr} is a blackhole: ${route.peering} is ${peering?.status ?? "gone"}`,
      );
    }
    const sides = [peering.requester.vpcId, peering.accepter.vpcId];
    return [vpcId, target.subnet.inputs.vpcId].every((id) => sides.includes(String(id)))
      ? OK
      : no(`the route from ${place} to ${target.cidr} leads to another VPC: ${route.peering}`);
  }

  private routesOf(region: string, table: unknown): { cidr: string; peering?: string }[] {
    const routes = records(this.aws.find(ROUTE_TABLE, region, table)?.inputs.routes);
    return routes.map(({ cidrBlock, vpcPeeringConnectionId: peering }) => ({
      cidr: String(cidrBlock),
      ...(typeof peering === "string" && peering !== "" ? { peering } : {}),
    }));
  }
}

interface Rule {
  protocol: string;
  from: number;
  to: number;
  cidrs: string[];
  groups: string[];
}

function portsOf(rule: Properties): { from: number; to: number } {
  const all = speaks(String(rule.ipProtocol ?? rule.protocol), "every");
  return all ? { from: 0, to: 65535 } : { from: Number(rule.fromPort), to: Number(rule.toPort) };
}

function covers({ from, to }: { from: number; to: number }, [low, high]: Ports): boolean {
  return from <= low && high <= to;
}

const NUMBERS: Record<string, string> = { "6": "tcp", "17": "udp" };

/** Whether a rule is for a protocol; only one for all protocols is for `every`. */
function speaks(rule: string, protocol: string): boolean {
  return rule === "-1" || rule === "all" || (NUMBERS[rule] ?? rule) === protocol;
}

function first<T>(items: readonly T[], check: (item: T) => Verdict): Verdict {
  for (const item of items) {
    const verdict = check(item);
    if (!verdict.ok) {
      return verdict;
    }
  }
  return OK;
}

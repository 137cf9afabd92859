import assert from "node:assert/strict";
import { dnsAddresses } from "../../../../components/settings/eksNames";

import * as tokens from "../../../../world/aws/tokens";
import { Network } from "../../../../world/aws/network";
import type { Properties } from "../../../../world/pulumi/properties";
import {
  BuiltRegion,
  buildRegion,
  Cloud,
  corefileFor,
  fenceRules,
  LONDON,
  Made,
  PARIS,
  peer,
} from "./cloud";

const LONDON_VPC = "10.192.0.0/16";
const PARIS_VPC = "10.202.0.0/16";
const LONDON_ZONE = "camunda-london.svc.cluster.local";
const PARIS_ZONE = "camunda-paris.svc.cluster.local";
const BROKER = `camunda-zeebe-0.camunda-zeebe.${PARIS_ZONE}`;
const [ADDRESS = ""] = dnsAddresses(PARIS_VPC);

describe("the network of the AWS stand-in", () => {
  let cloud: Cloud;
  let network: Network;
  let london: BuiltRegion;
  let paris: BuiltRegion;
  let peering: Made;
  let nodePort: string | undefined;

  beforeEach(async () => {
    cloud = new Cloud();
    nodePort = undefined;
    network = new Network(cloud.aws, () => nodePort);
    london = await buildRegion(cloud, LONDON, LONDON_VPC, { cidr: PARIS_VPC, zone: PARIS_ZONE });
    paris = await buildRegion(cloud, PARIS, PARIS_VPC, { cidr: LONDON_VPC, zone: LONDON_ZONE });
    peering = await peer(cloud, paris, london);
  });

  const brokers = () => network.reachable(LONDON, PARIS, 26502, "tcp");
  const cut = (why: RegExp, verdict: { ok: boolean; why?: string } = brokers()) => {
    assert.equal(verdict.ok, false, "it is not cut");
    assert.match(verdict.why ?? "", why);
  };
  const drop = async (table: Made) =>
    cloud.change(table, {
      routes: (table.inputs.routes as Properties[]).filter(
        ({ vpcPeeringConnectionId: id }) => id === undefined,
      ),
    });

  it("lets brokers see each other, in both protocols and both directions", () => {
    assert.deepEqual(brokers(), { ok: true });
    assert.deepEqual(network.reachable(PARIS, LONDON, 26502, "udp"), { ok: true });
  });

  it("lets nobody in on another port", () => {
    cut(/has no ingress rule for tcp 9200/, network.reachable(LONDON, PARIS, 9200, "tcp"));
  });

  it("needs the security group of the target only: a protocol that it leaves out is cut", async () => {
    await cloud.remove(paris.rules[1] as Made);
    cut(/has no ingress rule for udp 26502/, network.reachable(LONDON, PARIS, 26502, "udp"));
    assert.deepEqual(brokers(), { ok: true });
  });

  it("is cut by a network ACL on either side, in either direction", async () => {
    for (const [region, other] of [
      [london, PARIS_VPC],
      [paris, LONDON_VPC],
    ] as const) {
      for (const direction of ["ingress", "egress"]) {
        await cloud.change(region.acl, { [direction]: fenceRules(other) });
        cut(new RegExp(`in ${region.name} denies tcp .*${direction} rule 10`));
        await cloud.change(region.acl, { [direction]: fenceRules() });
        assert.deepEqual(brokers(), { ok: true });
      }
    }
  });

  it("is cut by an ACL without the rule that lets answers back in", async () => {
    const [all] = fenceRules();
    const only = { ...all, protocol: "tcp", fromPort: 26502, toPort: 26502 };
    await cloud.change(london.acl, { ingress: [only] });
    cut(/no ingress rule that allows tcp 1024-65535/);
  });

  it("needs a route there and a route back", async () => {
    await drop(london.tables.private);
    cut(/from .* in eu-west-2 to 10\.202\..* is 0\.0\.0\.0\/0, and no peering/);
    await cloud.change(london.tables.private, {
      routes: [
        ...(london.tables.private.inputs.routes as Properties[]),
        { cidrBlock: PARIS_VPC, vpcPeeringConnectionId: peering.id },
      ],
    });
    await drop(paris.tables.private);
    cut(/in eu-west-3 to 10\.192/);
  });

  it("needs an active peering: before it is accepted, the routes are blackholes", async () => {
    const young = new Cloud();
    const net = new Network(young.aws);
    const one = await buildRegion(young, LONDON, LONDON_VPC, { cidr: PARIS_VPC, zone: PARIS_ZONE });
    const other = await buildRegion(young, PARIS, PARIS_VPC, {
      cidr: LONDON_VPC,
      zone: LONDON_ZONE,
    });
    const { id } = await young.make(PARIS, tokens.PEERING, {
      vpcId: other.vpc.id,
      peerVpcId: one.vpc.id,
      peerRegion: LONDON,
    });
    for (const [region, cidrBlock] of [
      [one, PARIS_VPC],
      [other, LONDON_VPC],
    ] as const) {
      await young.change(region.tables.private, {
        routes: [{ cidrBlock, vpcPeeringConnectionId: id }],
      });
    }
    cut(/blackhole: pcx-\w+ is pending-acceptance/, net.reachable(LONDON, PARIS, 26502, "tcp"));
  });

  it("is cut when the other region is lost, and when its VPC is gone", () => {
    cloud.aws.outages.lose(PARIS);
    cut(/eu-west-3 is lost/);
    cloud.aws.outages.recover(PARIS);
    assert.deepEqual(brokers(), { ok: true });
    cloud.aws.forget(PARIS);
    cut(/eu-west-3 has no nodes/);
    assert.equal(cloud.aws.peerings.get(peering.id)?.status, "deleted");
  });

  it("answers DNS at the load balancer's address", () => {
    for (const address of dnsAddresses(PARIS_VPC)) {
      assert.deepEqual(network.dnsAnswersAt(address, LONDON), { ok: true, region: PARIS });
    }
    assert.deepEqual(network.resolve(LONDON, BROKER), { ok: true, region: PARIS });
    assert.deepEqual(network.resolve(LONDON, `x.${LONDON_ZONE}`), { ok: true, region: LONDON });
  });

  const unanswered: [string, () => Promise<unknown>, RegExp][] = [
    ["no listener", () => cloud.remove(paris.listener), /has no listener on TCP 53/],
    ["no nodes attached", () => cloud.remove(paris.attachment), /no nodes are attached/],
    ["no NodePort", async () => (nodePort = "no Service on 30053"), /no Service on 30053/],
    [
      "a closed load balancer",
      () => cloud.remove(paris.rules[2] as Made),
      /no ingress rule for tcp 53/,
    ],
    [
      "a load balancer that may not go on",
      () => cloud.remove(paris.rules[3] as Made),
      /no egress rule for tcp 30053/,
    ],
    ["closed nodes", () => cloud.remove(paris.rules[4] as Made), /no ingress rule for tcp 30053/],
    [
      "the client's address kept, which the nodes do not know",
      () => cloud.change(paris.targets, { preserveClientIp: "true" }),
      /no ingress rule for tcp 30053 from 10\.192/,
    ],
    ["no way to its subnet", () => drop(london.tables.private), /no peering/],
    ["no way back from its subnet", () => drop(paris.tables.dns), /no route from .* to 10\.192/],
    [
      "a fence around its subnet",
      () => cloud.change(paris.acl, { ingress: fenceRules(LONDON_VPC) }),
      /denies tcp from/,
    ],
  ];
  for (const [title, breakIt, why] of unanswered) {
    it(`has no answer of DNS with ${title}`, async () => {
      await breakIt();
      cut(why, network.dnsAnswersAt(ADDRESS, LONDON));
      cut(why, network.resolve(LONDON, BROKER));
    });
  }

  it("has no answer at an address that nobody has", () => {
    cut(
      /no load balancer has the address 10\.202\.0\.9/,
      network.dnsAnswersAt("10.202.0.9", LONDON),
    );
  });

  it("resolves by the Corefile: another zone, UDP, and a name that is denied", async () => {
    const corefile = (text: string) =>
      cloud.change(london.coreDns, { configurationValues: JSON.stringify({ corefile: text }) });
    await corefile(corefileFor(PARIS_ZONE, dnsAddresses(PARIS_VPC), false));
    cut(/over UDP, which no listener answers/, network.resolve(LONDON, BROKER));
    await corefile(corefileFor("other.svc.cluster.local", dnsAddresses(PARIS_VPC)));
    assert.deepEqual(network.resolve(LONDON, BROKER), { ok: true, region: LONDON });
    await corefile(
      `${corefileFor("other.local", ["10.202.0.9"])}${PARIS_ZONE}:53 {
    template IN ANY ${PARIS_ZONE} {
        rcode NXDOMAIN
    }
}
`,
    );
    cut(/answers NXDOMAIN/, network.resolve(LONDON, BROKER));
  });
});

import assert from "node:assert/strict";
import { dnsAddresses, subnetPlan } from "../../../../components/settings/eksNames";
import { BOTH, Declarations, declare } from "./declared";
import { networkOf, SceneArgs } from "./scene";

const SUBNET = "aws:ec2/subnet:Subnet";
const TABLE = "aws:ec2/routeTable:RouteTable";
const REQUEST = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection";
const ACCEPT = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter";

async function network(args: SceneArgs) {
  return await declare(() => networkOf(args).network.peeringConnectionId ?? "none", {});
}

interface Route {
  cidrBlock: string;
  vpcPeeringConnectionId?: string;
  natGatewayId?: string;
  gatewayId?: string;
}

function routes(declared: Declarations): Record<string, Route[]> {
  return Object.fromEntries(
    declared.of(TABLE).map(({ name, inputs }) => [name, inputs.routes as Route[]]),
  );
}

const known = { vpcId: "vpc-peer", peeringConnectionId: "pcx-1" };

describe("RegionNetwork", () => {
  it("makes the planned subnets, each in its zone, none of them public by itself", async () => {
    const { declared } = await network({});
    const made = declared
      .of(SUBNET)
      .map(({ name, inputs }) => `${name} ${inputs.cidrBlock} ${inputs.availabilityZoneId}`);
    assert.deepEqual(
      made.sort(),
      subnetPlan("10.192.0.0/16")
        .map(({ kind, cidr, zone }) => `net-${kind}-${zone} ${cidr} euw2-az${zone + 1}`)
        .sort(),
    );
    declared.of(SUBNET).forEach(({ inputs }) => assert.equal(inputs.mapPublicIpOnLaunch, false));
  });

  it("lets load balancers of Services into private and public subnets, never into those of DNS", async () => {
    const { declared } = await network({ region: "region1" });
    for (const { name, inputs } of declared.of(SUBNET)) {
      const tags = Object.keys(inputs.tags as object).filter((tag) => tag.startsWith("kubernetes"));
      const expected = name.includes("-dns-")
        ? []
        : [
            "kubernetes.io/cluster/camunda-region1",
            `kubernetes.io/role/${name.includes("-public-") ? "elb" : "internal-elb"}`,
          ];
      assert.deepEqual(tags, expected, name);
    }
  });

  it("hands out every subnet, and those of DNS with their addresses", async () => {
    const { declared, outputs } = await declare(() => {
      const { network } = networkOf();
      return { all: network.subnetIds, dns: network.dnsSubnets, private: network.privateSubnetIds };
    });
    assert.deepEqual(
      [...outputs.all].sort(),
      declared
        .of(SUBNET)
        .map(({ name }) => `${name}-id`)
        .sort(),
    );
    assert.deepEqual(
      outputs.dns,
      dnsAddresses("10.192.0.0/16").map((address, zone) => ({ id: `net-dns-${zone}-id`, address })),
    );
    assert.deepEqual(outputs.private, ["net-private-0-id", "net-private-1-id", "net-private-2-id"]);
  });

  for (const [natGateways, count] of [
    ["single", 1],
    ["per-zone", 3],
  ] as const) {
    it(`has ${count} NAT for ${natGateways}, and a way out for each private subnet`, async () => {
      const { declared } = await network({ eks: { natGateways } });
      assert.equal(declared.of("aws:ec2/natGateway:NatGateway").length, count);
      const tables = routes(declared);
      for (const zone of [0, 1, 2]) {
        assert.deepEqual(tables[`net-private-${zone}`], [
          { cidrBlock: "0.0.0.0/0", natGatewayId: `net-nat-${zone % count}-id` },
        ]);
      }
      assert.deepEqual(tables["net-public"], [
        { cidrBlock: "0.0.0.0/0", gatewayId: "net-internet-id" },
      ]);
      assert.deepEqual(tables["net-dns"], []);
    });
  }

  it("reaches S3 of its own region without a NAT gateway, from the private subnets", async () => {
    const { declared } = await network({ region: "region1" });
    const { inputs } = declared.only("aws:ec2/vpcEndpoint:VpcEndpoint");
    assert.equal(inputs.serviceName, "com.amazonaws.eu-west-3.s3");
    assert.equal(inputs.vpcEndpointType, "Gateway");
    assert.deepEqual(
      inputs.routeTableIds,
      [0, 1, 2].map((zone) => `net-private-${zone}-id`),
    );
  });

  it("puts every subnet into one table", async () => {
    const { declared } = await network({});
    const associated = declared
      .of("aws:ec2/routeTableAssociation:RouteTableAssociation")
      .map(({ inputs }) => inputs.subnetId);
    assert.deepEqual(
      [...associated].sort(),
      declared
        .of(SUBNET)
        .map(({ name }) => `${name}-id`)
        .sort(),
    );
  });

  it("has no peering and no route to the peer until the peer is known", async () => {
    for (const region of BOTH) {
      const { declared, outputs } = await network({ region });
      assert.equal(outputs, "none");
      assert.deepEqual([...declared.of(REQUEST), ...declared.of(ACCEPT)], []);
      assert.doesNotMatch(JSON.stringify(routes(declared)), /10\.(192|202)\.0\.0/);
    }
  });

  it("does not wait for what only the other role needs", async () => {
    const requester = await network({ region: "region1", peer: { peeringConnectionId: "pcx-1" } });
    const accepter = await network({ region: "region0", peer: { vpcId: "vpc-peer" } });
    for (const { declared, outputs } of [requester, accepter]) {
      assert.equal(outputs, "none");
      assert.deepEqual([...declared.of(REQUEST), ...declared.of(ACCEPT)], []);
    }
  });

  it("requests the peering in region1 alone, and leaves it in AWS", async () => {
    const { declared, outputs } = await network({ region: "region1", peer: known });
    const { inputs, retainOnDelete } = declared.only(REQUEST);
    assert.equal(inputs.vpcId, "net-vpc-id");
    assert.equal(inputs.peerVpcId, "vpc-peer");
    assert.equal(inputs.peerRegion, "eu-west-2");
    assert.equal(inputs.autoAccept, false);
    assert.equal(retainOnDelete, true);
    assert.deepEqual(declared.of(ACCEPT), []);
    assert.equal(outputs, "net-peering-id");
  });

  it("accepts the peering in region0 alone", async () => {
    const { declared, outputs } = await network({ region: "region0", peer: known });
    const { inputs } = declared.only(ACCEPT);
    assert.equal(inputs.vpcPeeringConnectionId, "pcx-1");
    assert.equal(inputs.autoAccept, true);
    assert.deepEqual(declared.of(REQUEST), []);
    assert.equal(outputs, "pcx-1");
  });

  for (const [region, connection, cidr, services] of [
    ["region0", "pcx-1", "10.202.0.0/16", "10.200.0.0/16"],
    ["region1", "net-peering-id", "10.192.0.0/16", "10.190.0.0/16"],
  ] as const) {
    it(`routes from private and DNS subnets of ${region} to the peer's VPC, and to nothing else of it`, async () => {
      const { declared } = await network({ region, peer: known });
      const tables = routes(declared);
      const toPeer = { cidrBlock: cidr, vpcPeeringConnectionId: connection };
      for (const table of ["net-private-0", "net-private-1", "net-private-2", "net-dns"]) {
        const peered = tables[table]?.filter((route) => route.vpcPeeringConnectionId !== undefined);
        assert.deepEqual(peered, [toPeer], table);
      }
      assert.equal(tables["net-public"]?.length, 1);
      assert.ok(!JSON.stringify(tables).includes(services));
      assert.deepEqual(declared.of("aws:ec2/route:Route"), []);
    });
  }

  it("looks nothing up and takes no default provider", async () => {
    for (const region of BOTH) {
      const { declared } = await network({ region, peer: known });
      for (const { type, name, provider } of declared.all) {
        if (type.startsWith("aws:")) {
          assert.match(provider, /pulumi:providers:aws::aws::/, `${type} ${name}`);
        }
      }
    }
  });

  it("is refused in a region with too few zones", async () => {
    await assert.rejects(
      network({ eks: { awsRegions: { region0: "us-west-1", region1: "eu-west-3" } } }),
      /us-west-1, which has 2 availability zones for EKS, and a region needs 3: choose another/,
    );
  });
});

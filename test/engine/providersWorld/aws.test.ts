import assert from "node:assert/strict";
import { BackupBucket } from "../../../components/installation/eks/backupBucket";
import { EksDnsChaining } from "../../../components/installation/eks/dnsChaining";
import { EksCluster } from "../../../components/installation/eks/eksCluster";
import { dnsAddresses } from "../../../components/settings/eksNames";
import { EksPeerFence } from "../../../components/installation/eks/peerFence";
import { awsProvider } from "../../../components/installation/eks/provider";
import { RegionNetwork } from "../../../components/installation/eks/regionNetwork";
import { peerOf, RegionName } from "../../../components/base/brokers";
import { corefile } from "../../../components/installation/kubernetes/corefile";
import { AwsStandIn } from "../../../world/aws";
import { BUCKET, CLUSTER, ROLE } from "../../../world/aws/tokens";
import { roleAllows, whyNotAssumable } from "../../../world/aws/iam";
import { Network } from "../../../world/aws/network";
import { Aws } from "../../../world/aws/state";
import { Outages } from "../../../world/pulumi/outages";
import { compare, Properties } from "../../../world/pulumi/properties";
import type { Call, RecordedResource, StandIn } from "../../../world/pulumi/standIn";
import { failureOf } from "../../support/failure";
import { Bench } from "./bench";
import { eksSettings } from "../../unit/installation/eks/declared";

const LONDON = "eu-west-2";
const PARIS = "eu-west-3";

const eks = eksSettings({
  awsRegions: { region0: LONDON, region1: PARIS },
  administrators: ["arn:aws:iam::123456789012:role/operators"],
  apiAccessCidrs: ["0.0.0.0/0"],
  bucketEncryption: "aws:kms",
});
const namespaces = { region0: "camunda-london", region1: "camunda-paris" };

/** Objects of Kubernetes, which are of no interest here. */
class Kubernetes implements StandIn {
  readonly package = "kubernetes";
  readonly version = "4.34.2";
  readonly local = ["check", "diff", "preview"] as const;
  regionOf() {
    return undefined;
  }
  check() {
    return {};
  }
  diff(_call: Call, _id: string, old: RecordedResource, inputs: Properties) {
    return compare(old.inputs, inputs);
  }
  preview(_call: Call, inputs: Properties) {
    return inputs;
  }
  create(call: Call, inputs: Properties) {
    return { id: call.name, outputs: inputs };
  }
  read(_call: Call, _id: string, old: RecordedResource) {
    return old;
  }
  update(_call: Call, _id: string, _old: RecordedResource, inputs: Properties) {
    return inputs;
  }
  delete() {
    return;
  }
  invoke(call: Call): never {
    throw new Error(call.type);
  }
}

interface Peer {
  vpcId?: string;
  peeringConnectionId?: string;
}

function region(
  name: RegionName,
  peer: Peer,
  { fenced = false, adopt = false, settings = eks } = {},
) {
  return async () => {
    const provider = awsProvider("aws", eks, name);
    const options = { providers: [provider] };
    const network = new RegionNetwork("network", { eks, region: name, peer }, options);
    const cluster = new EksCluster("eks", { eks: settings, region: name, network }, options);
    new EksPeerFence("fence", { eks, region: name, network, fenced }, options);
    const bucket = new BackupBucket(
      "backup",
      {
        eks: settings,
        region: name,
        oidcProviderArn: cluster.oidcProviderArn,
        issuer: cluster.issuer,
        namespace: namespaces[name],
        serviceAccount: "elasticsearch",
        adopt,
      },
      options,
    );
    new EksDnsChaining(
      "dns",
      {
        eks,
        region: name,
        network,
        cluster,
        corefile: corefile({
          peerNamespace: namespaces[peerOf(name)],
          peerAddresses: dnsAddresses(eks.cidrs[peerOf(name)].vpc),
          fenced,
        }),
      },
      options,
    );
    return {
      vpcId: network.vpcId,
      roleArn: bucket.roleArn,
      kubeconfig: cluster.kubeconfig,
      ...(network.peeringConnectionId && { peeringConnectionId: network.peeringConnectionId }),
    };
  };
}

describe("the AWS stand-in under the components, driven by the engine", function () {
  this.timeout(900_000);
  const outages = new Outages(100);
  const clusters: string[] = [];
  const aws = new Aws(eks.awsAccount, outages, {
    onCluster: async (awsRegion, { name: cluster }) => {
      clusters.push(`${awsRegion} ${cluster}`);
      return { endpoint: `https://${cluster}`, certificateAuthority: "Q0E=" };
    },
    onClusterDeleted: async () => undefined,
    onAddon: async () => undefined,
  });
  const network = new Network(aws);
  const standIn = new AwsStandIn(aws);
  const bench = new Bench(outages, standIn, new Kubernetes());
  const london: Peer = {};
  const paris: Peer = {};

  before(() => bench.start());
  after(() => bench.stop());

  const up = async (name: RegionName, program: ReturnType<typeof region>) =>
    (await bench.stack(name, program)).up();
  const changesOf = (changes: Record<string, number> | undefined) => {
    const { same, ...rest } = changes ?? {};
    assert.ok(Number(same) > 0);
    return rest;
  };
  const calls = () => bench.servers[0]?.calls ?? [];
  const gossip = () => [
    network.reachable(LONDON, PARIS, 26502, "udp"),
    network.reachable(PARIS, LONDON, 26502, "tcp"),
  ];
  const name = `x.${namespaces.region1}.svc.cluster.local`;
  const backup = (awsRegion: string) => `camunda-elastic-backup-${eks.awsAccount}-${awsRegion}`;

  it("installs two regions in three rounds, and then they see each other", async () => {
    const first = await up("region0", region("region0", {}));
    london.vpcId = String(first.outputs.vpcId?.value);
    const second = await up("region1", region("region1", london));
    paris.peeringConnectionId = String(second.outputs.peeringConnectionId?.value);
    assert.deepEqual(clusters, [`${LONDON} camunda-region0`, `${PARIS} camunda-region1`]);
    assert.equal(second.outputs.kubeconfig?.secret, true);
    assert.match(JSON.stringify(gossip()), /no peering/);

    const third = await up("region0", region("region0", paris));
    // The accepter; the route tables of three private subnets and of DNS.
    assert.deepEqual(changesOf(third.summary.resourceChanges), { create: 1, update: 4 });
    assert.deepEqual(gossip(), [{ ok: true }, { ok: true }]);
    assert.deepEqual(network.resolve(LONDON, name), { ok: true, region: PARIS });
    // Each stack has asked its own region, and nobody the default provider.
    for (const { stack, region: asked } of calls()) {
      assert.equal(asked, stack === "region0" ? LONDON : PARIS);
    }
  });

  it("opens Elasticsearch's role to its service account: own bucket whole, the other's for reading", () => {
    const role = String(
      aws.list(ROLE).find(({ inputs }) => String(inputs.name).startsWith("backup-elasticsearch"))
        ?.outputs.arn,
    );
    const [own] = aws.list(CLUSTER, LONDON)[0]?.outputs.identities as [
      { oidcs: [{ issuer: string }] },
    ];
    const why = (serviceAccount: string) =>
      whyNotAssumable(aws, role, {
        issuer: own.oidcs[0].issuer,
        namespace: namespaces.region0,
        serviceAccount,
      });
    assert.equal(why("elasticsearch"), undefined);
    assert.match(why("default") ?? "", /does not let/);
    const allowed = (action: string, awsRegion: string) =>
      roleAllows(aws, role, action, `arn:aws:s3:::${backup(awsRegion)}/index-0`);
    assert.equal(allowed("s3:PutObject", LONDON), true);
    assert.equal(allowed("s3:PutObject", PARIS), false);
    assert.equal(allowed("s3:GetObject", PARIS), true);
  });

  it("fences a lost region off in place, asking nobody but the own region", async () => {
    outages.lose(PARIS);
    const mark = calls().length;
    const fenced = await up("region0", region("region0", paris, { fenced: true }));
    // The ACL, and CoreDNS.
    assert.deepEqual(changesOf(fenced.summary.resourceChanges), { update: 2 });
    const asked = calls()
      .slice(mark)
      .flatMap(({ reaches }) => reaches);
    assert.deepEqual(new Set(asked), new Set([LONDON]));
    const failure = String(
      await failureOf(up("region1", region("region1", london, { fenced: true }))),
    );
    assert.match(failure, /eu-west-3 does not answer: update of aws:/);
    outages.recover(PARIS);
    assert.match(JSON.stringify(gossip()), /network ACL acl-\w+ in eu-west-2 denies udp/);
    assert.match(JSON.stringify(network.resolve(LONDON, name)), /NXDOMAIN/);
  });

  it("makes the lost region anew beside what it left in the account, and peers again", async () => {
    aws.objects.get(backup(PARIS))?.add("index-0");
    aws.forget(PARIS);
    const gone = await bench.stack("region1", region("region1", london));
    await gone.workspace.removeStack("region1", { force: true });
    const taken = await failureOf(up("region1", region("region1", london)));
    assert.match(String(taken), /BucketAlreadyOwnedByYou/);
    const again = await up("region1", region("region1", london, { adopt: true }));
    const peering = String(again.outputs.peeringConnectionId?.value);
    assert.notEqual(peering, paris.peeringConnectionId);

    const accepted = await up("region0", region("region0", { peeringConnectionId: peering }));
    // The accepter is replaced; routes, the ACL and CoreDNS change in place.
    assert.deepEqual(changesOf(accepted.summary.resourceChanges), { replace: 1, update: 6 });
    assert.deepEqual(gossip(), [{ ok: true }, { ok: true }]);
    assert.deepEqual([...(aws.objects.get(backup(PARIS)) ?? [])], ["index-0"]);
  });

  it("is as it is declared: a refresh of it finds nothing to change", async () => {
    const stack = await bench.stack("region1", region("region1", london));
    const seen = await stack.preview({ refresh: true });
    assert.deepEqual(Object.keys(seen.changeSummary), ["same"]);
  });

  it("changes the type of the nodes in place, by the launch template", async () => {
    const settings = { ...eks, nodes: { ...eks.nodes, instanceType: "m7i.xlarge" } };
    const changed = await up("region1", region("region1", london, { settings }));
    // The template and the node group.
    assert.deepEqual(changesOf(changed.summary.resourceChanges), { update: 2 });
    await up("region1", region("region1", london));
  });

  it("takes the bucket of before back when the suffix is taken back, and deletes none", async () => {
    const settings = { ...eks, bucketSuffix: "two" };
    const suffixed = `${backup(PARIS)}-two`;
    await up("region1", region("region1", london, { settings }));
    aws.objects.get(suffixed)?.add("index-1");
    const refused = await failureOf(up("region1", region("region1", london)));
    assert.match(String(refused), /BucketAlreadyOwnedByYou/);
    await up("region1", region("region1", london, { adopt: true }));
    const kept = [backup(PARIS), suffixed].map((name) => [...(aws.objects.get(name) ?? [])]);
    assert.deepEqual(kept, [["index-0"], ["index-1"]]);
    assert.equal(aws.list(BUCKET, PARIS).length, 2);
    const after = await bench.stack("region1", region("region1", london));
    const seen = await after.preview({ refresh: true });
    assert.deepEqual(Object.keys(seen.changeSummary), ["same"]);
  });
});

import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import {
  camundaValues,
  elasticsearchValues,
} from "../../../../components/installation/camunda/helmValues";
import {
  camundaIn,
  InstalledRegionArgs,
} from "../../../../components/installation/installedRegion";
import { peerStateOf, recordedOf } from "../../../../components/stack/stackState";
import { CamundaRelease } from "../../../../components/installation/kubernetes/camundaRelease";
import { corefileBlock } from "../../../../components/installation/kubernetes/corefile";
import { KubernetesDnsChaining } from "../../../../components/installation/kubernetes/dnsChaining";
import { Elasticsearch } from "../../../../components/installation/kubernetes/elasticsearch";
import { KubernetesPeerFence } from "../../../../components/installation/kubernetes/peerFence";
import { Declared, declare, eksSettings, kubernetesSettings, SECRET } from "./declared";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const SERVICE = "kubernetes:core/v1:Service";
const PATCH = "kubernetes:core/v1:ConfigMapPatch";
const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
const BLOCK = "pulumi-nodejs:dynamic/camunda:CorefileBlock";

const namespace = pulumi.output("camunda-london");

function only(found: Declared[]): Declared {
  assert.equal(found.length, 1);
  return found[0] as Declared;
}

/** Values as the provider gets them: a `null` stays. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("CamundaRelease", () => {
  const status = { name: "camunda", status: "deployed", version: "11.12.3" };

  it("says what Helm says, and has the values without the web applications while it rejoins", async () => {
    const settings = eksSettings();
    const { of, outputs } = await declare(
      () => {
        const { name, status, version } = new CamundaRelease("region-camunda", {
          settings,
          rejoining: true,
          namespace,
        });
        return { name, status, version };
      },
      { [RELEASE]: { status } },
    );
    const values = plain(camundaValues(settings, { webApps: false }));
    assert.deepEqual(only(of(RELEASE)).inputs.values, values);
    assert.deepEqual(outputs, status);
  });

  it("claims nothing that Helm has not said", async () => {
    const { outputs } = await declare(
      () =>
        new CamundaRelease("camunda", { settings: eksSettings(), rejoining: false, namespace })
          .name,
      { [RELEASE]: { status: { name: "what-helm-says" } } },
    );
    assert.equal(outputs, "what-helm-says");
  });

  it("comes from an archive of the user's own", async () => {
    const settings = eksSettings({ charts: { camunda: { chart: "./camunda-platform.tgz" } } });
    const { of } = await declare(
      () => new CamundaRelease("camunda", { settings, rejoining: false, namespace }),
      { [RELEASE]: { status } },
    );
    const { inputs } = only(of(RELEASE));
    assert.equal(inputs.chart, "./camunda-platform.tgz");
    assert.equal("repositoryOpts" in inputs || "version" in inputs, false);
  });
});

describe("Elasticsearch", () => {
  it("is a release of its own, of the archive of a chart at an oci:// address", async () => {
    const settings = eksSettings();
    const { of, all } = await declare(
      () => new Elasticsearch("region-elasticsearch", { settings, namespace }),
    );
    const { inputs } = only(of(RELEASE));
    assert.equal(inputs.name, "camunda-elasticsearch");
    assert.equal(inputs.chart, "./charts/elasticsearch-21.6.3.tgz");
    assert.equal(inputs.skipAwait, true);
    assert.deepEqual(inputs.values, plain(elasticsearchValues(settings)));
    assert.deepEqual(
      all.filter(({ type }) => type.endsWith(":Secret")),
      [],
    );
  });

  describe("after an upgrade that ended before Camunda's release", () => {
    const halfWay = recordedOf([
      {
        type: RELEASE,
        outputs: { name: "camunda-elasticsearch", values: { image: { tag: "8.17.4" } } },
      },
    ]);
    const tagOf = async (of: Partial<InstalledRegionArgs>) => {
      const declared = await declare(() => {
        const args: InstalledRegionArgs = {
          settings: eksSettings({ camundaVersion: "8.6" }),
          fence: "closed",
          first: [],
          rejoining: false,
          activeRegion: "region0",
          peer: { known: false, why: "no answer" },
          recorded: recordedOf([]),
          descriptions: {},
          ...of,
        };
        const dns = new pulumi.ComponentResource("a:dns:Dns", "dns");
        camundaIn("region", args, { options: {}, namespace, after: [], dns, fence: [] });
      });
      const { inputs } = only(
        declared.of(RELEASE).filter(({ inputs }) => inputs.name === "camunda-elasticsearch"),
      );
      return (inputs.values as { image: { tag: string } }).image.tag;
    };

    it("keeps the image that its data is of, since it would not start on it with the one before", async () => {
      assert.equal(await tagOf({ recorded: halfWay }), "8.17.4");
      assert.equal(await tagOf({}), "8.15.4");
    });

    it("has that image in a recreated region too, which is restored from it, and in no other one", async () => {
      const peer = peerStateOf(halfWay);
      assert.equal(await tagOf({ rejoining: true, peer }), "8.17.4");
      assert.equal(await tagOf({ peer }), "8.15.4");
    });
  });

  it("has keys of S3 in a Secret only, which is there before the release", async () => {
    const settings = kubernetesSettings({
      s3AccessKey: "AKIAEXAMPLE",
      s3SecretKey: "very/secret+key=",
    });
    const { of, all } = await declare(
      () => new Elasticsearch("region-elasticsearch", { settings, namespace }),
    );
    const secret = only(of("kubernetes:core/v1:Secret"));
    assert.deepEqual(secret.inputs.metadata, {
      name: "elasticsearch-s3-keys",
      namespace: "camunda-london",
    });
    assert.deepEqual(secret.inputs.stringData, {
      S3_ACCESS_KEY: "AKIAEXAMPLE",
      S3_SECRET_KEY: "very/secret+key=",
    });
    assert.ok(secret.registered.includes(SECRET), "it must be registered as a secret");
    all
      .filter(({ type }) => !type.endsWith(":Secret"))
      .forEach(({ registered }) => assert.equal(registered.includes("very/secret"), false));
    assert.ok(only(of(RELEASE)).dependsOn.includes(secret.name));
  });
});

describe("KubernetesPeerFence of a cluster that is given", () => {
  const fence = (region: "region0" | "region1", state: "closed" | "opened", cidrs?: object) =>
    declare(() => {
      const { cluster } = kubernetesSettings(cidrs && { cidrs }).installation;
      return new KubernetesPeerFence("region-fence", {
        kubernetes: cluster,
        region,
        namespace,
        state,
      }).resources.length;
    });

  it("cuts every block of the other region's nodes, pods and services, and none of its own", async () => {
    const cidrs = {
      region0: {
        nodes: ["10.10.0.0/20", "10.13.0.0/20"],
        pods: ["10.20.0.0/16", "10.22.0.0/16", "100.64.0.0/16"],
        services: ["10.30.0.0/20"],
      },
      region1: {
        nodes: ["10.11.0.0/20"],
        pods: ["10.21.0.0/16", "10.23.0.0/16"],
        services: ["10.31.0.0/20", "10.33.0.0/20"],
      },
    };
    for (const [region, peer] of [
      ["region0", "region1"],
      ["region1", "region0"],
    ] as const) {
      const { inputs } = only((await fence(region, "closed", cidrs)).of(POLICY));
      const { ingress, egress } = inputs.spec as Record<"ingress" | "egress", object[]>;
      const peers = [
        { ipBlock: { cidr: "0.0.0.0/0", except: Object.values(cidrs[peer]).flat() } },
        { namespaceSelector: {} },
      ];
      assert.deepEqual([ingress, egress], [[{ from: peers }], [{ to: peers }]]);
    }
  });

  it("is the same policy, letting everything, when it is opened", async () => {
    const [closed, opened] = [await fence("region0", "closed"), await fence("region0", "opened")];
    const { name, inputs } = only(opened.of(POLICY));
    assert.equal(name, only(closed.of(POLICY)).name);
    assert.deepEqual(inputs.metadata, only(closed.of(POLICY)).inputs.metadata);
    assert.deepEqual(inputs.spec, {
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
      ingress: [{}],
      egress: [{}],
    });
  });
});

describe("KubernetesDnsChaining of a cluster that is given", () => {
  const chaining = (
    dns: Record<string, unknown>,
    { region = "region0" as "region0" | "region1", fenced = false, given = ["10.10.0.53"] } = {},
  ) => {
    const base = {
      kind: "coredns",
      addresses: { region0: ["10.10.0.53"], region1: ["10.11.0.53"] },
      annotations: { "networking.gke.io/load-balancer-type": "Internal" },
    };
    const { installation } = kubernetesSettings({ dns: { ...base, ...dns } });
    return declare(
      () =>
        new KubernetesDnsChaining("region-dns", {
          kubernetes: installation.cluster,
          region,
          namespaces: installation.namespaces,
          fenced,
        }).addresses,
      { [SERVICE]: { status: { loadBalancer: { ingress: given.map((ip) => ({ ip })) } } } },
    );
  };
  const block = (fenced: boolean) =>
    corefileBlock({ peerNamespace: "camunda-paris", peerAddresses: ["10.11.0.53"], fenced });

  it("is refused when the cloud gives another address than the other region asks", async () => {
    await assert.rejects(
      () => chaining({}, { given: ["10.10.0.99"] }),
      /was given 10\.10\.0\.99, and dns\.addresses has 10\.10\.0\.53/,
    );
  });

  it("leaves several addresses to the annotations", async () => {
    const { of } = await chaining({
      addresses: { region0: ["10.10.0.53", "10.10.1.53"], region1: ["10.11.0.53"] },
    });
    assert.equal("loadBalancerIP" in (only(of(SERVICE)).inputs.spec as object), false);
  });

  it("forwards by a block of its own in a Corefile that is not ours, and fails at once under a fence", async () => {
    for (const fenced of [false, true]) {
      const { of } = await chaining({}, { fenced });
      assert.equal(only(of(BLOCK)).inputs.block, block(fenced));
      assert.deepEqual(of(PATCH), []);
    }
  });

  it("forwards by one key of coredns-custom where the Corefile imports it", async () => {
    const { of } = await chaining({ kind: "coredns-custom" });
    const { inputs } = only(of(PATCH));
    assert.deepEqual(inputs.metadata, { name: "coredns-custom", namespace: "kube-system" });
    assert.deepEqual(inputs.data, { "camunda-dual-region.server": block(false) });
    assert.deepEqual(of(BLOCK), []);
  });

  it("forwards by a stub domain of kube-dns, over UDP, and takes it out under a fence", async () => {
    const open = await chaining({ kind: "kube-dns" });
    const { inputs } = only(open.of(PATCH));
    assert.deepEqual(inputs.metadata, { name: "kube-dns", namespace: "kube-system" });
    assert.deepEqual(inputs.data, {
      stubDomains: '{"camunda-paris.svc.cluster.local":["10.11.0.53"]}',
    });
    const { ports } = only(open.of(SERVICE)).inputs.spec as { ports: { protocol: string }[] };
    assert.deepEqual(
      ports.map(({ protocol }) => protocol),
      ["UDP"],
    );
    const fenced = await chaining({ kind: "kube-dns" }, { fenced: true });
    assert.equal(only(fenced.of(PATCH)).name, only(open.of(PATCH)).name);
    assert.deepEqual(only(fenced.of(PATCH)).inputs.data, { stubDomains: "{}" });
  });

  it("asks region0 from region1", async () => {
    const { of } = await chaining({}, { region: "region1", given: ["10.11.0.53"] });
    assert.equal(
      (only(of(SERVICE)).inputs.spec as { loadBalancerIP: string }).loadBalancerIP,
      "10.11.0.53",
    );
    const text = String(only(of(BLOCK)).inputs.block);
    assert.match(text, /^camunda-london\.svc\.cluster\.local:53 \{/);
    assert.match(text, /forward \. 10\.10\.0\.53 \{/);
  });

  it("declares nothing where names resolve already", async () => {
    const { all, outputs } = await chaining({ kind: "none" });
    assert.deepEqual(
      all.map(({ type }) => type),
      ["camunda8:kubernetes:DnsChaining"],
    );
    assert.deepEqual(outputs, []);
  });
});

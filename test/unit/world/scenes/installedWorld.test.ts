import assert from "node:assert/strict";
import {
  camundaValues,
  elasticsearchValues,
  Values,
} from "../../../../components/installation/camunda/helmValues";
import { InstalledSettings, readSettings } from "../../../../components/settings";
import { EmbeddedWorld } from "../../../../world/camunda/embedded";
import { RegionCluster } from "../../../../world/kubernetes/played/cluster";
import { Regions } from "../../../../world/kubernetes/played/regions";
import type { RegionName } from "../../../../world/world";
import { until } from "../../../../world/processes/until";

const REGIONS = ["region0", "region1"] as const;

/** Two clusters with a network between them, in which charts are installed by their values. */
class Bench {
  readonly world = new EmbeddedWorld({ detectionMs: 50, electionMs: 20 });
  /** Whether the network between the regions lets anything through. */
  connected = true;
  readonly regions = new Regions(
    this.world,
    {
      corefile: (region) => corefile(region),
      dnsServerAt: (_from, address) => (this.connected ? DNS[address] : undefined),
      podCidrs: (region) => [region === "region0" ? "10.193.0.0/16" : "10.203.0.0/16"],
      obstacle: () => (this.connected ? undefined : "cut"),
      bucketProblem: () => undefined,
    },
    () => ({
      gateway: undefined,
      management: undefined,
      elasticsearch: undefined,
      broker: () => undefined,
    }),
  );

  async start(): Promise<void> {
    await this.world.standBy(this.regions);
    REGIONS.forEach((region) => this.build(region));
  }

  /** A cluster in which nothing is. */
  build(region: RegionName): RegionCluster {
    const cluster = new RegionCluster(region, this.world);
    cluster.store.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACES[region] },
    });
    this.regions.clusters.set(region, cluster);
    return cluster;
  }

  async lose(region: RegionName): Promise<void> {
    this.cluster(region).close();
    this.regions.clusters.delete(region);
    await this.world.lose(region);
  }

  cluster(region: RegionName): RegionCluster {
    const cluster = this.regions.clusters.get(region);
    assert.ok(cluster instanceof RegionCluster);
    return cluster;
  }

  async install(region: RegionName, change: Change = {}): Promise<void> {
    const settings = settingsOf(region);
    await this.cluster(region).install("oci://registry.example/elasticsearch", {
      release: "camunda-elasticsearch",
      namespace: NAMESPACES[region],
      values:
        change.elasticsearch?.(elasticsearchValues(settings)) ?? elasticsearchValues(settings),
    });
    this.cluster(region).store.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "camunda-rejoining", namespace: NAMESPACES[region] },
      data: { rejoining: String(change.rejoining ?? false) },
    });
    const values = camundaValues(settings, { webApps: change.webApps ?? true });
    await this.cluster(region).install("camunda-platform", {
      release: "camunda",
      namespace: NAMESPACES[region],
      values: change.camunda?.(values) ?? values,
    });
  }

  async end(): Promise<void> {
    for (const region of this.regions.clusters.keys()) {
      this.cluster(region).close();
    }
    await this.world.stop();
  }

  /** Waits for something that the world does by itself. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(what, async () => (await condition()) || this.world.obstacles().join("; "));
  }

  /** Waits until all partitions have a leader. */
  formed(): Promise<void> {
    return this.until(
      "every partition has a leader",
      () => Object.keys(this.world.cluster().leaders).length === 2,
    );
  }
}

interface Change {
  /** Whether brokers wait until they reach the other region. */
  rejoining?: boolean;
  webApps?: boolean;
  camunda?: (values: Values) => Values;
  elasticsearch?: (values: Values) => Values;
}

const NAMESPACES = { region0: "camunda-london", region1: "camunda-paris" };
const DNS: Record<string, RegionName> = { "10.192.0.53": "region0", "10.202.0.53": "region1" };

function corefile(region: RegionName): string {
  const [peer, address] =
    region === "region0" ? ["camunda-paris", "10.202.0.53"] : ["camunda-london", "10.192.0.53"];
  return `.:53 {
    kubernetes cluster.local
    forward . /etc/resolv.conf
}
${peer}.svc.cluster.local:53 {
    forward . ${address} {
        force_tcp
    }
}
`;
}

function settingsOf(region: RegionName): InstalledSettings {
  const config: Record<string, unknown> = {
    platform: "eks",
    region,
    awsAccount: "123456789012",
    clusterSize: 4,
    partitionCount: 2,
  };
  return readSettings((key) => {
    const value = config[key];
    return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
  }) as InstalledSettings;
}

/** Values with one variable of the brokers' environment changed. */
function withEnv(name: string, change: (value: string) => string): (values: Values) => Values {
  return (values) => {
    const zeebe = values.zeebe as { env: { name: string; value: string }[] };
    const env = zeebe.env.map((one) =>
      one.name === name ? { name, value: change(one.value) } : one,
    );
    assert.notDeepEqual(env, zeebe.env, `${name} is not changed`);
    return { ...values, zeebe: { ...zeebe, env } };
  };
}

function withZeebe(change: Record<string, unknown>): (values: Values) => Values {
  return (values) => ({ ...values, zeebe: { ...(values.zeebe as object), ...change } });
}

const CONTACT_POINTS = "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS";

describe("a world that is installed by values", () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = new Bench();
    await bench.start();
  });

  afterEach(() => bench.end());

  it("is one cluster when both regions are installed, and exports to both", async () => {
    await bench.install("region0");
    assert.deepEqual(bench.world.obstacles(), ["one region only is installed"]);
    assert.deepEqual(bench.world.cluster().leaders, {});
    await bench.install("region1");
    await bench.formed();
    const keys = await bench.world.startInstances("region0", 4);
    for (const region of REGIONS) {
      await bench.until(`${region} knows the instances`, async () => {
        const known = await bench.world.instanceKeys(region);
        return keys.every((key) => known.has(key));
      });
    }
  });

  it("becomes one cluster whichever region is installed first", async () => {
    await bench.install("region1");
    await bench.install("region0");
    await bench.formed();
  });

  const wrong: Record<string, [change: Change, problem: RegExp]> = {
    "another cluster size": [
      { camunda: withZeebe({ clusterSize: 8 }) },
      /clusterSize is 4 in region0 and 8 in region1/,
    ],
    "another number of partitions": [
      { camunda: withZeebe({ partitionCount: 3 }) },
      /partitionCount is 2 in region0 and 3 in region1/,
    ],
    "another replication factor": [
      { camunda: withZeebe({ replicationFactor: 2 }) },
      /replicationFactor is 4 in region0 and 2 in region1/,
    ],
    "the index of the other region": [
      {
        camunda: (values) => ({
          ...values,
          global: { ...(values.global as object), multiregion: { regions: 2, regionId: 0 } },
        }),
      },
      /the node ids are 0, 0, 2, 2/,
    ],
    "one node id for all": [
      {
        camunda: withZeebe({ env: [{ name: "ZEEBE_BROKER_CLUSTER_NODEID", value: "1" }] }),
      },
      /the node ids are 0, 1, 1, 2/,
    ],
    "contact points of its own region only": [
      { camunda: withEnv(CONTACT_POINTS, (points) => only(points, "camunda-paris")) },
      /no contact point of region1 leads/,
    ],
    "contact points in a wrong namespace": [
      {
        camunda: withEnv(CONTACT_POINTS, (points) =>
          points.replaceAll("camunda-london", "camunda-londn"),
        ),
      },
      /no contact point of region1 leads/,
    ],
    "contact points with a wrong port": [
      { camunda: withEnv(CONTACT_POINTS, (points) => points.replaceAll(":26502", ":26501")) },
      /no contact point of region1 leads/,
    ],
    "no contact points, as the chart has it by default": [
      {
        camunda: (values) => ({
          ...values,
          zeebe: { ...(values.zeebe as object), env: [] },
        }),
      },
      /no contact point of region1 leads/,
    ],
  };
  for (const [what, [change, problem]] of Object.entries(wrong)) {
    it(`does not become a cluster with ${what}`, async () => {
      await bench.install("region0");
      await bench.install("region1", change);
      await bench.until("both regions have their pods", () =>
        REGIONS.every((region) => bench.cluster(region).store.list("Pod").length >= 6),
      );
      assert.match(bench.world.obstacles().join("; "), problem);
      await bench.until("nothing has a leader", () => {
        return Object.keys(bench.world.cluster("region0").leaders).length === 0;
      });
      await assert.rejects(bench.world.startInstances("region0", 1), /does not serve commands/);
    });
  }

  it("writes nothing to a region whose exporter has a wrong address", async () => {
    const url = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL";
    const change = { camunda: withEnv(url, (text) => text.replace("-hl.", ".")) };
    await bench.install("region0", change);
    await bench.install("region1", change);
    await bench.formed();
    const keys = await bench.world.startInstances("region0", 4);
    await bench.until("region0 knows the instances", async () => {
      const known = await bench.world.instanceKeys("region0");
      return keys.every((key) => known.has(key));
    });
    assert.deepEqual(await bench.world.instanceKeys("region1"), new Set());
  });

  it("writes everything to one region when both exporters have its address", async () => {
    const url = "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_URL";
    const change = {
      camunda: withEnv(url, (text) => text.replace("camunda-paris", "camunda-london")),
    };
    await bench.install("region0", change);
    await bench.install("region1", change);
    await bench.formed();
    await bench.world.startInstances("region0", 4);
    await bench.until("region0 has documents", async () =>
      Object.keys(await bench.world.documents("region0")).some((name) => name.startsWith("zeebe")),
    );
    assert.deepEqual(await bench.world.instanceKeys("region1"), new Set());
  });

  it("is cut when the network is, and whole again", async () => {
    await bench.install("region0");
    await bench.install("region1");
    await bench.formed();
    bench.connected = false;
    await bench.until(
      "no partition has a leader",
      () => Object.keys(bench.world.cluster("region0").leaders).length === 0,
    );
    bench.connected = true;
    await bench.formed();
  });

  it("starts no broker anew when the web applications are turned off", async () => {
    await bench.install("region0");
    await bench.install("region1");
    await bench.formed();
    const { leaders } = bench.world.cluster();
    await bench.cluster("region1").upgrade("camunda-platform", {
      release: "camunda",
      namespace: NAMESPACES.region1,
      values: camundaValues(settingsOf("region1"), { webApps: false }),
    });
    assert.deepEqual(bench.world.cluster().leaders, leaders);
    assert.ok(bench.world.isReady(1));
    const deployments = bench.cluster("region1").store.list("Deployment");
    assert.deepEqual(
      deployments.map(({ metadata }) => metadata.name),
      ["camunda-zeebe-gateway"],
    );
  });

  it("lets Helm begin nothing while an operation has not ended, as Helm says it", async () => {
    await bench.install("region0");
    const cluster = bench.cluster("region0");
    const namespace = NAMESPACES.region0;
    const values = camundaValues(settingsOf("region0"), { webApps: true });
    const camunda = { release: "camunda", namespace, values };
    const pending = (version: number, status: string) =>
      cluster.store.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: `sh.helm.release.v1.camunda.v${version}`,
          namespace,
          labels: { owner: "helm", name: "camunda", version: String(version), status },
        },
      });
    pending(2, "pending-upgrade");
    await assert.rejects(
      cluster.upgrade("camunda-platform", camunda),
      /^Error: another operation \(install\/upgrade\/rollback\) is in progress$/,
    );
    pending(2, "failed");
    cluster.store.remove("Deployment", namespace, "camunda-operate");
    const { revision } = await cluster.upgrade("camunda-platform", camunda);
    assert.equal(revision, 3);
    assert.ok(cluster.store.get("Deployment", namespace, "camunda-operate"));
    await cluster.uninstall(namespace, "camunda");
    pending(1, "pending-install");
    await assert.rejects(
      cluster.install("camunda-platform", camunda),
      /^Error: cannot re-use a name that is still in use$/,
    );
  });

  it("leaves an Elasticsearch alone that web applications must not open yet", async () => {
    await bench.install("region0");
    await bench.install("region1", { webApps: false });
    await bench.until(
      "Operate of region0 has its indices",
      async () => "operate-list-view-8.3.0_" in (await bench.world.documents("region0")),
    );
    assert.deepEqual(await bench.world.documents("region1"), {});
  });

  describe("whose region was lost, forced out and recreated", () => {
    async function recreate(
      lost: RegionName,
      connected: boolean,
      change: Change = {},
    ): Promise<void> {
      await bench.install("region0");
      await bench.install("region1");
      await bench.formed();
      await bench.lose(lost);
      await bench.world.forceRemove(lost === "region0" ? [0, 2] : [1, 3]);
      bench.connected = connected;
      bench.build(lost);
      await bench.install(lost, { webApps: false, ...change });
    }

    for (const lost of REGIONS) {
      it(`lets empty brokers of ${lost} follow the survivors that they find`, async () => {
        await recreate(lost, true);
        const own = lost === "region0" ? 0 : 1;
        await bench.until("they are no obstacle", () => bench.world.obstacles().length === 0);
        await bench.until("they run", () => bench.world.isRunning(own));
        assert.equal(bench.world.isReady(own), false);
      });
    }

    for (const lost of REGIONS) {
      it(`keeps brokers of ${lost} from starting behind the fence, and starts them when it opens`, async () => {
        await recreate(lost, false, { rejoining: true });
        const own = lost === "region0" ? [0, 2] : [1, 3];
        await new Promise((resolve) => setTimeout(resolve, 200));
        assert.deepEqual(
          own.map((id) => bench.world.isRunning(id)),
          [false, false],
        );
        bench.connected = true;
        await bench.until("they run", () => own.every((id) => bench.world.isRunning(id)));
        await bench.until("they are no obstacle", () => bench.world.obstacles().length === 0);
        assert.ok(own.every((id) => !bench.world.isReady(id)));
      });
    }

    it("ends the brokers of region0 when broker 0 heard first from another empty one", async () => {
      const values = camundaValues(settingsOf("region0"), { webApps: true });
      const { initContainers } = values.zeebe as { initContainers: [{ command: string[] }] };
      const [{ command, ...container }] = initContainers;
      const allAtOnce = command.map((text) => (text.startsWith("camunda-zeebe-0.") ? "" : text));
      await recreate("region0", false, {
        rejoining: true,
        camunda: withZeebe({ initContainers: [{ ...container, command: allAtOnce }] }),
      });
      bench.connected = true;
      await bench.until("they have closed their ports", () => !bench.world.isRunning(0));
      assert.equal(bench.world.isRunning(2), false);
    });

    it("ends the brokers of region0 that made a cluster of their own behind the fence", async () => {
      await recreate("region0", false, {
        camunda: withZeebe({ livenessProbe: { enabled: false } }),
      });
      assert.ok(bench.world.isRunning(0));
      bench.connected = true;
      await bench.until("they have closed their ports", () => !bench.world.isRunning(0));
      // What the procedure asks for: the pods are deleted, and come back with what they have learnt.
      for (const name of ["camunda-zeebe-0", "camunda-zeebe-1"]) {
        bench.cluster("region0").store.remove("Pod", NAMESPACES.region0, name);
      }
      await bench.until(
        "they run again",
        () => bench.world.isRunning(0) && bench.world.isRunning(2),
      );
    });

    it("has them started anew by a probe of their ports", async () => {
      await recreate("region0", false, {
        camunda: withZeebe({ livenessProbe: { enabled: true, probePath: "/actuator" } }),
      });
      bench.connected = true;
      await bench.until("they are no obstacle", () => bench.world.obstacles().length === 0);
      await bench.until("the survivors know them", () => bench.world.isRunning(0));
    });

    it("keeps the brokers of region1, which wait for a configuration behind the fence", async () => {
      await recreate("region1", false);
      bench.connected = true;
      await bench.until("they are no obstacle", () => bench.world.obstacles().length === 0);
      assert.ok(bench.world.isRunning(1));
    });
  });
});

function only(points: string, namespace: string): string {
  return points
    .split(",")
    .filter((point) => point.includes(namespace))
    .join(",");
}

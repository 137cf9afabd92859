import assert from "node:assert/strict";
import fc from "fast-check";
import { RegionName, REGIONS } from "../../../../components/base/brokers";
import { IDS } from "../../../support/ids";
import { TWO_EACH } from "../../../support/exporters";
import {
  camundaValues,
  elasticsearchValues,
  Values,
} from "../../../../components/installation/camunda/helmValues";
import { generationOf } from "../../../../components/generations";
import { ConfigError } from "../../../../components/settings";
import { eksSettings, kubernetesSettings } from "../kubernetes/declared";

type Env = { name: string; value: string }[];
const brokersOf = (values: Values) =>
  values.zeebe as { clusterSize: number; env: Env; javaOpts: string };
const envOf = (env: Env, name: string) => env.find((one) => one.name === name)?.value;
const at = (values: Values | undefined, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    values,
  );

describe("Helm values of Camunda 8.6", () => {
  const valuesOf = (region: RegionName, webApps = true) =>
    camundaValues(eksSettings({ region }), { webApps });

  it("of both regions differ in the region's id, and in whom brokers that rejoin wait for, only", () => {
    const [region0, region1] = REGIONS.map((region) => structuredClone(valuesOf(region)));
    const waitsFor = (values: Values | undefined) =>
      (at(values, "zeebe", "initContainers") as { command: string[] }[])[0]?.command.splice(4);
    const peers = (namespace: string) =>
      [0, 1, 2, 3].map((n) => `camunda-zeebe-${n}.camunda-zeebe.${namespace}.svc.cluster.local`);
    const [broker0 = "", ...rest] = peers("camunda-london");
    assert.deepEqual(waitsFor(region0), [broker0, ...peers("camunda-paris")]);
    assert.deepEqual(waitsFor(region1), ["", broker0, ...rest]);
    const { multiregion } = region1?.global as { multiregion: Record<string, unknown> };
    assert.deepEqual(multiregion, { regions: 2, regionId: 1 });
    multiregion.regionId = 0;
    assert.deepEqual(region1, region0);
  });

  it("leave Operate and Tasklist out while the Elasticsearch is not restored, and nothing else", () => {
    const off = (values: Values, name: string) => ({ ...(values[name] as object), enabled: false });
    const all = valuesOf("region0");
    const without = { ...all, operate: off(all, "operate"), tasklist: off(all, "tasklist") };
    assert.notDeepEqual(without, all);
    assert.deepEqual(valuesOf("region0", false), without);
  });

  it("name all brokers of both namespaces once, in turns, and no variable twice (property)", () => {
    const namespace = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
    const id = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/);
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.uniqueArray(namespace, { minLength: 2, maxLength: 2 }),
        fc.uniqueArray(id, { minLength: 2, maxLength: 2 }),
        fc.constantFrom(...REGIONS),
        (half, [london = "", paris = ""], [first, second], region) => {
          const clusterSize = half * 2;
          const settings = eksSettings({
            nodes: { desired: 12, max: 12 },
            region,
            clusterSize,
            namespaces: { region0: london, region1: paris },
            exporters: { region0: [first], region1: [second] },
          });
          const { env } = brokersOf(camundaValues(settings, { webApps: true }));
          const variables = env.map(({ name }) => name);
          assert.equal(new Set(variables).size, variables.length);
          const points = envOf(env, "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS")?.split(",");
          assert.deepEqual(
            points,
            IDS.all(clusterSize).map((broker) => {
              const ordinal = Math.floor(broker / 2);
              return `camunda-zeebe-${ordinal}.camunda-zeebe.${broker % 2 === 0 ? london : paris}.svc.cluster.local:26502`;
            }),
          );
          for (const [exporter, of] of [
            [first, london],
            [second, paris],
          ]) {
            assert.equal(
              envOf(env, `ZEEBE_BROKER_EXPORTERS_${exporter?.toUpperCase()}_ARGS_URL`),
              `http://camunda-elasticsearch-master-hl.${of}.svc.cluster.local:9200`,
            );
          }
        },
      ),
    );
  });

  it("give a contact point enough dots to be looked up as it is", () => {
    const { env } = brokersOf(camundaValues(eksSettings(), { webApps: true }));
    const points = envOf(env, "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS")?.split(",") ?? [];
    assert.equal(points.length, 8);
    points.forEach((point) => assert.equal((point.split(":")[0]?.match(/\./g) ?? []).length, 5));
  });

  it("follow the sizing, the registry and the values of one's own", () => {
    const values = camundaValues(
      eksSettings({
        sizing: { zeebe: { cpu: "2", memory: "8Gi", heap: "2g", disk: "128Gi" }, gateways: 3 },
        imageRegistry: "mirror.example",
        helmValues: {
          camunda: {
            zeebe: {
              env: [{ name: "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD", value: "15m" }],
              podLabels: { team: "a" },
            },
          },
        },
      }),
      { webApps: true },
    );
    const { env, javaOpts } = brokersOf(values);
    assert.equal(envOf(env, "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD"), "15m");
    assert.equal(env.length, brokersOf(camundaValues(eksSettings(), { webApps: true })).env.length);
    assert.match(javaOpts, /^-Xms2g -Xmx2g /);
    assert.equal(at(values, "zeebe", "pvcSize"), "128Gi");
    assert.deepEqual(at(values, "zeebe", "resources", "limits"), { cpu: "2", memory: "8Gi" });
    assert.deepEqual(at(values, "zeebe", "podLabels"), { team: "a" });
    assert.equal(at(values, "zeebeGateway", "replicas"), 3);
    assert.equal(at(values, "global", "image", "registry"), "mirror.example");
    assert.equal(at(values, "global", "multiregion", "regions"), 2);
  });

  it("let connectors ask Operate only where there is one", () => {
    const settings = eksSettings({ connectors: "true" });
    assert.equal(
      at(camundaValues(settings, { webApps: true }), "connectors", "inbound"),
      undefined,
    );
    assert.deepEqual(camundaValues(settings, { webApps: false }).connectors, {
      enabled: true,
      inbound: { mode: "disabled" },
    });
  });

  it("name the prefix of the records to all that read or write them, where it is another one", () => {
    const said = (recordsPrefix?: string) => {
      const values = camundaValues(eksSettings({ recordsPrefix }), { webApps: true });
      return ["zeebe", "operate", "tasklist"].flatMap((component) =>
        (at(values, component, "env") as Env).filter(({ name }) => /PREFIX$/.test(name)),
      );
    };
    assert.deepEqual(said(), []);
    assert.deepEqual(
      said("prod-records"),
      [
        "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION0_ARGS_INDEX_PREFIX",
        "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_INDEX_PREFIX",
        "CAMUNDA_OPERATE_ZEEBEELASTICSEARCH_PREFIX",
        "CAMUNDA_TASKLIST_ZEEBEELASTICSEARCH_PREFIX",
      ].map((name) => ({ name, value: "prod-records" })),
    );
  });

  for (const [component, name] of [
    ["zeebe", "ZEEBE_BROKER_EXPORTERS_ELASTICSEARCHREGION1_ARGS_INDEX_PREFIX"],
    ["operate", "CAMUNDA_OPERATE_ZEEBEELASTICSEARCH_PREFIX"],
    ["tasklist", "CAMUNDA_TASKLIST_ZEEBEELASTICSEARCH_PREFIX"],
  ] as const) {
    it(`refuse ${name}, which a key says`, () => {
      const own = { [component]: { env: [{ name, value: "prod" }] } };
      assert.throws(
        () => eksSettings({ helmValues: { camunda: own } }),
        (error: ConfigError) =>
          error.problems.some((line) => /has \S+: set recordsPrefix, and leave it out/.test(line)),
      );
    });
  }

  it("configure the first exporter of each region, and leave the others to the user", () => {
    const variable = (id: string, end: string) => `ZEEBE_BROKER_EXPORTERS_${id}_${end}`;
    const own = ["KAFKAREGION0", "KAFKAREGION1"].map((id) => ({
      name: variable(id, "CLASSNAME"),
      value: "kafka",
    }));
    const settings = eksSettings({
      exporters: TWO_EACH,
      helmValues: { camunda: { zeebe: { env: own } } },
    });
    const { env } = brokersOf(camundaValues(settings, { webApps: true }));
    assert.deepEqual(
      env.map(({ name }) => name).filter((name) => name.startsWith("ZEEBE_BROKER_EXPORTERS_")),
      [
        ...["ELASTICSEARCHREGION0", "ELASTICSEARCHREGION1"].flatMap((id) => [
          variable(id, "CLASSNAME"),
          variable(id, "ARGS_URL"),
        ]),
        ...own.map(({ name }) => name),
      ],
    );
  });

  it("are refused for an exporter whose id makes no name of a variable", () => {
    assert.throws(
      () => eksSettings({ exporters: { region0: ["camunda-region0"] } }),
      (error) =>
        error instanceof ConfigError &&
        error.problems.length === 1 &&
        /^exporters\.region0\[0\] is "camunda-region0": /.test(error.problems[0] ?? ""),
    );
  });

  it("are not to be had for a version that is not known", () => {
    assert.throws(
      () => generationOf("8.5"),
      /^Error: camundaVersion is 8\.5: this program knows 8\.6, 8\.7$/,
    );
  });
});

describe("Helm values of Camunda 8.7", () => {
  const both = (make: (settings: ReturnType<typeof eksSettings>) => Values) =>
    ["8.6", "8.7"].map((camundaVersion) =>
      make(eksSettings({ camundaVersion, connectors: "true" })),
    ) as [Values, Values];

  it("are those of 8.6, but for how connectors reach Operate", () => {
    const [old, now] = both((settings) => camundaValues(settings, { webApps: true }));
    assert.deepEqual(at(now, "connectors", "env"), [
      { name: "OPERATE_CLIENT_PROFILE", value: "simple" },
      { name: "OPERATE_CLIENT_BASEURL", value: "http://camunda-operate:80" },
      { name: "OPERATE_CLIENT_USERNAME", value: "demo" },
      { name: "OPERATE_CLIENT_PASSWORD", value: "demo" },
    ]);
    assert.deepEqual({ ...now, connectors: old.connectors }, old);
  });

  it("of Elasticsearch have an image that 8.7 supports", () => {
    const [old, now] = both((settings) => elasticsearchValues(settings));
    assert.equal(at(now, "image", "tag"), "8.17.4");
    assert.deepEqual({ ...now, image: old.image }, old);
  });
});

describe("Helm values of Elasticsearch", () => {
  it("go back to no image that is of an earlier version than the data", () => {
    const tag = (data: string) =>
      at(elasticsearchValues(kubernetesSettings(), { data }), "image", "tag");
    for (const later of ["8.15.5", "8.15.10-debian-12-r0", "8.17.4", "9.0.0"]) {
      assert.equal(tag(later), later);
    }
    for (const other of ["8.15.4", "8.15.4-debian-12-r0", "8.9.20", "7.17.24", "latest", ""]) {
      assert.equal(tag(other), "8.15.4");
    }
    const helmValues = { elasticsearch: { image: { tag: "8.16.0" } } };
    const own = elasticsearchValues(kubernetesSettings({ helmValues }), { data: "8.17.4" });
    assert.equal(at(own, "image", "tag"), "8.16.0", "the user's own are the last word");
  });

  it("know nothing of AWS in a cluster that is given", () => {
    const given = elasticsearchValues(kubernetesSettings());
    assert.doesNotMatch(JSON.stringify(given), /aws/i);
    assert.match(JSON.stringify(elasticsearchValues(eksSettings(), { roleArn: "r" })), /aws/i);
  });

  it("name the Secret with the keys of S3, not the keys, for the clients that are used", () => {
    const keys = { s3AccessKey: "AKIAEXAMPLE", s3SecretKey: "very/secret+key=" };
    const clients = (settings: Parameters<typeof elasticsearchValues>[0]) => {
      const values = elasticsearchValues(settings);
      const text = JSON.stringify(values);
      assert.equal(text.includes("AKIAEXAMPLE"), false);
      assert.equal(text.includes("very/secret"), false);
      assert.equal(text.includes("AWS_ROLE_ARN"), false);
      assert.equal(values.extraEnvVarsSecret, "elasticsearch-s3-keys");
      const script = at(values, "initScripts", "s3-keys.sh");
      return [...String(script).matchAll(/s3\.client\.(\w+)\.(\w+)$/gm)].map(
        (m) => m[1] + ":" + m[2],
      );
    };
    assert.deepEqual(clients(eksSettings(keys)), [
      "region0:access_key",
      "region0:secret_key",
      "region1:access_key",
      "region1:secret_key",
    ]);
    assert.deepEqual(clients(kubernetesSettings(keys)), ["backup:access_key", "backup:secret_key"]);
  });

  it("keep the environment when one's own is added to it", () => {
    const values = elasticsearchValues(
      eksSettings({
        helmValues: {
          elasticsearch: { master: { extraEnvVars: [{ name: "ES_JAVA_OPTS", value: "-Dx=y" }] } },
        },
      }),
      { roleArn: "arn:aws:iam::123456789012:role/any" },
    );
    const env = at(values, "master", "extraEnvVars") as Env;
    assert.equal(envOf(env, "ELASTICSEARCH_ENABLE_REST_TLS"), "false");
    assert.equal(envOf(env, "ES_JAVA_OPTS"), "-Dx=y");
    assert.equal(env.length, 6);
  });
});

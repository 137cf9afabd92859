import assert from "node:assert/strict";
import { ConfigError, readSettings } from "../../../components/settings";
import { CAMUNDA_8_6 } from "../../../components/generations/8.6";
import { eksConfig, kubernetesConfig, lookup, Raw } from "../../support/config";
import { expectLine } from "../../support/failure";

function problemsOf(raw: Raw): readonly string[] {
  try {
    readSettings(lookup(raw));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    error.problems.forEach((problem) => expectLine(problem, []));
    return error.problems;
  }
}

type Blocks = Record<"nodes" | "pods" | "services", string[]>;

const cidrs = kubernetesConfig().cidrs as Record<"region0" | "region1", Blocks>;

describe("the blocks of addresses of two clusters that are there", () => {
  const places = (["region0", "region1"] as const).flatMap((region) =>
    (["nodes", "pods", "services"] as const).flatMap((kind) =>
      [0, 1].map((index) => ({ region, kind, index, at: `cidrs.${region}.${kind}[${index}]` })),
    ),
  );
  /** Two blocks of each kind, none of which overlaps, but for what is put in their places. */
  const problemsWith = (changed: Record<string, string>) => {
    const of = (region: "region0" | "region1", kind: keyof Blocks) =>
      places
        .filter((one) => one.region === region && one.kind === kind)
        .map(({ at }) => changed[at] ?? `10.${places.findIndex((one) => one.at === at)}.0.0/16`);
    const all = (region: "region0" | "region1") => ({
      nodes: of(region, "nodes"),
      pods: of(region, "pods"),
      services: of(region, "services"),
    });
    return problemsOf(
      kubernetesConfig({ cidrs: { region0: all("region0"), region1: all("region1") } }),
    );
  };

  it("are lists, each of which may have several", () => {
    assert.deepEqual(problemsWith({}), []);
  });

  it("must not overlap, whichever two it is: of a list, of a region, of both", () => {
    for (const [second, { at }] of places.entries()) {
      for (const other of places.slice(0, second)) {
        assert.deepEqual(problemsWith({ [other.at]: "10.99.0.0/16", [at]: "10.99.64.0/20" }), [
          `${at} 10.99.64.0/20 overlaps with ${other.at} 10.99.0.0/16: no two blocks of both regions may`,
        ]);
      }
    }
  });

  for (const [what, pods, expected] of [
    ["text", "10.12.0.0/14", /^cidrs.region1.pods must be a list of CIDRs, also of one: \[10/],
    ["empty", [], /^cidrs.region1.pods is empty: the fence is made of its blocks$/],
    ["missing", undefined, /^cidrs.region1.pods is missing: CIDRs of the pods of that region/],
    ["no CIDR", ["10.12.0.0/14", "pods"], /^cidrs.region1.pods\[1\] is "pods", not a CIDR like/],
    ["small", ["10.12.0.0/28"], /^cidrs.region1.pods\[0\] is 10.12.0.0\/28: it must be a \/8 to/],
  ] as const) {
    it(`are refused when they are ${what}`, () => {
      const [problem = "", ...more] = problemsOf(
        kubernetesConfig({ cidrs: { ...cidrs, region1: { ...cidrs.region1, pods } } }),
      );
      assert.match(problem, expected);
      assert.deepEqual(more, []);
    });
  }
});

describe("the configuration of an installation", () => {
  it("reaches Camunda on EKS through the API of each region's cluster, by names that are computed", () => {
    const { endpoints } = readSettings(lookup(eksConfig()));
    const api = "eks://eu-west-3/camunda-region1/camunda-paris";
    assert.deepEqual(endpoints.region1, {
      gateway: `${api}/service/camunda-zeebe-gateway/8080`,
      management: `${api}/service/camunda-zeebe-gateway/9600`,
      brokers: {
        "1": `${api}/pod/camunda-zeebe-0/9600`,
        "3": `${api}/pod/camunda-zeebe-1/9600`,
      },
      elasticsearch: `${api}/service/camunda-elasticsearch-master-hl/9200`,
    });
  });

  it("names a context that is an ARN without breaking the address", () => {
    const context = "arn:aws:eks:eu-west-2:123456789012:cluster/london";
    const { endpoints } = readSettings(
      lookup(kubernetesConfig({ contexts: { region0: context, region1: "paris" } })),
    );
    assert.ok(
      endpoints.region0.management.startsWith(
        `kubernetes://${encodeURIComponent(context)}/camunda-london/`,
      ),
    );
  });

  it("snapshots into the survivor's own bucket, whichever region is lost", () => {
    const bucketOf = (raw: Raw) => readSettings(lookup(eksConfig(raw))).repository.settings;
    assert.deepEqual(bucketOf({ lostRegion: "region1" }), {
      bucket: "camunda-elastic-backup-123456789012-eu-west-2",
      client: "region0",
      base_path: "backups",
    });
    assert.deepEqual(bucketOf({ region: "region1", lostRegion: "region0" }), {
      bucket: "camunda-elastic-backup-123456789012-eu-west-3",
      client: "region1",
      base_path: "backups",
    });
  });

  it("needs nothing but the account on EKS", () => {
    assert.deepEqual(problemsOf(eksConfig()), []);
    assert.deepEqual(problemsOf(kubernetesConfig()), []);
  });

  const wrong: [string, Raw, RegExp][] = [
    ["no account", eksConfig({ awsAccount: undefined }), /^awsAccount must be the 12 digits/],
    ["half an account", eksConfig({ awsAccount: "1234" }), /^awsAccount must be .*, not "1234"/],
    [
      "one AWS region for both",
      eksConfig({ awsRegions: { region0: "eu-west-2", region1: "eu-west-2" } }),
      /^awsRegions are both eu-west-2: the loss of that region/,
    ],
    [
      "an AWS region that is none",
      eksConfig({ awsRegions: { region0: "London" } }),
      /^awsRegions.region0 is "London", not an AWS region/,
    ],
    [
      "one namespace for both",
      eksConfig({ namespaces: { region0: "camunda", region1: "camunda" } }),
      /^namespaces are both camunda: DNS tells the regions apart/,
    ],
    [
      "a namespace that is no name",
      eksConfig({ namespaces: { region0: "Camunda_1" } }),
      /^namespaces.region0 is "Camunda_1", not a name of a namespace/,
    ],
    [
      "VPCs that overlap",
      eksConfig({ cidrs: { region1: { vpc: "10.192.0.0/16" } } }),
      /^cidrs.region1.vpc 10.192.0.0\/16 overlaps with cidrs.region0.vpc/,
    ],
    [
      "services within the other region's VPC",
      eksConfig({ cidrs: { region1: { services: "10.192.128.0/20" } } }),
      /^cidrs.region1.services 10.192.128.0\/20 overlaps with cidrs.region0.vpc/,
    ],
    [
      "a VPC that is too small",
      eksConfig({ cidrs: { region0: { vpc: "10.192.0.0/24" } } }),
      /^cidrs.region0.vpc is 10.192.0.0\/24: it must be a \/16 to \/20/,
    ],
    [
      "a public block",
      eksConfig({ cidrs: { region0: { vpc: "8.8.0.0/16" } } }),
      /^cidrs.region0.vpc is 8.8.0.0\/16, not within 10/,
    ],
    [
      "a block with address bits",
      eksConfig({ cidrs: { region0: { vpc: "10.192.1.0/16" } } }),
      /^cidrs.region0.vpc is "10.192.1.0\/16", not a CIDR/,
    ],
    [
      "a kind of block that EKS has not",
      eksConfig({ cidrs: { region0: { pods: "10.1.0.0/16" } } }),
      /^cidrs.region0.pods is none of vpc, services$/,
    ],
    [
      "more nodes wanted than allowed",
      eksConfig({ nodes: { desired: 20 } }),
      /^nodes has min 1, desired 20, max 10/,
    ],
    [
      "fewer nodes than brokers",
      eksConfig({ clusterSize: 12 }),
      /^nodes.desired is 4, fewer than the 6 brokers of a region/,
    ],
    [
      "fewer nodes than nodes of Elasticsearch",
      eksConfig({ sizing: { elasticsearch: { nodes: 5 } } }),
      /^nodes.desired is 4, fewer than the 5 nodes of Elasticsearch of a region: each has a node/,
    ],
    [
      "fewer nodes than gateways",
      eksConfig({ nodes: { desired: 2 }, sizing: { gateways: 3 } }),
      /^nodes.desired is 2, fewer than the 3 gateways of a region/,
    ],
    ...[0, -1, 1.5, "three", "3"].flatMap((count): [string, Raw, RegExp][] => [
      [
        `${JSON.stringify(count)} gateways`,
        eksConfig({ sizing: { gateways: count } }),
        /^sizing.gateways must be a whole number from 1 to 1000, not /,
      ],
      [
        `${JSON.stringify(count)} nodes of Elasticsearch`,
        kubernetesConfig({ sizing: { elasticsearch: { nodes: count } } }),
        /^sizing.elasticsearch.nodes must be a whole number from 1 to 1000, not /,
      ],
    ]),
    ...["m7g.xlarge", "c7gn.2xlarge", "r6gd.large", "t4g.medium", "im4gn.large", "a1.large"].map(
      (instanceType): [string, Raw, RegExp] => [
        instanceType,
        eksConfig({ nodes: { instanceType } }),
        /^nodes.instanceType is "[\w.]+", a Graviton: the nodes' image is for x86_64; choose a type/,
      ],
    ),
    ...["cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"].map(
      (name): [string, Raw, RegExp] => [
        `the partition of ${name}`,
        eksConfig({ awsRegions: { region0: name } }),
        /^awsRegions.region0 is "[\w-]+", of another partition than aws: choose a region like eu-/,
      ],
    ),
    [
      "the partition of eusc-de-east-1",
      eksConfig({ awsRegions: { region1: "eusc-de-east-1" } }),
      /^awsRegions.region1 is "eusc-de-east-1", of another partition than aws/,
    ],
    [
      "an administrator of another partition",
      eksConfig({ administrators: ["arn:aws-cn:iam::123456789012:role/ops"] }),
      /^administrators\[0\] is "arn:aws-cn:[^"]+", not an ARN of an IAM role or user \(arn:aws:/,
    ],
    [
      "an administrator that is no principal",
      eksConfig({ administrators: ["me"] }),
      /^administrators\[0\] is "me", not an ARN of an IAM role or user/,
    ],
    [
      "half of the static keys",
      eksConfig({ s3AccessKey: "AKIA" }),
      /^s3SecretKey is missing: both keys go together/,
    ],
    [
      "half of the traffic",
      eksConfig({ traffic: { zoneId: "Z1", name: "a.test", targets: { region0: "b.test" } } }),
      /^traffic.targets.region1 is missing: public host name of the entry point of region1$/,
    ],
    [
      "a chart without a version",
      eksConfig({ charts: { camunda: { chart: "camunda-platform" } } }),
      /^charts.camunda.version is missing: without it the newest/,
    ],
    [
      "a size of the cluster in the values",
      eksConfig({ helmValues: { camunda: { zeebe: { clusterSize: 6 } } } }),
      /^helmValues.camunda.zeebe.clusterSize is decided by clusterSize/,
    ],
    [
      "the prefix of the records beside its key",
      eksConfig({ helmValues: { camunda: { global: { elasticsearch: { prefix: "prod" } } } } }),
      /^helmValues.camunda.global.elasticsearch.prefix is decided by recordsPrefix/,
    ],
    [
      "init containers that the chart passes over",
      eksConfig({ helmValues: { camunda: { zeebe: { extraInitContainers: [] } } } }),
      /^helmValues.camunda.zeebe.extraInitContainers is ignored by the chart beside initContainers/,
    ],
    [
      "an exporter that is no part of a name",
      eksConfig({ exporters: { region0: ["elastic-1"] } }),
      /^exporters.region0\[0\] is "elastic-1": lower-case letters and digits, since names of environment/,
    ],
    [
      "a second exporter that nothing configures",
      eksConfig({
        exporters: { region0: ["one", "kafka"], region1: ["two", "other"] },
        helmValues: {
          camunda: { zeebe: { env: [{ name: "ZEEBE_BROKER_EXPORTERS_OTHER_CLASSNAME" }] } },
        },
      }),
      /^exporters.region0\[1\] is "kafka", .*: ZEEBE_BROKER_EXPORTERS_KAFKA_CLASSNAME is missing in/,
    ],
    [
      "values of a release that there is not",
      eksConfig({ helmValues: { camnda: {} } }),
      /^helmValues.camnda is none of camunda, elasticsearch$/,
    ],
    [
      "credentials where nothing asks for any",
      eksConfig({ credentials: { elasticsearch: { user: "a", password: "hush" } } }),
      /^credentials are for Camunda of others \(platform endpoints\): what is installed here asks for none; leave it out$/,
    ],
    [
      "credentials that are none, where nothing asks for any",
      kubernetesConfig({ credentials: "hush" }),
      /^credentials are for Camunda of others \(platform endpoints\): /,
    ],
    [
      "a chart of another generation of Camunda",
      eksConfig({ charts: { camunda: { chart: "camunda-platform", version: "13.4.2" } } }),
      /^charts.camunda.version is "13.4.2": Camunda 8.6 is installed by versions 11.x/,
    ],
    [
      "an AWS region with two zones for EKS",
      eksConfig({ awsRegions: { region0: "us-west-1" } }),
      /^awsRegions.region0 is us-west-1, which has 2 availability zones for EKS/,
    ],
    ...["identity", "optimize", "identityKeycloak", "console", "webModeler"].map(
      (part): [string, Raw, RegExp] => [
        part,
        eksConfig({ helmValues: { camunda: { [part]: { enabled: true } } } }),
        new RegExp(`^helmValues.camunda.${part}.enabled is true: .*leave it off$`),
      ],
    ),
    [
      "multi-tenancy",
      eksConfig({ helmValues: { camunda: { global: { multitenancy: { enabled: true } } } } }),
      /^helmValues.camunda.global.multitenancy.enabled is true/,
    ],
    [
      "two Operates",
      eksConfig({ helmValues: { camunda: { operate: { replicas: 2 } } } }),
      /^helmValues.camunda.operate.replicas must be 1: more than one operate in a region/,
    ],
    [
      "no contexts",
      kubernetesConfig({ contexts: { region0: "london" } }),
      /^contexts.region1 is missing: the context of that region's cluster/,
    ],
    [
      "one context for both",
      kubernetesConfig({ contexts: { region0: "one", region1: "one" } }),
      /^contexts are both one: each region has its own cluster/,
    ],
    [
      "pods that overlap",
      kubernetesConfig({
        cidrs: { ...cidrs, region1: { ...cidrs.region1, pods: ["10.12.0.0/14"] } },
      }),
      /^cidrs.region1.pods\[0\] 10.12.0.0\/14 overlaps with cidrs.region0.pods\[0\] 10.12/,
    ],
    [
      "no addresses for the names",
      kubernetesConfig({ dns: { kind: "kube-dns", addresses: { region0: ["10.10.0.10"] } } }),
      /^dns.addresses.region1 is missing: fixed internal addresses of that region's DNS entry point/,
    ],
    [
      "names by something unknown",
      kubernetesConfig({
        dns: { kind: "bind", addresses: { region0: ["10.1.1.1"], region1: ["10.2.1.1"] } },
      }),
      /^dns.kind must be coredns or coredns-custom or kube-dns or none, not "bind"$/,
    ],
    [
      "no repository",
      kubernetesConfig({ snapshotRepository: undefined }),
      /^snapshotRepository is missing: an object with name, type, settings$/,
    ],
  ];
  for (const [what, raw, expected] of wrong) {
    it(`refuses ${what}, in one line`, () => {
      const problems = problemsOf(raw);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }

  it("takes types of instances for x86_64, whatever letters they have", () => {
    for (const instanceType of ["m6i.xlarge", "g4dn.xlarge", "m7a.large", "m7i-flex.large"]) {
      assert.deepEqual(problemsOf(eksConfig({ nodes: { instanceType } })), [], instanceType);
    }
  });

  it("does not show a secret key in what it says", () => {
    const said = problemsOf(eksConfig({ s3SecretKey: "hush", awsAccount: "x" })).join("\n");
    assert.match(said, /s3AccessKey is missing/);
    assert.doesNotMatch(said, /hush/);
  });
});

describe("values that move an address", () => {
  const { fixed } = CAMUNDA_8_6.chart;
  const problems = (helmValues: unknown, more: Raw = {}) => {
    try {
      readSettings(lookup(kubernetesConfig({ helmValues, ...more })));
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      error.problems.forEach((problem) => expectLine(problem, []));
      return [...error.problems];
    }
  };
  const nested = (path: string, value: unknown) =>
    path.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);

  for (const release of ["camunda", "elasticsearch"] as const) {
    for (const [path, why] of Object.entries(fixed[release])) {
      it(`are refused: ${release} ${path}`, () => {
        const expected = `helmValues.${release}.${path} ${why}, by which regions are reached: leave it out`;
        for (const value of ["x", 1, true, false, { a: 1 }]) {
          assert.ok(problems({ [release]: nested(path, value) }).includes(expected));
        }
        assert.ok(problems({ [release]: { [path]: "x" } }).includes(expected));
      });
    }
  }

  for (const [component, name] of [
    ["zeebe", "SERVER_PORT"],
    ["zeebe", "MANAGEMENT_SERVER_PORT"],
    ["zeebe", "MANAGEMENT_ENDPOINTS_WEB_BASEPATH"],
    ["zeebe", "ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT"],
    ["zeebe", "ZEEBE_BROKER_NETWORK_ADVERTISEDHOST"],
    ["zeebe", "ZEEBE_BROKER_NETWORK_SECURITY_ENABLED"],
    ["zeebe", "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"],
    ["zeebe", "ZEEBE_BROKER_CLUSTER_NODEID"],
    ["zeebeGateway", "SERVER_SERVLET_CONTEXT_PATH"],
    ["zeebeGateway", "SERVER_SSL_ENABLED"],
    ["zeebeGateway", "ZEEBE_GATEWAY_NETWORK_PORT"],
    ["zeebeGateway", "ZEEBE_GATEWAY_SECURITY_AUTHENTICATION_MODE"],
    ["zeebeGateway", "ZEEBE_GATEWAY_CLUSTER_INITIALCONTACTPOINTS"],
  ] as const) {
    it(`are refused: ${name} of ${component}`, () => {
      assert.deepEqual(problems({ camunda: { [component]: { env: [{ name, value: "1" }] } } }), [
        `helmValues.camunda.${component}.env has ${name}, by which regions are reached: leave it out`,
      ]);
    });
  }

  it("are not what else is set for brokers, gateways and Elasticsearch", () => {
    const env = [{ name: "ZEEBE_BROKER_DATA_SNAPSHOTPERIOD", value: "1m" }, "odd"];
    const camunda = {
      zeebe: { env, extraConfiguration: [], service: { annotations: { a: "b" } } },
      zeebeGateway: { ingress: { rest: { enabled: true } }, service: { type: "LoadBalancer" } },
      operate: { contextPath: "/operate" },
    };
    const elasticsearch = {
      master: { serviceAccount: { create: true } },
      sysctlImage: { enabled: false },
      extraConfig: { s3: { client: { default: { endpoint: "minio" } } } },
    };
    assert.deepEqual(problems({ camunda, elasticsearch }), []);
    assert.deepEqual(problems({ camunda }, { connectors: true }), [
      "helmValues.camunda.operate.contextPath moves Operate, which connectors ask at its root: leave it out, or connectors",
    ]);
  });
});

import { listed, shortened } from "../base/bounded";
import { REGIONS } from "../base/brokers";
import { overlap } from "../base/cidr";
import { isRecord } from "../base/json";
import { isKubernetesUrl, parseKubernetesAddress } from "../base/kubernetesAddress";
import { quoted } from "./schema";
import type { Context } from "./schema";
import { exporterVariable } from "../generations";
import type { Key, Values } from "./table";

/** What is wrong: where, by key and parts, and the rest of the line. */
export type Problem = readonly [place: string, text: string];

/** A rule over several keys, or over several parts of one. Asked when all of them are right in themselves. */
export interface Rule {
  keys: readonly Key[];
  problems(values: Values, context: Context): Problem[];
}

function rule<K extends Key>(
  keys: readonly K[],
  problems: (values: Pick<Values, K>, context: Context) => readonly (Problem | false)[],
): Rule {
  return {
    keys,
    problems: (values, context) =>
      problems(values, context).filter((problem): problem is Problem => problem !== false),
  };
}

/** Two keys that are set together, or neither. */
function together<A extends Key, B extends Key>(a: A, b: B, text: string): Rule {
  return rule<Key>([a, b], (values) => [
    values[a] === undefined && values[b] !== undefined && [a, text],
    values[b] === undefined && values[a] !== undefined && [b, text],
  ]);
}

/** Where a URL leads, in one spelling of many: http and https of one host and port are one place. */
function placeOf(url: string): string {
  if (isKubernetesUrl(url)) {
    return JSON.stringify(parseKubernetesAddress(url));
  }
  const { hostname, port, pathname } = new URL(url);
  const host = hostname.replace(/\.$/, "");
  return `${host}:${["80", "443"].includes(port) ? "" : port}${pathname.replace(/\/+$/, "")}`;
}

/** One region's address under the other's name would let a failback restore over the survivor. */
function distinctEndpoints({ endpoints }: Pick<Values, "endpoints">): Problem[] {
  const { region0, region1 } = endpoints;
  const shared = (["gateway", "management", "elasticsearch"] as const)
    .filter((name) => placeOf(region0[name]) === placeOf(region1[name]))
    .map((name): Problem => [
      `endpoints.region1.${name}`,
      "is that of region0: each region has its own",
    ]);
  const all = REGIONS.flatMap((region) =>
    Object.entries(endpoints[region].brokers).map(([id, url]) => ({ region, id, url })),
  );
  const twice = all.flatMap(({ region, id, url }, index): Problem[] => {
    const other = all.slice(0, index).find((one) => placeOf(one.url) === placeOf(url));
    return other === undefined
      ? []
      : [
          [
            `endpoints.${region}.brokers.${id}`,
            `is that of broker ${other.id}: each broker has its own management API`,
          ],
        ];
  });
  return [...shared, ...twice];
}

/** The brokers of a region by its size are those that are listed. */
function allBrokers(
  { endpoints, clusterSize }: Pick<Values, "endpoints" | "clusterSize">,
  { generation }: Context,
) {
  return REGIONS.map((region): Problem | false => {
    const expected = generation.ids.of(region, clusterSize).map(String);
    const given = Object.keys(endpoints[region].brokers);
    return (
      (given.length !== expected.length || !expected.every((id) => given.includes(id))) && [
        `endpoints.${region}.brokers`,
        `has ${given.length > 0 ? listed(given.map((id) => id.slice(0, 8))) : "no broker"}: with clusterSize ${clusterSize} the brokers of ${region} are ${listed(expected)}`,
      ]
    );
  });
}

/** Pods of these kinds share a node with none of their own: those without one would wait for ever. */
function enoughNodes({
  nodes: { desired },
  clusterSize,
  sizing: { elasticsearch, gateways },
}: Pick<Values, "nodes" | "clusterSize" | "sizing">): Problem | false {
  const kinds: [number, string][] = [
    [clusterSize / 2, "brokers"],
    [elasticsearch.nodes, "nodes of Elasticsearch"],
    [gateways, "gateways"],
  ];
  const [most, what] = kinds.reduce((one, other) => (other[0] > one[0] ? other : one));
  return (
    desired < most && [
      "nodes.desired",
      `is ${desired}, fewer than the ${most} ${what} of a region: each has a node of its own`,
    ]
  );
}

/** No two blocks of both regions have an address in common. */
function apart({ cidrs }: Pick<Values, "cidrs">): Problem[] {
  const blocks = REGIONS.flatMap((region) =>
    Object.entries<string | string[]>(cidrs[region]).flatMap(([kind, blocks]) => {
      const place = `cidrs.${region}.${kind}`;
      return typeof blocks === "string"
        ? [[place, blocks] as const]
        : blocks.map((block, index) => [`${place}[${index}]`, block] as const);
    }),
  );
  return blocks.flatMap(([place, cidr], index) =>
    blocks
      .slice(0, index)
      .filter(([, block]) => overlap(cidr, block))
      .map(([other, block]): Problem => [
        place,
        `${cidr} overlaps with ${other} ${block}: no two blocks of both regions may`,
      ]),
  );
}

/** A chart is of a version that does not change by itself, and installs the generation that is configured. */
function versions(
  { charts, camundaVersion }: Pick<Values, "charts" | "camundaVersion">,
  { generation }: Context,
) {
  return (["camunda", "elasticsearch"] as const).map((name): Problem | false => {
    const { chart, version } = charts[name];
    const major = generation.charts[name].version?.split(".")[0];
    if (version === undefined) {
      return (
        !/^[./]|\.tgz$/.test(chart) && [
          `charts.${name}.version`,
          "is missing: without it the newest chart would be taken, whatever day it is",
        ]
      );
    }
    return (
      !version.startsWith(`${major}.`) && [
        `charts.${name}.version`,
        `is ${quoted(version)}: Camunda ${camundaVersion} is installed by versions ${major}.x of that chart; change camundaVersion with it`,
      ]
    );
  });
}

/** What is in the user's own values at a path, also where several parts of it are one key (`http.port`). */
function at(values: unknown, path: string): unknown {
  if (!isRecord(values) || path in values) {
    return isRecord(values) ? values[path] : undefined;
  }
  const [first = "", ...rest] = path.split(".");
  return rest.length === 0 ? undefined : at(values[first], rest.join("."));
}

/** Names of the variables that the user's own values give a component. */
function variablesOf(values: unknown, component: string): string[] {
  const env = at(values, `${component}.env`);
  return (Array.isArray(env) ? env : []).map((one: unknown) =>
    isRecord(one) ? String(one.name) : "",
  );
}

/** The brokers are told of the first exporter of each region by this program, of every other one by the user. */
function configuredExporters(
  { exporters, helmValues }: Pick<Values, "exporters" | "helmValues">,
  { generation: { chart, exporter } }: Context,
): Problem[] {
  const variables = variablesOf(helmValues.camunda, chart.brokers);
  return REGIONS.flatMap((region) =>
    exporters[region].flatMap((id, place): Problem[] => {
      const name = `${exporter.prefix}_${id.toUpperCase()}_CLASSNAME`;
      return place === 0 || variables.includes(name)
        ? []
        : [
            [
              `exporters.${region}[${place}]`,
              `is ${quoted(id)}, which is yours to configure: ${shortened(name, 60)} is missing in helmValues.camunda.${chart.brokers}.env`,
            ],
          ];
    }),
  );
}

/** What moves an address that is computed: it would be steady for months, and not be reached on the day. */
function unmoved({ helmValues }: Pick<Values, "helmValues">, { generation }: Context): Problem[] {
  const { fixed, fixedEnv } = generation.chart;
  const paths = (["camunda", "elasticsearch"] as const).flatMap((release) =>
    Object.entries(fixed[release])
      .filter(([path]) => at(helmValues[release], path) !== undefined)
      .map(([path, why]): Problem => [
        `helmValues.${release}.${path}`,
        `${why}, by which regions are reached: leave it out`,
      ]),
  );
  const variables = Object.entries(fixedEnv).flatMap(([component, names]) =>
    variablesOf(helmValues.camunda, component)
      .filter((name) => names.test(name))
      .map((name): Problem => [
        `helmValues.camunda.${component}.env`,
        `has ${shortened(name, 50)}, by which regions are reached: leave it out`,
      ]),
  );
  return [...paths, ...variables];
}

/** Said in the environment too, the prefix of the records would be another one some day. */
function recordsPrefixTwice(
  { helmValues, exporters }: Pick<Values, "helmValues" | "exporters">,
  { generation: { chart, exporter, recordsPrefixEnv } }: Context,
): Problem[] {
  const names: [component: string, name: string][] = [
    ...REGIONS.map((region): [string, string] => [
      chart.brokers,
      exporterVariable(exporter, exporters[region][0], exporter.indexPrefix),
    ]),
    ...Object.entries(recordsPrefixEnv),
  ];
  return names
    .filter(([component, name]) => {
      const env = at(helmValues.camunda, `${component}.env`);
      return Array.isArray(env) && env.some((one: unknown) => isRecord(one) && one.name === name);
    })
    .map(([component, name]) => [
      `helmValues.camunda.${component}.env`,
      `has ${shortened(name, 60)}: set recordsPrefix, and leave it out here`,
    ]);
}

/** Inbound connectors ask Operate, at its own path. */
function operatePath({ helmValues, connectors }: Pick<Values, "helmValues" | "connectors">) {
  return (
    connectors &&
    at(helmValues.camunda, "operate.contextPath") !== undefined &&
    ([
      "helmValues.camunda.operate.contextPath",
      "moves Operate, which connectors ask at its root: leave it out, or connectors",
    ] as const)
  );
}

/** What does not work in two regions, and what keys of this program say already. */
function supported({ helmValues }: Pick<Values, "helmValues">, { generation }: Context) {
  const { unsupported, refused, decided, webApps } = generation.chart;
  const problem = (path: string, wrong: (value: unknown) => boolean, text: string) => {
    const value = at(helmValues.camunda, path);
    return wrong(value) && ([`helmValues.camunda.${path}`, text] as const);
  };
  const said = (value: unknown) => value !== undefined;
  const off = { ...unsupported, "global.multitenancy": "it does not work in two regions" };
  return [
    ...Object.entries(off).map(([part, why]) =>
      problem(`${part}.enabled`, (on) => on === true, `is true: ${why}; leave it off`),
    ),
    ...Object.entries(refused).map(([path, why]) => problem(path, said, why)),
    ...Object.entries(decided).map(([path, key]) =>
      problem(
        path,
        said,
        `is decided by ${key}, by which broker ids and the recovery are computed: leave it out here`,
      ),
    ),
    ...webApps.map((app) =>
      problem(
        `${app}.replicas`,
        (replicas) => said(replicas) && replicas !== 1,
        `must be 1: more than one ${app} in a region would import records twice`,
      ),
    ),
  ];
}

/** Of each API one kind of credentials, whole, for both regions or by region. */
function oneKind({ credentials }: Pick<Values, "credentials">): Problem[] {
  return Object.entries(credentials).flatMap(([api, asked]) => {
    const { region0, region1, ...both } = asked;
    const place = `credentials.${api}`;
    const byRegion = region0 !== undefined || region1 !== undefined;
    const [named] = Object.keys(both);
    if (named !== undefined && byRegion) {
      return [
        [place, `has ${named} for both regions, and a region of its own: say it once, or in each`],
      ];
    }
    return [
      [place, both] as const,
      ...REGIONS.map((region) => [`${place}.${region}`, asked[region] ?? {}] as const),
    ].flatMap(([where, one]) => wholeKind(where, one));
  });
}

function wholeKind(place: string, { user, password, ...other }: Partial<Record<string, string>>) {
  const [token] = Object.keys(other);
  if (token !== undefined && (user !== undefined || password !== undefined)) {
    return [[place, `has ${token} and a user or password: one of them is sent`]] as Problem[];
  }
  return (user === undefined) === (password === undefined)
    ? []
    : ([
        [
          `${place}.${user === undefined ? "user" : "password"}`,
          "is missing: user and password go together",
        ],
      ] as Problem[]);
}

export const RULES: readonly Rule[] = [
  rule(["region", "lostRegion"], ({ region, lostRegion }) => [
    lostRegion === region && [
      "lostRegion",
      `is ${region}, the region of this stack: set it on the stack of the region that survives`,
    ],
  ]),
  rule(["region", "drainRegion"], ({ region, drainRegion }) => [
    drainRegion === region && [
      "drainRegion",
      `is ${region}, the region of this stack: set it on the stack of the region that stays`,
    ],
  ]),
  rule(["lostRegion", "drainRegion"], ({ lostRegion, drainRegion }) => [
    lostRegion !== undefined &&
      drainRegion !== undefined && [
        "drainRegion",
        "is set beside lostRegion: a region is lost, or drained while it lives; remove drainRegion if it is lost",
      ],
  ]),
  rule(["lostRegion", "drainRegion", "failback"], ({ lostRegion, drainRegion, failback }) => [
    failback !== undefined &&
      lostRegion === undefined &&
      drainRegion === undefined && [
        "failback",
        "is set without lostRegion or drainRegion: only to a region that is out; remove failback, or set the one that was",
      ],
  ]),
  rule(["nodes", "clusterSize", "sizing"], (values) => [enoughNodes(values)]),
  rule(["cidrs"], apart),
  rule(["dns"], ({ dns }) =>
    REGIONS.map(
      (region) =>
        dns.kind !== "none" &&
        dns.addresses[region].length === 0 && [
          `dns.addresses.${region}`,
          "is missing: fixed internal addresses of that region's DNS entry point, which a recreated region has again",
        ],
    ),
  ),
  rule(["timeouts"], ({ timeouts: { absence, loss } }) => [
    absence >= loss && [
      "timeouts.absence",
      `is ${absence}, not below timeouts.loss (${loss}): a lost region must be missed for so long before that has passed`,
    ],
  ]),
  rule(["exportPauseLimit", "timeouts"], ({ exportPauseLimit, timeouts: { settle } }) => [
    exportPauseLimit <= settle && [
      "exportPauseLimit",
      `is ${exportPauseLimit}, not above timeouts.settle (${settle}): the exporters are waited for so long before anything else is done`,
    ],
  ]),
  rule(["charts", "camundaVersion"], versions),
  rule(["helmValues"], supported),
  rule(["exporters", "helmValues"], configuredExporters),
  rule(["helmValues"], unmoved),
  rule(["helmValues", "connectors"], (values) => [operatePath(values)]),
  rule(["endpoints", "clusterSize"], allBrokers),
  rule(["endpoints"], distinctEndpoints),
  rule(["recordsPrefix", "indexPrefixes"], ({ recordsPrefix, indexPrefixes }) => [
    indexPrefixes !== undefined &&
      !indexPrefixes.some((prefix) => recordsPrefix.startsWith(prefix)) && [
        "indexPrefixes",
        `has none of ${shortened(recordsPrefix, 30)}: add it, or set recordsPrefix to index.prefix of the exporters`,
      ],
  ]),
  rule(["helmValues", "exporters"], recordsPrefixTwice),
  rule(["snapshotRepository"], ({ snapshotRepository: { type, settings } }) => [
    type === "s3" &&
      !settings.bucket && [
        "snapshotRepository.settings.bucket",
        "is missing: a repository of type s3 is in a bucket",
      ],
  ]),
  rule(["credentials"], oneKind),
  together(
    "s3AccessKey",
    "s3SecretKey",
    "is missing: both keys go together; without them Elasticsearch takes a role",
  ),
];

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { RegionName, ClusterShape } from "../../world";
import type { CamundaDistribution } from "./distribution";
import type { SearchKind } from "../../processes/prepare";
import { OwnProcess } from "../../processes/processes";

/** The ports of one broker. */
export interface BrokerPorts {
  rest: number;
  management: number;
  grpc: number;
  command: number;
  /** TCP and, for the gossip, UDP: the latter on all interfaces whatever is configured. */
  internal: number;
}

/** One broker with its embedded gateway. */
export interface BrokerProcess {
  id: number;
  /** Its directory: data, logs. */
  dir: string;
  ports: BrokerPorts;
}

const EXPORTER_CLASSES: Record<SearchKind, string> = {
  elasticsearch: "io.camunda.zeebe.exporter.ElasticsearchExporter",
  opensearch: "io.camunda.zeebe.exporter.opensearch.OpensearchExporter",
};

const JVM_OPTIONS = [
  "-Xmx256m",
  "-Xss512k",
  "-XX:MaxDirectMemorySize=256m",
  "-XX:MetaspaceSize=96m",
  "-XX:+UseSerialGC",
  // The quick compiler alone: the brokers live for minutes, and start in half the time.
  "-XX:TieredStopAtLevel=1",
  "-XX:+ExitOnOutOfMemoryError",
  // Its files lie in a directory of the machine that we could not remove.
  "-XX:-UsePerfData",
  "-Dfile.encoding=UTF-8",
];

/** Starts a broker with the data that its directory holds. */
export async function startBroker(
  camunda: CamundaDistribution,
  javaHome: string,
  shape: ClusterShape,
  broker: BrokerProcess,
  cluster: { contacts: number[]; search: SearchKind; searchUrls: Record<RegionName, string> },
): Promise<OwnProcess> {
  const tmp = join(broker.dir, "tmp");
  await mkdir(tmp, { recursive: true });
  const { ports } = broker;
  const env: Record<string, string | number | boolean> = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: broker.dir,
    ...camunda.env,
    ZEEBE_LOG_APPENDER: "Console",
    ZEEBE_BROKER_CLUSTER_NODEID: broker.id,
    ZEEBE_BROKER_CLUSTER_CLUSTERSIZE: shape.clusterSize,
    ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT: shape.partitionCount,
    ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR: shape.replicationFactor,
    ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS: cluster.contacts
      .map((port) => `127.0.0.1:${port}`)
      .join(","),
    ZEEBE_BROKER_NETWORK_HOST: "127.0.0.1",
    ZEEBE_BROKER_NETWORK_ADVERTISEDHOST: "127.0.0.1",
    ZEEBE_BROKER_NETWORK_COMMANDAPI_PORT: ports.command,
    ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT: ports.internal,
    ZEEBE_BROKER_GATEWAY_ENABLE: true,
    ZEEBE_BROKER_GATEWAY_NETWORK_HOST: "127.0.0.1",
    ZEEBE_BROKER_GATEWAY_NETWORK_PORT: ports.grpc,
    SERVER_ADDRESS: "127.0.0.1",
    SERVER_PORT: ports.rest,
    MANAGEMENT_SERVER_ADDRESS: "127.0.0.1",
    MANAGEMENT_SERVER_PORT: ports.management,
    ZEEBE_BROKER_DATA_DIRECTORY: join(broker.dir, "data"),
    ZEEBE_BROKER_DATA_DISK_ENABLEMONITORING: false,
    ZEEBE_BROKER_DATA_LOGSEGMENTSIZE: "16MB",
    ZEEBE_BROKER_THREADS_CPUTHREADCOUNT: 1,
    ZEEBE_BROKER_THREADS_IOTHREADCOUNT: 1,
  };
  for (const [region, url] of Object.entries(cluster.searchUrls)) {
    const exporter = `${camunda.exporters}_ELASTICSEARCH${region.toUpperCase()}`;
    env[`${exporter}_CLASSNAME`] = EXPORTER_CLASSES[cluster.search];
    env[`${exporter}_ARGS_URL`] = url;
    env[`${exporter}_ARGS_BULK_SIZE`] = 100;
    env[`${exporter}_ARGS_BULK_DELAY`] = 1;
  }
  return OwnProcess.start({
    name: `broker ${broker.id}`,
    command: join(javaHome, "bin", "java"),
    args: [
      ...JVM_OPTIONS,
      `-Djava.io.tmpdir=${tmp}`,
      "-Dapp.name=broker",
      // Logging configuration of the distribution writes below the "home".
      `-Dapp.home=${broker.dir}`,
      `-Dbasedir=${broker.dir}`,
      ...["-cp", `${join(camunda.home, "config")}:${join(camunda.home, "lib")}/*`],
      camunda.mainClass,
    ],
    cwd: broker.dir,
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, String(value)])),
    logFile: join(broker.dir, "out.log"),
  });
}

/** Removes everything that a broker has written. */
export function eraseBroker(broker: BrokerProcess): Promise<void> {
  return rm(broker.dir, { recursive: true, force: true });
}

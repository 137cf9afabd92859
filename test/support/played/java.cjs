/* eslint-disable @typescript-eslint/no-require-imports -- run by Node as it is, in the place of a program */
// Plays a Java that starts a broker of Camunda: it answers what tells that it runs, and says how it was started.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const args = process.argv.slice(2);
const { env } = process;

if (args.includes("-version")) {
  const home = path.dirname(__dirname);
  console.error(`    java.home = ${home}\n    java.specification.version = 21`);
  process.exit(0);
}

const id = Number(env.ZEEBE_BROKER_CLUSTER_NODEID);
const mainClass = args.at(-1);
const [config] = args[args.indexOf("-cp") + 1].split(":");
console.log(`broker ${id} by ${mainClass}`);
for (const name of Object.keys(env).filter((key) => /EXPORTERS/.test(key))) {
  console.log(`${name}=${env[name]}`);
}
if (fs.existsSync(path.join(config, `broken-${id}`))) {
  console.log("java.net.BindException: Address already in use");
  process.exit(1);
}
const data = path.join(env.ZEEBE_BROKER_DATA_DIRECTORY, "raft");
console.log(fs.existsSync(data) ? "finds its old data" : "begins with an empty disk");
fs.mkdirSync(data, { recursive: true });
// Without a quorum a broker does not end when it is asked to.
process.on("SIGTERM", () => console.log("asked to end"));

const sizes = {
  clusterSize: Number(env.ZEEBE_BROKER_CLUSTER_CLUSTERSIZE),
  partitionsCount: Number(env.ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT),
};
const partitions = (broker) =>
  Array.from({ length: sizes.partitionsCount }, (_, i) => ({
    partitionId: i + 1,
    role: broker === i % sizes.clusterSize ? "leader" : "follower",
    health: "healthy",
  }));
const brokers = Array.from({ length: sizes.clusterSize }, (_, nodeId) => ({
  nodeId,
  partitions: partitions(nodeId),
}));
const serve = (port, answers) =>
  http
    .createServer((request, response) => {
      request.resume();
      const body = answers[request.url];
      response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? {}));
    })
    .listen(Number(port), "127.0.0.1");
serve(env.MANAGEMENT_SERVER_PORT, { "/actuator/health/startup": { status: "UP" } });
serve(env.SERVER_PORT, {
  "/v2/topology": { ...sizes, brokers },
  "/v2/deployments": {},
  "/v2/process-instances": { processInstanceKey: `${id}1` },
});

/* eslint-disable @typescript-eslint/no-require-imports -- run by Node as it is, in the place of a program */
// Plays Elasticsearch as far as it takes to be started: it is healthy, and has nothing.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const folder = process.env.ES_PATH_CONF;
const settings = fs.readFileSync(path.join(folder, "elasticsearch.yml"), "utf8");
const port = Number(/^http\.port: (\d+)$/m.exec(settings)[1]);
console.log(`started with\n${settings}`);
http
  .createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(request.url === "/_cluster/health" ? { status: "green" } : {}));
  })
  .listen(port, "127.0.0.1");

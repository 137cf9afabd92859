import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the stand-in of the AWS CLI knows of a cluster. */
export interface FakeCluster {
  /** Where its API answers. */
  endpoint: string;
  /** The authority of its certificate, as PEM. */
  ca: string;
  token: string;
  /** How long the token is good, in seconds; 840 (as AWS has it) by default. */
  expiresIn?: number;
}

/** What the stand-in of the AWS CLI answers. */
export interface FakeAwsAnswers {
  /** By `<aws region>/<name>`. */
  clusters: Record<string, FakeCluster>;
  /** Never ends, like a CLI that waits for a login. */
  hangs?: boolean;
}

/** The environment variable that names the file with the {@link FakeAwsAnswers}. */
export const FAKE_AWS_FILE = "FAKE_AWS_FILE";

/**
 * Writes a stand-in of the AWS CLI, `<folder>/bin/aws`, which answers `eks describe-cluster` and `eks
 * get-token` and nothing else. The answers can be written anew at any time with {@link writeAnswers}.
 *
 * @returns the environment that makes a program find it: it comes before the rest of PATH
 */
export function makeFakeAws(folder: string, answers: FakeAwsAnswers): Record<string, string> {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const script = join(bin, "aws");
  writeFileSync(script, `#!${process.execPath}\n${SCRIPT}`);
  chmodSync(script, 0o755);
  writeAnswers(folder, answers);
  return {
    PATH: `${bin}:${process.env.PATH ?? ""}`,
    [FAKE_AWS_FILE]: answersFile(folder),
  };
}

/** Writes what the stand-in in that folder answers from now on. */
export function writeAnswers(folder: string, answers: FakeAwsAnswers): void {
  writeFileSync(answersFile(folder), JSON.stringify(answers));
}

function answersFile(folder: string): string {
  return join(folder, "aws.json");
}

const SCRIPT = `
const { readFileSync } = require("node:fs");
const words = process.argv.slice(2);
const option = (name) => words[words.indexOf(name) + 1];
const fail = (line) => { console.error("\\n" + line); process.exit(1); };
const { clusters, hangs } = JSON.parse(readFileSync(process.env.${FAKE_AWS_FILE}, "utf8"));
if (hangs) setInterval(() => {}, 1000); else main();
function main() {
  const at = words.indexOf("eks");
  const operation = at < 0 ? undefined : words[at + 1];
  if (option("--output") !== "json") fail("aws: error: only --output json is known");
  if (operation === "describe-cluster") {
    const name = option("--name");
    const cluster = clusters[option("--region") + "/" + name];
    if (!cluster) {
      fail("An error occurred (ResourceNotFoundException) when calling the DescribeCluster operation: No cluster found for name: " + name + ".");
    }
    const data = Buffer.from(cluster.ca).toString("base64");
    console.log(JSON.stringify({
      cluster: { name, status: "ACTIVE", endpoint: cluster.endpoint, certificateAuthority: { data } },
    }));
  } else if (operation === "get-token") {
    // The real one signs whatever name it is given; the API refuses it then.
    const cluster = clusters[option("--region") + "/" + option("--cluster-name")];
    const expires = new Date(Date.now() + 1000 * ((cluster && cluster.expiresIn) ?? 840)).toISOString();
    console.log(JSON.stringify({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1beta1",
      spec: {},
      status: { expirationTimestamp: expires, token: (cluster && cluster.token) ?? "k8s-aws-v1.none" },
    }));
  } else {
    fail("aws: error: argument operation: Invalid choice: " + words.join(" "));
  }
}
`;

import type { KubeConfig, User } from "@kubernetes/client-node";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { isRecord } from "../base/json";
import { ClusterAddress, describeCluster } from "../base/kubernetesAddress";
import { kubernetesLibrary } from "./kubernetesLibrary";
import { proxyFor } from "./proxy";

/** Longest that a call of the AWS CLI may take; a request whose own deadline is shorter gives up before. */
const AWS_CLI_MS = 20_000;

/** A token that expires sooner is asked for anew: it has to last until the request has arrived. */
const TOKEN_MARGIN_MS = 60_000;

/**
 * How the Kubernetes API of a cluster is reached, and as whom: for `eks` what the AWS CLI says about the
 * cluster, with a token of `aws eks get-token`; else the context of the user's kubeconfig (`KUBECONFIG`, or
 * `~/.kube/config`), read anew each time.
 *
 * @param cliTimeoutMs longest time for one call of the AWS CLI
 * @throws Error with one line: no such context, or what the AWS CLI says
 */
export async function clusterAccess(
  cluster: ClusterAddress,
  cliTimeoutMs = AWS_CLI_MS,
): Promise<KubeConfig> {
  const config = await (cluster.kind === "eks"
    ? eksAccess(cluster, cliTimeoutMs)
    : contextAccess(cluster.context));
  return throughProxyOfEnvironment(config);
}

/** The library knows the proxy of a kubeconfig (`proxy-url`) only; kubectl asks the environment, too. */
function throughProxyOfEnvironment(config: KubeConfig): KubeConfig {
  const name = config.getCurrentCluster()?.name;
  config.clusters = config.clusters.map((one) =>
    one.name === name && one.proxyUrl === undefined
      ? { ...one, proxyUrl: proxyFor(one.server) }
      : one,
  );
  return config;
}

async function contextAccess(context: string): Promise<KubeConfig> {
  const { KubeConfig } = await kubernetesLibrary();
  const config = new KubeConfig();
  config.loadFromOptions({ clusters: [], users: [], contexts: [] });
  const files = kubeconfigFiles();
  for (const file of files.filter((candidate) => existsSync(candidate))) {
    const one = new KubeConfig();
    if (isEmptyConfig(file)) {
      continue;
    }
    try {
      one.loadFromFile(file);
    } catch (error) {
      throw new Error(`the kubeconfig ${file} cannot be read: ${firstLine(error)}`);
    }
    for (const { exec } of one.users) {
      const plugin = exec as { command?: string } | undefined;
      // As kubectl has it: a path that is relative is so to the file, and a bare name is on the PATH.
      if (plugin?.command?.includes("/") === true) {
        plugin.command = resolve(dirname(file), plugin.command);
      }
    }
    // As kubectl merges: of two entries of one name the first counts, and a file may be missing. The
    // library's own merge refuses both.
    config.clusters.push(...missingIn(config.clusters, one.clusters));
    config.users.push(...missingIn(config.users, one.users));
    config.contexts.push(...missingIn(config.contexts, one.contexts));
  }
  const known = config.contexts.map(({ name }) => name);
  if (!known.includes(context)) {
    throw new Error(
      `there is no context "${context}" in the kubeconfig ${files.join(delimiter)}: ${known.length === 0 ? "it has none" : `the contexts are ${known.join(", ")}`}; kubectl config get-contexts shows them, KUBECONFIG names another file`,
    );
  }
  config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) {
    throw new Error(`the cluster of the context "${context}" is not in ${files.join(delimiter)}`);
  }
  return config;
}

/** As kubectl reads it: nothing but blanks and comments is a configuration without entries. */
function isEmptyConfig(file: string): boolean {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .every((line) => /^\s*(#.*|---\s*)?$/.test(line));
  } catch {
    // The library says what is wrong with it.
    return false;
  }
}

function kubeconfigFiles(): string[] {
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  return named.length > 0 ? named : [join(homedir(), ".kube", "config")];
}

function missingIn<T extends { name: string }>(present: T[], more: T[]): T[] {
  return more.filter(({ name }) => !present.some((one) => one.name === name));
}

interface DescribedCluster {
  endpoint: string;
  caData: string | undefined;
}

interface Token {
  value: string;
  expiresAt: number;
}

const described = new Map<string, Promise<DescribedCluster>>();
const tokens = new Map<string, Promise<Token>>();

async function eksAccess(
  address: Extract<ClusterAddress, { kind: "eks" }>,
  timeoutMs: number,
): Promise<KubeConfig> {
  const { awsRegion, cluster: name } = address;
  const key = `${awsRegion}/${name}`;
  const [{ KubeConfig }, { endpoint, caData }, token] = await Promise.all([
    kubernetesLibrary(),
    remembered(described, key, () => describeEksCluster(awsRegion, name, timeoutMs)),
    currentToken(key, awsRegion, name, timeoutMs),
  ]);
  const config = new KubeConfig();
  // The library can run `get-token` by itself, but without a deadline, and what it prints then is not one
  // line: a CLI that waits for a login would hold the recovery for ever.
  const user: User = { name: key, token };
  config.loadFromClusterAndUser(
    { name: key, server: endpoint, caData, skipTLSVerify: false },
    user,
  );
  return config;
}

/** The result of `make`, made once; a failure is not remembered. */
function remembered<T>(
  cache: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined) {
    return known;
  }
  const made = make();
  cache.set(key, made);
  made.catch(() => {
    if (cache.get(key) === made) {
      cache.delete(key);
    }
  });
  return made;
}

async function currentToken(
  key: string,
  awsRegion: string,
  name: string,
  timeoutMs: number,
): Promise<string> {
  const ask = () => remembered(tokens, key, () => eksToken(awsRegion, name, timeoutMs));
  const token = await ask();
  if (token.expiresAt - TOKEN_MARGIN_MS > Date.now()) {
    return token.value;
  }
  tokens.delete(key);
  return (await ask()).value;
}

async function describeEksCluster(
  awsRegion: string,
  name: string,
  timeoutMs: number,
): Promise<DescribedCluster> {
  const command = ["eks", "describe-cluster", "--name", name, "--region", awsRegion];
  const answer = await awsCli([...command, "--output", "json"], timeoutMs);
  const found = isRecord(answer) && isRecord(answer.cluster) ? answer.cluster : {};
  const authority = isRecord(found.certificateAuthority) ? found.certificateAuthority : {};
  if (typeof found.endpoint !== "string" || !found.endpoint.startsWith("https://")) {
    throw new Error(
      `${describeCluster({ kind: "eks", awsRegion, cluster: name })} has no endpoint yet (status ${String(found.status ?? "unknown")}): wait until it is ACTIVE`,
    );
  }
  return {
    endpoint: found.endpoint,
    caData: typeof authority.data === "string" ? authority.data : undefined,
  };
}

async function eksToken(awsRegion: string, name: string, timeoutMs: number): Promise<Token> {
  const command = ["--region", awsRegion, "eks", "get-token", "--cluster-name", name];
  const answer = await awsCli([...command, "--output", "json"], timeoutMs);
  const status = isRecord(answer) && isRecord(answer.status) ? answer.status : {};
  const expiresAt = Date.parse(String(status.expirationTimestamp));
  if (typeof status.token !== "string" || Number.isNaN(expiresAt)) {
    throw new Error(`aws ${command.join(" ")} printed no token`);
  }
  return { value: status.token, expiresAt };
}

/**
 * Runs the AWS CLI and returns the JSON that it printed.
 *
 * @throws Error with one line: the command, and the reason that the CLI gives
 */
function awsCli(args: string[], timeoutMs: number): Promise<unknown> {
  const command = `aws ${args.filter((arg) => arg !== "--output" && arg !== "json").join(" ")}`;
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: "SIGKILL" as const, maxBuffer: 1024 * 1024 };
    const child = execFile("aws", args, options, (error, stdout, stderr) => {
      if (error !== null) {
        reject(new Error(`${command} failed: ${cliReason(error, stderr, timeoutMs)}`));
        return;
      }
      try {
        resolve(JSON.parse(stdout) as unknown);
      } catch {
        // The output may hold a token: it is not repeated.
        reject(new Error(`${command} printed something that is not JSON`));
      }
    });
    // It must not wait for a password that nobody types.
    child.stdin?.end();
  });
}

function cliReason(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  timeoutMs: number,
): string {
  if (error.code === "ENOENT") {
    return "the AWS CLI is not on the PATH";
  }
  if (error.killed === true) {
    return `no answer within ${timeoutMs / 1000} s`;
  }
  const line = stderr.split("\n").find((candidate) => candidate.trim() !== "");
  return line === undefined ? `it ended with ${String(error.code)}` : line.trim().slice(0, 300);
}

/** The first line of what an error says, also of the event that a web socket makes of one. */
export function firstLine(error: unknown): string {
  const text = isRecord(error) && typeof error.message === "string" ? error.message : String(error);
  return (text.split("\n").find((line) => line.trim() !== "") ?? text).trim().slice(0, 300);
}

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isRecord } from "../base/json";
import type { EksSettings } from "../settings";

/** Where the state and the key of its secrets are, as far as the machine that runs Pulumi tells. */
export interface BackendPlace {
  /** Address of the state backend: `s3://…`, `file://…`, `https://…`. */
  backend?: string;
  /** The stack's `secretsprovider`: `awskms://…`, `passphrase`. */
  secretsProvider?: string;
}

/**
 * Warnings when the state, or the key of its secrets, lies in one of the two regions: the loss of that
 * region would take the recovery from it along. Only AWS addresses tell their region; a bucket whose
 * address does not is not judged.
 */
export function backendWarnings(place: BackendPlace, eks: EksSettings): string[] {
  const parts: [string, string | undefined][] = [
    ["the state of Pulumi", place.backend],
    ["the key of Pulumi's secrets", place.secretsProvider],
  ];
  return parts.flatMap(([what, address]) => {
    const awsRegion = Object.values(eks.awsRegions).find((name) => liesIn(address ?? "", name));
    return awsRegion === undefined
      ? []
      : [
          `${what} lies in ${awsRegion} (${withoutQuery(address ?? "")}), one of the two regions: its loss would take the recovery along; move it to a third region`,
        ];
  });
}

/** What this machine tells: the environment, the stack's file, and the login. Nothing of it is asked for over a network. */
export function backendPlace(
  stackFile: string,
  env: NodeJS.ProcessEnv = process.env,
): BackendPlace {
  const home = env.PULUMI_HOME ?? path.join(os.homedir(), ".pulumi");
  const login = parsed(path.join(home, "credentials.json"));
  const secretsProvider = /^secretsprovider:\s*(\S+)\s*$/m.exec(textOf(stackFile))?.[1];
  return {
    backend:
      env.PULUMI_BACKEND_URL ?? (typeof login?.current === "string" ? login.current : undefined),
    secretsProvider,
  };
}

function liesIn(address: string, awsRegion: string): boolean {
  return (
    /^(s3|awskms):/.test(address) &&
    // region=eu-west-2, s3.eu-west-2.amazonaws.com, arn:aws:kms:eu-west-2:…
    new RegExp(`[=.:/]${awsRegion}($|[^a-z0-9-])`).test(address)
  );
}

function withoutQuery(address: string): string {
  return address.split("?")[0] ?? address;
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    // A stack without a file of its own, or a login that was never made: nothing is told.
    return "";
  }
}

function parsed(file: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(textOf(file));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

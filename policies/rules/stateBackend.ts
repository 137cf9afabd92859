import type { StackRule, Surroundings } from "./model";

/**
 * The AWS region that a state backend lies in, as far as its address tells.
 *
 * @param url as `pulumi login` takes it
 * @param defaultAwsRegion what the AWS environment names, for an `s3://` without a region
 * @returns the region; `outside` for what cannot be in an AWS region; `unknown` where the address does not tell
 */
export function regionOfBackend(
  url: string,
  defaultAwsRegion: string | undefined,
): { region: string } | "outside" | "unknown" {
  if (/^(gs|azblob):\/\//.test(url) || /^https:\/\/(api|app)\.pulumi\.com\b/.test(url)) {
    return "outside";
  }
  if (!url.startsWith("s3://")) {
    // A server or a disk of one's own may stand anywhere.
    return "unknown";
  }
  const query = new URLSearchParams(url.split("?")[1] ?? "");
  const endpoint = query.get("endpoint");
  if (endpoint !== null && !endpoint.includes("amazonaws.com")) {
    return "unknown";
  }
  const region =
    /s3[.-]([a-z0-9-]+-\d)\.amazonaws\.com/.exec(endpoint ?? "")?.[1] ??
    query.get("region") ??
    defaultAwsRegion;
  return region === undefined ? "unknown" : { region };
}

/** A backend in a region that is lost takes the record of the recovery along. */
export const stateBackendElsewhere: StackRule = {
  kind: "stack",
  name: "state-backend-elsewhere",
  description: "The state backend is in none of the two AWS regions.",
  level: "mandatory",
  check(resources, surroundings) {
    const { backendUrl, defaultAwsRegion } = surroundings;
    const found =
      backendUrl === undefined ? "unknown" : regionOfBackend(backendUrl, defaultAwsRegion);
    if (found === "unknown" || found === "outside") {
      return [];
    }
    const own = regionsOf(resources, surroundings);
    return own.includes(found.region)
      ? [
          {
            resource: undefined,
            message: `the state backend is in ${found.region}, a region of this cluster: its loss would take the record of the recovery along; use Pulumi Cloud, or a bucket in a third region`,
          },
        ]
      : [];
  },
};

/** Regions that the providers of the stack name, and those that the policy's configuration lists. */
function regionsOf(
  resources: Parameters<StackRule["check"]>[0],
  { awsRegions }: Surroundings,
): string[] {
  const own = resources
    .filter(({ type }) => type === "pulumi:providers:aws")
    .map(({ props }) => props.region)
    .filter((region) => typeof region === "string");
  return [...own, ...awsRegions];
}

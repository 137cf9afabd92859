import { shortened } from "../base/bounded";
import { REGIONS, RegionName } from "../base/brokers";
import type { Values } from "./table";
import type { Api, Credentials } from "./types";

type Asked = Partial<Record<"user" | "password" | "apiKey" | "token", string>>;

/** So much of a user's name that it is known again. */
const USER_SHOWN = 24;

/** What a request to each API of each region is to carry. */
export function credentialsOf({
  credentials,
}: Pick<Values, "credentials">): Record<RegionName, Record<Api, Credentials>> {
  const of = (region: RegionName, api: Api): Credentials => {
    const { region0, region1, ...both } = credentials[api];
    return region0 === undefined && region1 === undefined
      ? signIn(`credentials.${api}`, both)
      : signIn(`credentials.${api}.${region}`, (region === "region0" ? region0 : region1) ?? {});
  };
  const all = REGIONS.map((region) => [
    region,
    {
      elasticsearch: of(region, "elasticsearch"),
      gateway: of(region, "gateway"),
      management: of(region, "management"),
    },
  ]);
  return Object.fromEntries(all) as Record<RegionName, Record<Api, Credentials>>;
}

function signIn(key: string, { user, password, apiKey, token }: Asked): Credentials {
  if (user !== undefined) {
    const basic = Buffer.from(`${user}:${password}`).toString("base64");
    return { key, sent: `user ${shortened(user, USER_SHOWN)}`, authorization: `Basic ${basic}` };
  }
  if (apiKey !== undefined) {
    return { key, sent: "an API key", authorization: `ApiKey ${apiKey}` };
  }
  return token === undefined
    ? { key, sent: "no credentials", authorization: undefined }
    : { key, sent: "a token", authorization: `Bearer ${token}` };
}

import { isRecord } from "../../components/base/json";
import type { Properties } from "../pulumi/properties";
import type { MaybePromise, Call } from "../pulumi/standIn";
import type { Aws, Item } from "./state";
import { homeOf } from "./tokens";

/** Where a resource is made. */
export interface Scope {
  aws: Aws;
  /** Region of the provider that asks. */
  region: string;
  call: Call;
}

/** How AWS and its provider treat resources of a type. */
export interface ResourceType {
  /** Input that gets the resource's name and some random letters when the program gives none; its greatest length. */
  autoname?: { property: string; max: number };
  defaults?: Properties;
  replaces?: readonly string[];
  /** Inputs that stay as they are when the program no longer gives them ("optional and computed"). */
  kept?: readonly string[];
  sets?: readonly string[];
  /** Outputs that a preview of a create does not know, as paths: `vpcConfig.vpcId`. */
  computed?: readonly string[];
  /** Outputs that a preview of an update does not know. */
  changing?: readonly string[];
  /**
   * Inputs (as paths, through lists) that name a resource of a type by its id or ARN. It must be there, in the same
   * region or in the account, and it is not deleted before.
   */
  names?: Record<string, string>;
  /** That of {@link names} which names what a resource is deleted along with. */
  within?: string;
  /** Inputs in which no two are alike, in a region or in the account; and AWS's code of the error. */
  unique?: readonly [code: string, ...inputs: string[]];
  /** Whether making it writes over one with the same id, wherever that comes from. */
  overwrites?: true;
  create(scope: Scope, inputs: Properties): MaybePromise<{ id: string; outputs?: Properties }>;
  /** Further outputs. `item.inputs` are the old ones. */
  update?(scope: Scope, item: Item, inputs: Properties): MaybePromise<Properties | void>;
  /** Outputs that may have changed since; undefined: the provider takes the resource for gone. */
  read?(scope: Scope, item: Item): Properties | undefined;
  /** Inputs that a read words in another way than the program. */
  seen?(scope: Scope, inputs: Properties): Properties;
  delete?(scope: Scope, item: Item): MaybePromise<void>;
}

/** A string, when there is one and it is known. */
export function text(inputs: Properties, key: string): string | undefined {
  const value = inputs[key];
  return typeof value === "string" ? value : undefined;
}

/** A list's records; none when it is not known. */
export function records(value: unknown): Properties[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** A list's strings; none when it is not known. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The strings at a path, of each record where there is a list of them. */
export function valuesAt(value: unknown, path: string): string[] {
  const [key = "", ...rest] = path.split(".");
  const here = (Array.isArray(value) ? records(value) : isRecord(value) ? [value] : []).flatMap(
    (one) => one[key],
  );
  return rest.length > 0 ? valuesAt(here, rest.join(".")) : strings(here).filter(Boolean);
}

/** The object that an input has as JSON; an empty one while it is not known. */
export function jsonObject(value: unknown): Properties {
  if (typeof value !== "string") {
    return {};
  }
  const parsed: unknown = JSON.parse(value);
  return isRecord(parsed) ? parsed : {};
}

/** A resource by what an input names it: its id, with or without the account, or its ARN. */
export function lookup(
  { aws, region }: Pick<Scope, "aws" | "region">,
  type: string,
  name: string,
): Item | undefined {
  const id = name.startsWith(`${aws.account}/`) ? name.slice(aws.account.length + 1) : name;
  const home = homeOf(type, region);
  return aws
    .list(type)
    .find((item) => item.region === home && (item.id === id || item.outputs.arn === id));
}

/** An ARN that the service answers with: of a region, or of the account. */
export function arn(scope: Scope, service: string, resource: string): string {
  const region = service === "iam" ? "" : scope.region;
  return `arn:aws:${service}:${region}:${scope.aws.account}:${resource}`;
}

/** What the provider says of most things of EC2. */
export function owned(scope: Scope, type: string, id: string): Properties {
  return { arn: arn(scope, "ec2", `${type}/${id}`), ownerId: scope.aws.account };
}

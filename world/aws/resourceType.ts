import { hasUnknown, Properties, UNKNOWN } from "../pulumi/properties";
import type { MaybePromise, Call } from "../pulumi/standIn";
import { parseCidr } from "../../components/base/cidr";
import { isRecord } from "../../components/base/json";
import { Aws, AwsError, Item } from "./state";

/** Where a resource is made. */
export interface Scope {
  aws: Aws;
  /** Region of the provider that asks. */
  region: string;
  /** Region of the resource: undefined when it belongs to the account. */
  home: string | undefined;
  call: Call;
}

/** How AWS and its provider treat resources of a type. */
export interface ResourceType {
  /** Whether resources belong to the account, not to a region. Their control plane is in us-east-1. */
  account?: boolean;
  required?: readonly string[];
  /** Input that gets the resource's name and some random letters when the program gives none; greatest lengths. */
  autoname?: { property: string; max: number; maxPrefix?: number };
  defaults?: Properties;
  replaces?: readonly string[];
  /** Inputs that stay as they are when the program no longer gives them ("optional and computed"). */
  kept?: readonly string[];
  sets?: readonly string[];
  /** Outputs that a preview of a create does not know, as paths: `vpcConfig.vpcId`. */
  computed?: readonly string[];
  /** Outputs that a preview of an update does not know. */
  changing?: readonly string[];
  /** What the provider itself refuses, already in a preview. Values may be unknown. One line each. */
  check?(inputs: Properties): Iterable<string>;
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

/** The resource that an input names. */
export function need(scope: Scope, type: string, id: unknown, code: string): Item {
  const item = scope.aws.find(type, scope.home, id);
  if (item === undefined) {
    throw new AwsError(code, `The ID '${String(id)}' does not exist`);
  }
  return item;
}

/** JSON of an input, which must be an object; undefined when it is not known yet. */
export function jsonObject(value: unknown): Properties | undefined | string {
  if (value === undefined || value === UNKNOWN || hasUnknown(value)) {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(String(value));
    return isRecord(parsed) ? parsed : "contains an invalid JSON: no object";
  } catch (error) {
    return `contains an invalid JSON: ${(error as Error).message}`;
  }
}

/** Refuses what is no CIDR, or has address bits behind the network part. */
export function needCidr(value: unknown, code = "InvalidParameterValue"): string {
  if (typeof value !== "string" || parseCidr(value) === undefined) {
    throw new AwsError(code, `CIDR block ${String(value)} is malformed`);
  }
  return value;
}

/** What is wrong with a CIDR that the provider checks itself. */
export function* cidrProblem(path: string, value: unknown): Iterable<string> {
  if (typeof value === "string" && parseCidr(value) === undefined) {
    yield `"${path}": "${value}" is not a valid IPv4 CIDR block (address bits behind the network part?)`;
  }
}

/** An ARN that the service answers with: of a region, or of the account. */
export function arn(scope: Scope, service: string, resource: string): string {
  return `arn:aws:${service}:${scope.home ?? ""}:${scope.aws.account}:${resource}`;
}

/** An ARN that the provider puts together itself: with `skipRequestingAccountId` it knows no account. */
export function providerArn(scope: Scope, service: string, resource: string): string {
  const account = isSet(scope.call.config.skipRequestingAccountId) ? "" : scope.aws.account;
  return `arn:aws:${service}:${scope.home ?? ""}:${account}:${resource}`;
}

/** A flag of the provider's configuration, which comes as a text. */
export function isSet(flag: unknown): boolean {
  return flag === true || flag === "true";
}

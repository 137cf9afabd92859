import { randomBytes } from "node:crypto";
import { isRecord } from "../../components/base/json";
import { compare, Diff, Properties, UNKNOWN, record } from "../pulumi/properties";
import type { Call, Failure, RecordedResource, StandIn } from "../pulumi/standIn";
import { EKS_TYPES } from "./eks";
import { FILTER_TYPES } from "./filters";
import { IAM_TYPES } from "./iam";
import { LB_TYPES } from "./lb";
import { jsonObject, lookup, ResourceType, Scope, text, valuesAt } from "./resourceType";
import { ROUTE_TYPES } from "./routes";
import { ROUTE53_TYPES } from "./route53";
import { getBucket, S3_TYPES } from "./s3";
import { Aws, AwsError, Item } from "./state";
import { homeOf } from "./tokens";
import { VPC_TYPES } from "./vpc";
import { messageOf } from "../../components/base/messageOf";

/** Region of the control planes of IAM and Route 53. */
const GLOBAL_REGION = "us-east-1";

const TYPES: Record<string, ResourceType> = {
  ...VPC_TYPES,
  ...ROUTE_TYPES,
  ...FILTER_TYPES,
  ...EKS_TYPES,
  ...IAM_TYPES,
  ...S3_TYPES,
  ...LB_TYPES,
  ...ROUTE53_TYPES,
};

/**
 * A stand-in for `@pulumi/aws`. Refuses what names nothing that is there, what is there already, and what is deleted too
 * early, and what else LIMITS.md says; a type, a function or a region that it does not know is an error. Nothing is created
 * but an entry in {@link Aws}.
 */
export class AwsStandIn implements StandIn {
  readonly package = "aws";
  readonly version = "7.48.0";
  // The provider computes them from its schema.
  readonly local = ["check", "diff", "preview"] as const;

  constructor(readonly aws: Aws) {}

  regionOf(config: Properties): string | undefined {
    return text(config, "region");
  }

  reaches(call: Call): string[] {
    const home = call.region && homeOf(call.type, call.region);
    return call.region === undefined ? [] : [home ?? GLOBAL_REGION];
  }

  checkConfig(config: Properties): Failure[] {
    const allowed = config.allowedAccountIds;
    return [
      ...(config.region === undefined
        ? [{ property: "region", reason: "missing: the provider is for no region" }]
        : []),
      // The provider says so when it is configured, which a preview does too.
      ...(typeof allowed === "string" && !allowed.includes(this.aws.account)
        ? [{ property: "", reason: `AWS account ID not allowed: ${this.aws.account}` }]
        : []),
    ];
  }

  check(
    call: Call,
    given: Properties,
    old: Properties | undefined,
  ): { failures: Failure[]; inputs: Properties } {
    const type = typeOf(call);
    const inputs = { ...type.defaults, ...given };
    nameResource(call, type, inputs, old);
    const { property = "", max = 0 } = type.autoname ?? {};
    const problems = [
      ...(call.region === undefined
        ? [`the provider ${call.provider} is for no region: give the resource a provider`]
        : []),
      ...((text(inputs, property) ?? "").length > max
        ? [`"${property}": "${String(inputs[property])}" is longer than ${max} characters`]
        : []),
    ];
    const failures = problems.map((reason) => ({ property, reason: `${call.name}: ${reason}` }));
    return { failures, inputs };
  }

  diff(call: Call, _id: string, old: RecordedResource, inputs: Properties): Diff {
    return compare(old.inputs, inputs, typeOf(call));
  }

  preview(call: Call, inputs: Properties, old: RecordedResource | undefined): Properties {
    const type = typeOf(call);
    const outputs = this.outputs(call, inputs, old?.outputs);
    for (const path of (old === undefined ? type.computed : type.changing) ?? []) {
      const [key = "", nested] = path.split(".");
      if (nested === undefined) {
        outputs[key] ??= UNKNOWN;
        if (old !== undefined) {
          outputs[key] = UNKNOWN;
        }
      } else if (isRecord(outputs[key])) {
        outputs[key] = { ...outputs[key], [nested]: UNKNOWN };
      }
    }
    return outputs;
  }

  async create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const scope = this.scope(call);
    const type = typeOf(call);
    const home = homeOf(call.type, scope.region);
    const { id, outputs: further } = await named(call, "creating", () => {
      this.checkNames(scope, type, inputs);
      this.checkUnused(call.type, home, inputs);
      return type.create(scope, inputs);
    });
    // Resources of providers that are bridged have their id among their outputs.
    const outputs = { ...this.outputs(call, inputs, undefined), ...further, id };
    const existing = this.aws.find(call.type, home, id);
    if (existing !== undefined && type.overwrites === true) {
      this.aws.remove(existing);
    }
    this.aws.add({ type: call.type, id, region: home, inputs, outputs });
    return { id, outputs };
  }

  read(call: Call, id: string): (RecordedResource & { id: string }) | undefined {
    const scope = this.scope(call);
    const item = this.aws.find(call.type, homeOf(call.type, scope.region), id);
    const type = typeOf(call);
    const further = item === undefined || type.read === undefined ? {} : type.read(scope, item);
    if (item === undefined || further === undefined) {
      return undefined;
    }
    const seen = type.seen?.(scope, item.inputs);
    item.outputs = { ...item.outputs, ...further, ...seen };
    return { id, inputs: { ...item.inputs, ...seen }, outputs: item.outputs };
  }

  async update(
    call: Call,
    id: string,
    _old: RecordedResource,
    given: Properties,
  ): Promise<Properties> {
    const scope = this.scope(call);
    const type = typeOf(call);
    const item = this.need(scope, call, id);
    const kept = (type.kept ?? []).filter((key) => given[key] === undefined);
    const inputs = {
      ...Object.fromEntries(kept.map((key) => [key, item.inputs[key]])),
      ...given,
    };
    const further = await named(call, "updating", () => {
      this.checkNames(scope, type, inputs, item.inputs);
      return type.update?.(scope, item, inputs);
    });
    item.inputs = inputs;
    item.outputs = { ...this.outputs(call, inputs, item.outputs), ...further, id };
    return item.outputs;
  }

  async delete(call: Call, id: string): Promise<void> {
    const scope = this.scope(call);
    const item = this.aws.find(call.type, homeOf(call.type, scope.region), id);
    if (item !== undefined) {
      await named(call, "deleting", async () => {
        const [within, users] = this.usersOf(item);
        if (users.length > 0) {
          throw new AwsError(
            "DependencyViolation",
            `${id} is used and cannot be deleted: ${users.map((user) => user.id).join(", ")}`,
          );
        }
        await typeOf(call).delete?.(scope, item);
        within.forEach((one) => this.aws.remove(one));
      });
      this.aws.remove(item);
    }
  }

  invoke(call: Call, args: Properties): Properties {
    if (call.type !== "aws:s3/getBucket:getBucket") {
      throw new Error(`no stand-in for the function ${call.type}`);
    }
    return getBucket(this.aws, regionOf(call), args);
  }

  /** What inputs name must be there; what they have named before may be gone since. */
  private checkNames(
    scope: Scope,
    { names = {} }: ResourceType,
    inputs: Properties,
    old = {},
  ): void {
    for (const [path, type] of Object.entries(names)) {
      const before = valuesAt(old, path);
      const gone = valuesAt(inputs, path).find(
        (name) => !before.includes(name) && lookup(scope, type, name) === undefined,
      );
      if (gone !== undefined) {
        throw new AwsError(
          "NotFound",
          `${path}: there is no ${type} ${gone} in ${homeOf(type, scope.region) ?? "the account"}`,
        );
      }
    }
  }

  private checkUnused(type: string, home: string | undefined, inputs: Properties): void {
    const [code, ...keys] = TYPES[type]?.unique ?? [];
    const same = this.aws
      .list(type)
      .find(
        (item) => item.region === home && keys.every((key) => item.inputs[key] === inputs[key]),
      );
    if (code !== undefined && same !== undefined) {
      throw new AwsError(
        code,
        `${same.id} already exists with ${keys.map((key) => `${key} ${String(inputs[key])}`).join(", ")}`,
      );
    }
  }

  /** What is deleted along with a resource, and what stands in the way of that. */
  private usersOf(item: Item): [within: Item[], users: Item[]] {
    const names = [item.id, `${this.aws.account}/${item.id}`, item.outputs.arn];
    const ofIt = (user: Item, path: string) =>
      TYPES[user.type]?.names?.[path] === item.type &&
      valuesAt(user.inputs, path).some((value) => names.includes(value));
    const users = this.aws
      .all()
      .filter((user) => [undefined, user.region].includes(item.region) && user.implicit !== true)
      .filter((user) =>
        Object.keys(TYPES[user.type]?.names ?? {}).some((path) => ofIt(user, path)),
      );
    const isWithin = (user: Item) => ofIt(user, TYPES[user.type]?.within ?? "");
    return [users.filter(isWithin), users.filter((user) => !isWithin(user))];
  }

  private need(scope: Scope, call: Call, id: string): Item {
    const item = this.aws.find(call.type, homeOf(call.type, scope.region), id);
    if (item === undefined) {
      throw new Error(`updating ${call.type} (${id}): couldn't find resource`);
    }
    return item;
  }

  private scope(call: Call): Scope {
    return { aws: this.aws, region: regionOf(call), call };
  }

  private outputs(call: Call, inputs: Properties, old: Properties | undefined): Properties {
    const type = typeOf(call);
    const kept = Object.fromEntries(
      (type.kept ?? []).filter((key) => inputs[key] === undefined).map((key) => [key, old?.[key]]),
    );
    const computed = Object.fromEntries(
      (type.computed ?? []).filter((path) => !path.includes(".")).map((key) => [key, old?.[key]]),
    );
    const nested = Object.fromEntries(
      (type.computed ?? [])
        .filter((path) => path.includes("."))
        .map((path) => path.split(".")[0] ?? "")
        .filter((key) => old !== undefined && isRecord(inputs[key]))
        .map((key) => [key, { ...record(old?.[key]), ...record(inputs[key]) }]),
    );
    const tagsAll = { ...record(jsonObject(call.config.defaultTags).tags), ...record(inputs.tags) };
    return {
      ...computed,
      ...kept,
      ...inputs,
      ...nested,
      ...(homeOf(call.type, regionOf(call)) === undefined ? {} : { region: call.region }),
      tagsAll: inputs.tags === UNKNOWN ? UNKNOWN : tagsAll,
    };
  }
}

function typeOf(call: Call): ResourceType {
  const type = TYPES[call.type];
  if (type === undefined) {
    throw new Error(`no stand-in for ${call.type}: known are ${Object.keys(TYPES).join(", ")}`);
  }
  return type;
}

function regionOf({ region, provider, type }: Call): string {
  if (region === undefined) {
    throw new Error(`${type}: the provider ${provider} is for no region`);
  }
  return region;
}

/** Names a resource that the program gives no name, as it was named before. */
function nameResource(
  call: Call,
  { autoname }: ResourceType,
  inputs: Properties,
  old: Properties | undefined,
): void {
  if (autoname === undefined || inputs[autoname.property] !== undefined) {
    return;
  }
  const { property } = autoname;
  const prefix = `${property}Prefix`;
  const kept = old?.[prefix] === inputs[prefix] ? old?.[property] : undefined;
  inputs[property] =
    kept ??
    `${text(inputs, prefix) ?? `${call.name}-`}${randomBytes(4).toString("hex").slice(0, 7)}`;
}

async function named<T>(call: Call, doing: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`${doing} ${call.type.split(":").at(-1)} (${call.name}): ${reason}`);
  }
}

import { randomBytes } from "node:crypto";
import { isRecord } from "../../components/base/json";
import { compare, Diff, Properties, UNKNOWN, record } from "../pulumi/properties";
import type { Call, Failure, RecordedResource, StandIn } from "../pulumi/standIn";
import { EC2_TYPES } from "./ec2";
import { EKS_TYPES } from "./eks";
import { FUNCTIONS } from "./functions";
import { IAM_TYPES } from "./iam";
import { LB_TYPES } from "./lb";
import { isSet, jsonObject, ResourceType, Scope, text } from "./resourceType";
import { ROUTE53_TYPES } from "./route53";
import { S3_TYPES } from "./s3";
import { Aws, Item } from "./state";

/** Region of the control planes of IAM and Route 53. */
const GLOBAL_REGION = "us-east-1";

const TYPES: Record<string, ResourceType> = {
  ...EC2_TYPES,
  ...EKS_TYPES,
  ...IAM_TYPES,
  ...S3_TYPES,
  ...LB_TYPES,
  ...ROUTE53_TYPES,
};

/**
 * A stand-in for `@pulumi/aws`. Refuses what the provider or AWS would refuse, as far as the types that
 * the program uses go; a type, a function or a region that it does not know is an error. Nothing is
 * created but an entry in {@link Aws}.
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
    if (TYPES[call.type]?.account === true) {
      return [GLOBAL_REGION];
    }
    return call.region === undefined ? [] : [call.region];
  }

  checkConfig(config: Properties): Failure[] {
    const failures: Failure[] = [];
    if (config.region === undefined) {
      failures.push({ property: "region", reason: "missing: the provider is for no region" });
    }
    if (
      isSet(config.skipRequestingAccountId) &&
      ["allowedAccountIds", "forbiddenAccountIds"].some((key) => config[key] !== undefined)
    ) {
      failures.push({
        property: "allowedAccountIds",
        reason: "AWS account ID not previously found: conflicts with skipRequestingAccountId",
      });
    }
    return failures;
  }

  check(
    call: Call,
    given: Properties,
    old: Properties | undefined,
  ): { failures: Failure[]; inputs: Properties } {
    const type = typeOf(call);
    const inputs = { ...type.defaults, ...given };
    const problems = [
      ...(type.required ?? [])
        .filter((key) => inputs[key] === undefined)
        .map((key) => `Missing required argument. The argument "${key}" is required`),
      ...nameResource(call, type, inputs, old),
      ...(type.check?.(inputs) ?? []),
    ];
    if (call.region === undefined) {
      problems.push(`the provider ${call.provider} is for no region: give the resource a provider`);
    } else if (![undefined, call.region, UNKNOWN].includes(inputs.region as string)) {
      problems.push(`"region": is ${String(inputs.region)}, its provider is for ${call.region}`);
    }
    return {
      failures: problems.map((reason) => ({
        property: /^"(\w+)/.exec(reason)?.[1] ?? "",
        reason: `${call.name}: ${reason}`,
      })),
      inputs,
    };
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
    const { id, outputs: further } = await named(call, "creating", () =>
      typeOf(call).create(scope, inputs),
    );
    // Resources of providers that are bridged have their id among their outputs.
    const outputs = { ...this.outputs(call, inputs, undefined), ...further, id };
    const existing = this.aws.find(call.type, scope.home, id);
    if (existing !== undefined) {
      this.aws.remove(existing);
    }
    this.aws.add({ type: call.type, id, region: scope.home, inputs, outputs });
    return { id, outputs };
  }

  read(call: Call, id: string): (RecordedResource & { id: string }) | undefined {
    const scope = this.scope(call);
    const item = this.aws.find(call.type, scope.home, id);
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
    const further = await named(call, "updating", () => type.update?.(scope, item, inputs));
    item.inputs = inputs;
    item.outputs = { ...this.outputs(call, inputs, item.outputs), ...further, id };
    return item.outputs;
  }

  async delete(call: Call, id: string): Promise<void> {
    const scope = this.scope(call);
    const item = this.aws.find(call.type, scope.home, id);
    if (item !== undefined) {
      await named(call, "deleting", () => typeOf(call).delete?.(scope, item));
      this.aws.remove(item);
    }
  }

  invoke(call: Call, args: Properties): Properties {
    const lookup = FUNCTIONS[call.type];
    if (lookup === undefined) {
      throw new Error(`no stand-in for the function ${call.type}`);
    }
    return lookup(this.aws, regionOf(call), args);
  }

  private need(scope: Scope, call: Call, id: string): Item {
    const item = this.aws.find(call.type, scope.home, id);
    if (item === undefined) {
      throw new Error(`updating ${call.type} (${id}): couldn't find resource`);
    }
    return item;
  }

  private scope(call: Call): Scope {
    const region = regionOf(call);
    return {
      aws: this.aws,
      region,
      home: typeOf(call).account === true ? undefined : region,
      call,
    };
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
    const tagsAll = { ...record(defaultTags(call.config)), ...record(inputs.tags) };
    return {
      ...computed,
      ...kept,
      ...inputs,
      ...nested,
      ...(type.account === true ? {} : { region: call.region }),
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

function defaultTags(config: Properties): unknown {
  const parsed = jsonObject(config.defaultTags);
  return isRecord(parsed) ? parsed.tags : undefined;
}

/** Names a resource that the program gives no name, as it was named before. */
function* nameResource(
  call: Call,
  type: ResourceType,
  inputs: Properties,
  old: Properties | undefined,
): Iterable<string> {
  if (type.autoname === undefined) {
    return;
  }
  const { property, max, maxPrefix } = type.autoname;
  const prefixKey = `${property}Prefix`;
  const prefix = text(inputs, prefixKey);
  if (inputs[property] === undefined) {
    const kept = old?.[prefixKey] === inputs[prefixKey] ? old?.[property] : undefined;
    inputs[property] =
      kept ?? `${prefix ?? `${call.name}-`}${randomBytes(4).toString("hex").slice(0, 7)}`;
  }
  if (prefix !== undefined && maxPrefix !== undefined && prefix.length > maxPrefix) {
    yield `"${prefixKey}": "${prefix}" is longer than ${maxPrefix} characters`;
  }
  const name = text(inputs, property);
  if (name !== undefined && name.length > max) {
    yield `"${property}": "${name}" is longer than ${max} characters`;
  }
}

async function named<T>(call: Call, doing: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${doing} ${call.type.split(":").at(-1)} (${call.name}): ${reason}`);
  }
}

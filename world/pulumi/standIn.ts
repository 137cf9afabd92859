import type { Diff, Properties } from "./properties";

/** What the engine can ask of a provider. */
export type Method =
  | "checkConfig"
  | "diffConfig"
  | "configure"
  | "check"
  | "diff"
  | "preview"
  | "create"
  | "read"
  | "update"
  | "delete"
  | "invoke";

/** Who asks, and of which resource. */
export interface Call {
  /** Type token of the resource, `aws:ec2/vpc:Vpc`; of an invoke, the function's. */
  type: string;
  /** Name of the resource in the program; of an invoke, empty. */
  name: string;
  urn: string;
  /** Stack of the program that asks. */
  stack: string;
  /** Name of the provider resource that the call goes through: `default_7_48_0` for the default one. */
  provider: string;
  /** Configuration of that provider, as the program has given it: what is no string, as JSON. */
  config: Properties;
  /** Region that it is configured for; undefined when none was given. */
  region: string | undefined;
  /** Whether nothing may be changed, since a preview asks. */
  preview: boolean;
  /** Aborted when the run is cancelled. */
  signal: AbortSignal;
}

/** An input that must not be so. */
export interface Failure {
  property: string;
  reason: string;
}

/** What a resource was before: as its program wrote it, and as its provider has answered. */
export interface RecordedResource {
  inputs: Properties;
  outputs: Properties;
}

/** A package of resources behind a {@link ProviderServer}: code without gRPC. */
export interface StandIn {
  /** Name of the package: `aws`. */
  readonly package: string;
  /** Version of the real plugin that it stands in for. */
  readonly version: string;
  /**
   * Calls that the real provider answers without asking its region, so that they work when it is lost.
   * `checkConfig` and `diffConfig` always are, and `configure` but for {@link asksWhenConfigured}.
   */
  readonly local: readonly Method[];
  /** Region that a configuration is for. */
  regionOf(config: Properties): string | undefined;
  /** Whether the real provider asks its region when it is configured, before any call. */
  readonly asksWhenConfigured?: boolean;
  /** What the real provider says of a call whose region is lost, when that is not about the network. */
  whenLost?(method: Method, call: Call): Error;
  /** Regions that the real provider asks for a call that is not local. Default: the provider's own. */
  reaches?(call: Call): string[];
  /** What is wrong with a configuration. Values may be unknown. */
  checkConfig?(config: Properties): Failure[];
  /** What is wrong with inputs; and the inputs with the provider's defaults. Values may be unknown. */
  check(
    call: Call,
    inputs: Properties,
    old: Properties | undefined,
  ): MaybePromise<{ failures?: Failure[]; inputs?: Properties }>;
  /** What a change of inputs means. New values may be unknown. */
  diff(call: Call, id: string, old: RecordedResource, inputs: Properties): MaybePromise<Diff>;
  /** Outputs that a create (`old` undefined) or an update would have, UNKNOWN where only the real one tells. */
  preview(
    call: Call,
    inputs: Properties,
    old: RecordedResource | undefined,
  ): MaybePromise<Properties>;
  create(call: Call, inputs: Properties): MaybePromise<{ id: string; outputs: Properties }>;
  /** Undefined when the resource is no longer there. `old.inputs` is empty when it is imported. */
  read(
    call: Call,
    id: string,
    old: RecordedResource,
  ): MaybePromise<(RecordedResource & { id?: string }) | undefined>;
  update(
    call: Call,
    id: string,
    old: RecordedResource,
    inputs: Properties,
  ): MaybePromise<Properties>;
  delete(call: Call, id: string, old: RecordedResource): MaybePromise<void>;
  /** Answer of a function, by its token: `aws:s3/getBucket:getBucket`. */
  invoke(call: Call, args: Properties): MaybePromise<Properties>;
}

/** A value, now or later. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * A create or an update that has changed something and then failed. The engine keeps the resource, with
 * these outputs, and the next `up` updates it.
 */
export class PartialFailure extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Properties,
  ) {
    super(message);
  }
}

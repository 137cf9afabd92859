import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  corefile,
  corefileBlock,
  patchCorefile,
} from "../../components/installation/kubernetes/corefile";
import { RealCluster } from "../../world/kubernetes/real/cluster";
import { CoreDns, CoreDnsSpec, OUTSIDE } from "../../world/kubernetes/real/coreDns";
import { KubernetesPrograms, prepareKubernetes } from "../../world/kubernetes/real/prepare";
import type { KubeObject } from "../../world/kubernetes/played/objects";
import { DnsDecision } from "../../world/kubernetes/played/corefile";
import { freePorts, returnPorts } from "../../world/processes/ports";
import {
  AKS,
  FENCED,
  K3S,
  namesOf,
  ODD,
  OPEN,
  OWN,
  OWN_NAME,
  PEER,
  PEER_ADDRESSES,
  PEER_NAME,
  PLAIN,
  SAMPLES,
  TO_PEER,
} from "../support/corefiles";
import { EKS_COREFILE, KUBEADM_COREFILE } from "../../world/kubernetes/shippedCorefiles";

type City = typeof OWN | typeof PEER;

/** The two clusters: addresses of their Services, of their pods, and at which their DNS is asked. */
const CITIES: Record<City, { services: string; pods: string; dns: string[] }> = {
  [OWN]: { services: "10.190.1", pods: "10.192.5", dns: ["10.192.255.4", "10.192.255.20"] },
  [PEER]: { services: "10.190.2", pods: "10.202.5", dns: PEER_ADDRESSES },
};
const BOTH = [OWN, PEER] as const;
const otherOf = (city: City): City => (city === OWN ? PEER : OWN);

const serviceName = (city: City) => `camunda-zeebe-gateway.${city}.svc.cluster.local`;
const podName = (city: City, index: number) =>
  `camunda-zeebe-${index}.camunda-zeebe.${city}.svc.cluster.local`;

/** What the played upstreams answer with behind their own address: how they were asked. */
const BY = { tcp: "192.0.2.6", udp: "192.0.2.17" };

// What is not as in a cluster is all in `onLoopback`: ports, addresses of loopback, the way to the API, and how
// often `reload` looks.
describe("CoreDNS, the real one", function () {
  this.timeout(300_000);
  let programs: KubernetesPrograms;
  let port: number;
  const clusters = new Map<City, RealCluster>();
  /** Everything beyond the cluster, and what others forward to. */
  let upstreams: CoreDns | undefined;
  let running: CoreDns[] = [];

  before(async () => {
    programs = await prepareKubernetes({ log: console.log });
    [port] = freePorts(1) as [number];
    const addresses = [OUTSIDE, "10.150.0.7", "10.150.0.8"];
    // All of them end before one that failed is thrown: what has started is then known, and is ended.
    const started = await Promise.allSettled([
      ...BOTH.map(async (city) => {
        const cluster = await RealCluster.start(programs, city, {});
        clusters.set(city, cluster);
        await cluster.create(objectsOf(city));
      }),
      CoreDns.start({
        program: programs.coreDns,
        port,
        addresses,
        corefile: upstream(addresses),
      }).then((dns) => (upstreams = dns)),
    ]);
    started.forEach((one) => {
      if (one.status === "rejected") {
        throw one.reason;
      }
    });
  });

  afterEach(async () => {
    await Promise.all(running.map((dns) => dns.stop()));
    running = [];
  });

  after(async () => {
    await upstreams?.stop();
    await Promise.all([...clusters.values()].map((cluster) => cluster.stop()));
    returnPorts([port]);
  });

  async function start(spec: Omit<CoreDnsSpec, "program" | "port">): Promise<CoreDns> {
    const dns = await CoreDns.start({ program: programs.coreDns, port, ...spec });
    running.push(dns);
    return dns;
  }

  /** The DNS of a cluster. */
  function startIn(city: City, text: string, files: Record<string, string> = {}): Promise<CoreDns> {
    const cluster = clusters.get(city) as RealCluster;
    const { dns: addresses } = CITIES[city];
    return start({ addresses, corefile: text, kubeconfig: cluster.kubeconfig, files });
  }

  for (const { what, text } of [
    {
      what: "the whole Corefile of EKS",
      text: (city: City, fenced: boolean) => corefile(peerNames(city, fenced)),
    },
    {
      what: "a Corefile with our block",
      text: (city: City, fenced: boolean) =>
        patchCorefile(KUBEADM_COREFILE, corefileBlock(peerNames(city, fenced))),
    },
  ]) {
    describe(`with ${what}`, () => {
      let dns: Record<City, CoreDns>;

      beforeEach(async () => {
        const [own, peer] = await Promise.all(BOTH.map((city) => startIn(city, text(city, false))));
        dns = { [OWN]: own, [PEER]: peer } as Record<City, CoreDns>;
      });

      it("finds the other region's pods and Services, both ways, and goes on with all else", async () => {
        for (const city of BOTH) {
          for (const of of BOTH) {
            const { services, pods } = CITIES[of];
            assert.deepEqual(await dns[city].ask(serviceName(of)), [`${services}.10`]);
            for (const index of [0, 1]) {
              assert.deepEqual(await dns[city].ask(podName(of, index)), [`${pods}.${index}`]);
            }
            assert.deepEqual(await dns[city].ask(podName(of, 2)), ["ENOTFOUND"]);
          }
          const other = `camunda-zeebe-gateway.elsewhere.svc.cluster.local`;
          assert.deepEqual(await dns[city].ask(other), ["ENOTFOUND"]);
          assert.deepEqual(await dns[city].ask("www.example.org"), [OUTSIDE, BY.udp]);
        }
      });

      it("says under the fence that names do not exist, and finds them when it opens", async () => {
        assert.deepEqual(await dns[OWN].ask(podName(PEER, 0)), [`${CITIES[PEER].pods}.0`]);
        await changed(dns[OWN], text(OWN, true));
        // Also of a name that it has answered for before.
        for (const name of [podName(PEER, 0), serviceName(PEER)]) {
          assert.deepEqual(await dns[OWN].ask(name), ["ENOTFOUND"]);
        }
        assert.deepEqual(await dns[OWN].ask(serviceName(OWN)), [`${CITIES[OWN].services}.10`]);
        assert.deepEqual(await dns[OWN].ask("www.example.org"), [OUTSIDE, BY.udp]);
        await changed(dns[OWN], text(OWN, false));
        assert.deepEqual(await dns[OWN].ask(podName(PEER, 0)), [`${CITIES[PEER].pods}.0`]);
      });
    });
  }

  it("waits for a region that is lost, and under the fence does not", async () => {
    const dns = await startIn(OWN, corefile(peerNames(OWN, false)));
    const peer = await startIn(PEER, corefile(peerNames(PEER, false)));
    await peer.freeze();
    const open = await timed(() => dns.ask(podName(PEER, 0)));
    assert.deepEqual(open.answer, ["ESERVFAIL"]);
    await changed(dns, corefile(peerNames(OWN, true)));
    const fenced = await timed(() => dns.ask(podName(PEER, 0)));
    assert.deepEqual(fenced.answer, ["ENOTFOUND"]);
    assert.ok(fenced.ms < open.ms, `${fenced.ms} ms under the fence, ${open.ms} ms without`);
    peer.thaw();
    await changed(dns, corefile(peerNames(OWN, false)));
    assert.deepEqual(await dns.ask(podName(PEER, 0)), [`${CITIES[PEER].pods}.0`]);
  });

  describe("that loads changes", () => {
    it("does it without a gap, and goes on as before with one that it cannot load", async () => {
      const dns = await startIn(OWN, patchCorefile(EKS_COREFILE, FENCED));
      const answers = new Set<string>();
      let asked = 0;
      let done = false;
      const asking = (async () => {
        while (!done) {
          answers.add((await dns.ask(serviceName(OWN))).join());
          asked++;
          await sleep(5);
        }
      })();
      try {
        await changed(dns, patchCorefile(EKS_COREFILE, OPEN));
        for (const broken of [`${EKS_COREFILE}${OPEN}${OPEN}`, `${EKS_COREFILE}a.b:53 {\n`]) {
          const from = dns.printed.length;
          dns.write(broken);
          await Promise.race([
            dns.untilPrinted("Corefile changed but reload failed", from),
            dns.untilPrinted("Corefile parse failed", from),
          ]);
          assert.ok(await dns.passesProbes(), broken);
        }
        await changed(dns, patchCorefile(EKS_COREFILE, FENCED));
        assert.ok(await dns.passesProbes());
        assert.deepEqual(await dns.ask(PEER_NAME), ["ENOTFOUND"]);
      } finally {
        done = true;
        await asking;
      }
      assert.deepEqual([...answers], [`${CITIES[OWN].services}.10`]);
      assert.ok(asked > 100, `${asked} questions`);
    });

    it("does not start with one that it cannot load", async () => {
      await assert.rejects(startIn(OWN, `${EKS_COREFILE}${OPEN}${OPEN}`), /it is already defined/);
    });

    it("does not look for any where only another plugin has a line reload", async () => {
      const hosts = "    hosts NodeHosts {\n        reload 15s\n        fallthrough\n    }\n";
      const looks = /plugin\/reload: Running configuration/;
      const text = EKS_COREFILE.replace("    reload\n", hosts);
      assert.doesNotMatch((await startIn(OWN, text)).printed, looks);
      assert.match((await startIn(PEER, EKS_COREFILE)).printed, looks);
    });
  });

  describe("that imports what is ours from a file beside it", () => {
    for (const [whose, text] of [
      ["AKS", AKS],
      ["k3s", K3S],
    ] as const) {
      it(`takes our server and its changes: ${whose}`, async () => {
        const file = "custom/camunda-dual-region.server";
        const files = { [file]: FENCED, "custom/theirs.override": "    log\n" };
        const dns = await startIn(OWN, text, files);
        await startIn(PEER, PLAIN);
        assert.deepEqual(await dns.ask(PEER_NAME), ["ENOTFOUND"]);
        await changed(dns, OPEN, file);
        assert.deepEqual(await dns.ask(PEER_NAME), [`${CITIES[PEER].pods}.0`]);
        assert.deepEqual(await dns.ask(OWN_NAME), [`${CITIES[OWN].services}.10`]);
      });
    }
  });

  describe("with a Corefile of somebody else's", () => {
    let dns: CoreDns;

    beforeEach(async () => {
      await start({ addresses: PEER_ADDRESSES, corefile: upstream(PEER_ADDRESSES) });
      dns = await startIn(OWN, EKS_COREFILE);
    });

    async function expectNames(names: Record<string, DnsDecision>): Promise<void> {
      for (const [name, expected] of Object.entries(names)) {
        const answer = await dns.ask(name);
        assert.ok(
          answersTo(expected).some((one) => one.join() === answer.join()),
          `${name}: ${answer.join(" ")}, and not ${JSON.stringify(expected)}`,
        );
      }
    }

    it("does what is known of it, with our block around theirs and after it", async () => {
      for (const sample of [...SAMPLES, ...ODD]) {
        const { what, text, loads, refused } = sample;
        const why = await dns.load(text);
        assert.equal(why === undefined, loads, `${what}: ${why}`);
        const names = namesOf(sample);
        if (loads) {
          await expectNames(names).catch(because(what));
        }
        if (ODD.includes(sample)) {
          continue;
        }
        if (refused !== undefined) {
          const loaded = await dns.load(`${text}\n${OPEN}`);
          assert.notEqual(loaded, undefined, `${what}: it loads with our block`);
          continue;
        }
        const ours = patchCorefile(text, OPEN);
        assert.equal(await dns.load(ours), undefined, what);
        await expectNames({ ...names, [PEER_NAME]: TO_PEER }).catch(because(what));
        const fenced = patchCorefile(ours, FENCED);
        assert.equal(await dns.load(fenced), undefined, what);
        const none: DnsDecision = { kind: "code", code: "NXDOMAIN" };
        await expectNames({ ...names, [PEER_NAME]: none }).catch(because(what));
        assert.equal(patchCorefile(fenced, undefined), text, what);
      }
    });
  });

  it("asks no server of ours where theirs alone is bound to the address", async () => {
    const bound = PLAIN.replace("    errors\n", "    bind 10.150.0.9\n    errors\n");
    assert.throws(() => patchCorefile(bound, OPEN), /without "bind"/);
    await start({ addresses: PEER_ADDRESSES, corefile: upstream(PEER_ADDRESSES) });
    const dns = await startIn(OWN, `${bound}${OPEN}`);
    assert.equal((await dns.ask(PEER_NAME))[1], BY.tcp);
    assert.deepEqual(await dns.ask(PEER_NAME, "10.150.0.9"), ["ENOTFOUND"]);
    assert.deepEqual(await dns.ask(OWN_NAME, "10.150.0.9"), [`${CITIES[OWN].services}.10`]);
  });
});

function peerNames(city: City, fenced: boolean) {
  const peer = otherOf(city);
  return { peerNamespace: peer, peerAddresses: CITIES[peer].dns, fenced };
}

/** Changes a Corefile, and waits until `reload` has loaded it. */
async function changed(dns: CoreDns, text: string, path?: string): Promise<void> {
  const from = dns.printed.length;
  dns.write(text, path);
  await dns.untilPrinted("Reloading complete", from);
}

async function timed<T>(what: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const began = performance.now();
  const answer = await what();
  return { answer, ms: Math.round(performance.now() - began) };
}

function because(what: string) {
  return (error: Error): never => {
    throw new Error(`${what}: ${error.message}`, { cause: error });
  };
}

/** What is seen of a decision from outside. */
function answersTo(decision: DnsDecision): string[][] {
  switch (decision.kind) {
    case "cluster":
      return [[`${CITIES[OWN].services}.10`]];
    case "outside":
      return [[OUTSIDE, BY.udp]];
    case "forward":
      return decision.addresses.map((address) => [address, decision.tcp ? BY.tcp : BY.udp]);
    case "code":
      return [[{ NXDOMAIN: "ENOTFOUND" }[decision.code] ?? `E${decision.code}`]];
  }
}

/** Servers that answer every question with the address at which they were asked, and how. */
function upstream(addresses: readonly string[]): string {
  return addresses
    .flatMap((address) =>
      (["tcp", "udp"] as const).map(
        (protocol) => `. {
    bind ${address}
    view ${protocol} {
        expr proto() == '${protocol}'
    }
    template IN A . {
        answer "{{ .Name }} 60 IN A ${address}"
        answer "{{ .Name }} 60 IN A ${BY[protocol]}"
    }
}
`,
      ),
    )
    .join("");
}

/** Of a region's namespace what its DNS knows: a Service with an address, and one of brokers without. */
function objectsOf(city: City): KubeObject[] {
  const { services, pods } = CITIES[city];
  const names = { metadata: { namespace: city } };
  const ports = [{ name: "internal", port: 26502, protocol: "TCP" }];
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: city } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...names.metadata, name: "camunda-zeebe-gateway" },
      spec: { clusterIP: `${services}.10`, ports },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...names.metadata, name: "camunda-zeebe" },
      spec: { clusterIP: "None", publishNotReadyAddresses: true, ports },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        ...names.metadata,
        name: "camunda-zeebe-1",
        labels: { "kubernetes.io/service-name": "camunda-zeebe" },
      },
      addressType: "IPv4",
      ports,
      endpoints: [0, 1].map((index) => ({
        addresses: [`${pods}.${index}`],
        hostname: `camunda-zeebe-${index}`,
        conditions: { ready: true },
      })),
    },
  ];
}

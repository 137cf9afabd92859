import { corefileBlock } from "../../components/installation/kubernetes/corefile";
import type { DnsDecision } from "../../world/kubernetes/played/corefile";
import { EKS_COREFILE, KUBEADM_COREFILE } from "../../world/kubernetes/shippedCorefiles";

/** A Corefile of somebody else, and what is known of it. */
export interface Sample {
  what: string;
  text: string;
  /** What happens with names of theirs: as it is, and with our block. */
  names?: Record<string, DnsDecision>;
  /** Whether CoreDNS loads it. */
  loads: boolean;
  /** Why our block is not put in, with which CoreDNS would not load it; not there: it is put in. */
  refused?: RegExp;
}

/** The region in whose cluster the samples are, and the other one. */
export const OWN = "camunda-london";
export const PEER = "camunda-paris";

export const PEER_ADDRESSES = ["10.202.255.4", "10.202.255.20"];

export const OPEN = corefileBlock({
  peerNamespace: PEER,
  peerAddresses: PEER_ADDRESSES,
  fenced: false,
});
export const FENCED = corefileBlock({
  peerNamespace: PEER,
  peerAddresses: PEER_ADDRESSES,
  fenced: true,
});

/** What our block does with a name of the other region. */
export const TO_PEER: DnsDecision = { kind: "forward", addresses: PEER_ADDRESSES, tcp: true };

export const OWN_NAME = `camunda-zeebe-gateway.${OWN}.svc.cluster.local`;
export const PEER_NAME = `camunda-zeebe-0.camunda-zeebe.${PEER}.svc.cluster.local`;

const OUTSIDE: DnsDecision = { kind: "outside" };
const toThem = (address: string): DnsDecision => ({
  kind: "forward",
  addresses: [address],
  tcp: false,
});

/** One server, as most have it, and without its end. */
export const PLAIN = EKS_COREFILE;
const HEAD = PLAIN.replace(/}\n$/, "");

/** As AKS ships it: what is ours goes into a file beside it. */
export const AKS = `.:53 {
    errors
    ready
    health {
      lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
      ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
    template ANY ANY internal.cloudapp.net {
      match "^(?:[^.]+\\.){4,}internal\\.cloudapp\\.net\\.$"
      rcode NXDOMAIN
      fallthrough
    }
    template ANY ANY reddog.microsoft.com {
      rcode NXDOMAIN
    }
}
import custom/*.server
`;

/** As k3s ships it. */
export const K3S = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
}
import /etc/coredns/custom/*.server
`;

const SERVED = /serves camunda-paris\.svc\.cluster\.local itself/;
const UNREADABLE = /^CoreDNS cannot read the Corefile \(line \d+: .*\) and runs with an older one/;
const NO_ROOM = /every server in it must have its own \{ and \}$/;

export const SAMPLES: Sample[] = [
  { what: "EKS's", text: EKS_COREFILE, loads: true },
  { what: "kubeadm's", text: KUBEADM_COREFILE, loads: true },
  {
    what: "AKS's, whose file beside it is the place for ours",
    text: AKS,
    loads: true,
    names: {
      "a.b.c.d.internal.cloudapp.net": { kind: "code", code: "NXDOMAIN" },
      "vm.internal.cloudapp.net": OUTSIDE,
      "x.reddog.microsoft.com": { kind: "code", code: "NXDOMAIN" },
    },
  },
  { what: "k3s's, whose file beside it is the place for ours", text: K3S, loads: true },
  {
    what: "one with servers of others and stub domains, several zones in one, over several lines",
    text: `${PLAIN}corp.example:53 {
    errors
    cache 30
    forward . 10.150.0.7
}
lab.example, test.lab.example:53,
stage.lab.example:53 {
    errors
    forward . 10.150.0.8 {
        max_fails 3
    }
}
`,
    loads: true,
    names: {
      "db.corp.example": toThem("10.150.0.7"),
      "db.lab.example": toThem("10.150.0.8"),
      "db.stage.lab.example": toThem("10.150.0.8"),
    },
  },
  {
    what: "one whose stub domain is in the first server, with names that are left out",
    text: PLAIN.replace(
      "    forward .",
      "    forward corp.example 10.150.0.7 {\n        except public.corp.example\n    }\n    forward .",
    ),
    loads: true,
    names: {
      "db.corp.example": toThem("10.150.0.7"),
      "www.public.corp.example": OUTSIDE,
    },
  },
  {
    what: "one with line ends of Windows",
    text: `${PLAIN}corp.example:53 {\n    forward . 10.150.0.7\n}\n`.replace(/\n/g, "\r\n"),
    loads: true,
    names: { "db.corp.example": toThem("10.150.0.7") },
  },
  { what: "one whose last line has no end", text: `${HEAD}}`, loads: true },
  {
    what: "one whose last line is a comment without an end",
    text: `${PLAIN}# } the end {`,
    loads: true,
  },
  {
    what: "one that begins with a byte order mark",
    text: `\uFEFF# of Windows\n${PLAIN}`,
    loads: true,
  },
  {
    what: "one with braces, quotes and our zone in comments",
    text: `# ${PEER}.svc.cluster.local:53 {
# " {
${HEAD}    # } and "
} # { end
# }
`,
    loads: true,
  },
  {
    what: "one in which a comment follows a word at once",
    text: `${PLAIN}corp.example:53 {
    errors#{
    forward . 10.150.0.7#}
}#{
`,
    loads: true,
    names: { "db.corp.example": toThem("10.150.0.7") },
  },
  {
    what: "one with snippets",
    text: `(resolved) {
    errors
    cache 30
}
${PLAIN}corp.example:53 {
    import resolved
    forward . 10.150.0.7
}
`,
    loads: true,
    names: { "db.corp.example": toThem("10.150.0.7") },
  },
  {
    what: "one with braces, hashes and line ends in quotes",
    text: `${HEAD}    template IN A made.example {
        match "^[a-z]{1,3}[.]made[.]example[.]$"
        rcode REFUSED
        fallthrough
    }
    template IN TXT made.example {
        answer "{{ .Name }} 60 IN TXT \\"} # {
\\""
    }
}
`,
    loads: true,
    names: {
      "abc.made.example": { kind: "code", code: "REFUSED" },
      "abcd.made.example": OUTSIDE,
    },
  },
  {
    what: "one that names our zone in a setting",
    text: `${HEAD}    log ${PEER}.svc.cluster.local
}
`,
    loads: true,
  },
  {
    what: "one that serves our zone on another port and over TLS",
    text: `${PLAIN}${PEER}.svc.cluster.local:1053 {
    errors
}
`,
    loads: true,
  },
  {
    what: "one that serves our zone in capitals, which is nobody's",
    text: `${PLAIN}${PEER.toUpperCase()}.svc.cluster.local:53 {
    errors
}
`,
    loads: true,
  },
  {
    what: "one that serves names which end like ours",
    text: `${PLAIN}old-${PEER}.svc.cluster.local:53 {
    forward . 10.150.0.7
}
`,
    loads: true,
    names: { [`a.old-${PEER}.svc.cluster.local`]: toThem("10.150.0.7") },
  },
  {
    what: "one whose cluster has a server of its own",
    text: `${HEAD.replace(/ {4}kubernetes[^}]*}\n/, "")}}
cluster.local:53 {
    errors
    kubernetes
}
`,
    loads: true,
  },
  {
    what: "one with settings that have no next line",
    text: `.:53 { errors
    kubernetes cluster.local
    forward . /etc/resolv.conf
    reload
}
`,
    loads: true,
  },
  ...[
    `${PEER}.svc.cluster.local:53`,
    `${PEER}.svc.cluster.local`,
    `${PEER}.svc.cluster.local.:53`,
    `dns://${PEER}.svc.cluster.local`,
    `corp.example, ${PEER}.svc.cluster.local:053`,
    `corp.example,\n${PEER}.svc.cluster.local`,
  ].map((keys) => ({
    what: `one that serves our zone: ${keys.replace("\n", " ")}`,
    text: `${PLAIN}${keys} {\n    errors\n}\n`,
    loads: true,
    refused: SERVED,
  })),
  {
    what: "one that serves our zone out of a snippet",
    text: `(zone) {
${PEER}.svc.cluster.local {
    errors
}
}
${PLAIN}import zone
`,
    loads: true,
    refused: SERVED,
  },
  {
    what: "one without the last brace, which CoreDNS forgives",
    text: `.:53 {
    reload
    kubernetes cluster.local
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
`,
    loads: true,
    refused: NO_ROOM,
  },
  {
    what: "one server without braces",
    text: `.:53\nerrors\nreload\nkubernetes cluster.local\nforward . /etc/resolv.conf\n`,
    loads: true,
    refused: NO_ROOM,
  },
  {
    what: "one without a brace that must be there",
    text: HEAD,
    loads: false,
    refused: UNREADABLE,
  },
  {
    what: "one with a brace that closes nothing",
    text: `.:53 {\n    errors }\n    reload\n}\n`,
    loads: false,
    refused: UNREADABLE,
  },
];

/** Corefiles that nobody would write, and what CoreDNS makes of them: for the judge of the played world. */
export const ODD: Sample[] = [
  { what: "a zone that is served twice", text: `${PLAIN}. {\n    errors\n}\n`, loads: false },
  { what: "a plugin that there is not", text: ".:53 {\n    fowrard . 10.0.0.1\n}\n", loads: false },
  {
    what: "an upstream that is a name",
    text: ".:53 {\n    forward . dns.example\n}\n",
    loads: false,
  },
  { what: "a brace that clings to a zone", text: ".:53{\n    errors\n}\n", loads: false },
  { what: "a comma at the end of the zones", text: "a.example, {\n    errors\n}\n", loads: false },
  { what: "a snippet that is there twice", text: `(a) {\n}\n(a) {\n}\n${PLAIN}`, loads: false },
  { what: "an import of nothing", text: `.:53 {\n    import\n}\n`, loads: false },
  {
    what: "zones with a comma and no space, which are one",
    text: "a.example:53,b.example:53 {\n    forward . 10.150.0.7\n}\n",
    loads: true,
    names: {
      [OWN_NAME]: { kind: "code", code: "REFUSED" },
      "www.example.org": { kind: "code", code: "REFUSED" },
      "x.a.example": { kind: "code", code: "REFUSED" },
    },
  },
  {
    what: "a server without a plugin that answers",
    text: `${PLAIN}a.example:53 {\n    reload\n}\nb.example:53 {\n    errors\n}\n`,
    loads: true,
    names: {
      "x.a.example": { kind: "code", code: "REFUSED" },
      "x.b.example": { kind: "code", code: "SERVFAIL" },
    },
  },
];

/** What happens with names by a Corefile that is loaded. */
export function namesOf({ names }: Sample): Record<string, DnsDecision> {
  return { [OWN_NAME]: { kind: "cluster" }, "www.example.org": OUTSIDE, ...names };
}

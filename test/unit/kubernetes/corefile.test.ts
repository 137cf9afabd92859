import assert from "node:assert/strict";
import fc from "fast-check";
import {
  blockIn,
  corefile,
  corefileBlock,
  patchCorefile,
} from "../../../components/kubernetes/corefile";

const names = {
  peerNamespace: "camunda-paris",
  peerAddresses: ["10.202.255.4", "10.202.255.20", "10.202.255.36"],
  fenced: false,
};

const OPEN = `camunda-paris.svc.cluster.local:53 {
    errors
    cache 30
    forward . 10.202.255.4 10.202.255.20 10.202.255.36 {
        force_tcp
        max_fails 2
        expire 10s
    }
}
`;

const FENCED = `camunda-paris.svc.cluster.local:53 {
    errors
    template IN ANY camunda-paris.svc.cluster.local {
        rcode NXDOMAIN
    }
}
`;

const THEIRS = `.:53 {
    errors
    ready
    kubernetes cluster.local
    forward . /etc/resolv.conf
    reload
}
`;

describe("Corefile", () => {
  it("of EKS is the add-on's own with the block of the other region behind it", () => {
    assert.equal(
      corefile(names),
      `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
${OPEN}`,
    );
  });

  it("answers at once under a fence, and asks nobody", () => {
    assert.equal(corefileBlock({ ...names, fenced: true }), FENCED);
  });

  it("has balanced braces and no address under a fence, whatever the names", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/),
        fc.array(fc.ipV4(), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (peerNamespace, peerAddresses, fenced) => {
          const block = corefileBlock({ peerNamespace, peerAddresses, fenced });
          assert.equal(block.split("{").length, block.split("}").length);
          peerAddresses.forEach((address) => assert.equal(block.includes(` ${address} `), !fenced));
        },
      ),
    );
  });
});

describe("a Corefile that is not ours", () => {
  const patched = patchCorefile(THEIRS, OPEN);

  it("gets the block between two marks, and keeps the rest", () => {
    assert.equal(
      patched,
      `${THEIRS}# BEGIN camunda-dual-region\n${OPEN}# END camunda-dual-region\n`,
    );
    assert.equal(blockIn(patched), OPEN);
    assert.equal(blockIn(THEIRS), undefined);
  });

  it("is not changed by the same block again, and changed by another", () => {
    assert.equal(patchCorefile(patched, OPEN), patched);
    const fenced = patchCorefile(patched, FENCED);
    assert.equal(blockIn(fenced), FENCED);
    assert.equal(fenced.includes("forward . 10.202"), false);
  });

  it("is as it was when the block is taken out, wherever others have added theirs", () => {
    assert.equal(patchCorefile(patched, undefined), THEIRS);
    const more = `${patched}example.org:53 {\n    forward . 10.0.0.1\n}\n`;
    const after = patchCorefile(patchCorefile(more, FENCED), undefined);
    assert.equal(after, `${THEIRS}example.org:53 {\n    forward . 10.0.0.1\n}\n`);
  });

  it("comes back whole for any text of others (property)", () => {
    const line = fc.stringMatching(/^[a-z0-9 .:{}]{0,20}$/);
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const text = (lines: string[]) => lines.map((one) => `${one}\n`).join("");
        const theirs = text(before);
        const once = patchCorefile(theirs, OPEN);
        assert.equal(patchCorefile(once, OPEN), once);
        const between = once + text(after);
        assert.equal(patchCorefile(between, undefined), theirs + text(after));
        assert.equal(blockIn(patchCorefile(between, FENCED)), FENCED);
      }),
    );
  });

  for (const [what, text] of [
    ["the first mark only", `${THEIRS}# BEGIN camunda-dual-region\n${OPEN}`],
    ["the second mark only", `${THEIRS}${OPEN}# END camunda-dual-region\n`],
    ["the marks in the wrong order", `# END camunda-dual-region\n# BEGIN camunda-dual-region\n`],
    ["the marks twice", patchCorefile(THEIRS, OPEN) + patchCorefile("", FENCED)],
  ] as const) {
    it(`is refused with ${what}`, () => {
      for (const block of [OPEN, undefined]) {
        assert.throws(
          () => patchCorefile(text, block),
          (error: Error) =>
            /^the Corefile has "# BEGIN .* by hand$/.test(error.message) &&
            !error.message.includes("\n"),
        );
      }
    });
  }

  for (const theirs of [
    OPEN,
    "camunda-paris.svc.cluster.local {\n}\n",
    "other.example:53, camunda-paris.svc.cluster.local.:53 {\n}\n",
  ]) {
    it(`is refused when the zone is served by somebody else: ${JSON.stringify(theirs.slice(0, 60))}`, () => {
      assert.throws(
        () => patchCorefile(`${THEIRS}${theirs}`, OPEN),
        /serves camunda-paris\.svc\.cluster\.local:53 already/,
      );
    });
  }

  it("is not refused for a zone in a comment or one that ends alike", () => {
    const theirs = `# camunda-paris.svc.cluster.local:53 {\nold-camunda-paris.svc.cluster.local:53 {\n}\n`;
    assert.equal(blockIn(patchCorefile(theirs, OPEN)), OPEN);
  });
});

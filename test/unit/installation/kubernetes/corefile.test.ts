import assert from "node:assert/strict";
import fc from "fast-check";
import {
  blockIn,
  corefile,
  corefileBlock,
  patchCorefile,
} from "../../../../components/installation/kubernetes/corefile";
import { EKS_COREFILE } from "../../../../world/kubernetes/shippedCorefiles";
import { FENCED as SAMPLE_FENCED, OPEN as SAMPLE_OPEN, SAMPLES } from "../../../support/corefiles";

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
    const words = (text: string) => text.replace(/^ +/gm, "");
    assert.equal(words(corefile(names)), words(EKS_COREFILE + OPEN));
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

  it("that an editor has given other line ends has our block in it", () => {
    const converted = patched.replace(/\n/g, "\r\n");
    assert.equal(blockIn(converted), OPEN);
    assert.equal(patchCorefile(converted, OPEN), converted);
    assert.equal(patchCorefile(converted, undefined), THEIRS.replace(/\n/g, "\r\n"));
  });

  it("comes back whole for any text of others (property)", () => {
    const theirs = fc
      .array(fc.constantFrom("# a {\n", "\n", "a.b {\n}\n", "x, y {\r\n}\r\n", " "))
      .map((parts) => THEIRS + parts.join(""));
    fc.assert(
      fc.property(theirs, theirs, fc.boolean(), (before, after, fenced) => {
        const once = patchCorefile(before, OPEN);
        assert.equal(patchCorefile(once, OPEN), once);
        assert.equal(patchCorefile(once, undefined), before);
        const block = fenced ? FENCED : OPEN;
        const more = patchCorefile(`${once}\n${after}`, block);
        assert.equal(blockIn(more), block);
        assert.equal(patchCorefile(more, undefined), `${before}\n${after}`);
      }),
    );
  });

  for (const { what, text, refused } of SAMPLES) {
    it(`${refused ? "is refused" : "gets the block and gives it back"}: ${what}`, () => {
      if (refused !== undefined) {
        refusedWith(() => patchCorefile(text, SAMPLE_OPEN), refused);
        return;
      }
      const ours = patchCorefile(text, SAMPLE_OPEN);
      assert.equal(blockIn(ours), SAMPLE_OPEN);
      assert.equal(blockIn(patchCorefile(ours, SAMPLE_FENCED)), SAMPLE_FENCED);
      assert.equal(patchCorefile(patchCorefile(ours, SAMPLE_FENCED), undefined), text);
    });
  }

  for (const [what, text] of [
    ["the first mark only", `${THEIRS}# BEGIN camunda-dual-region\n${OPEN}`],
    ["the second mark only", `${THEIRS}${OPEN}# END camunda-dual-region\n`],
    ["the marks in the wrong order", `# END camunda-dual-region\n# BEGIN camunda-dual-region\n`],
    ["the marks twice", patched + patched],
  ] as const) {
    it(`is refused with ${what}`, () => {
      for (const block of [OPEN, undefined]) {
        refusedWith(() => patchCorefile(text, block), /^the Corefile has "# BEGIN .* by hand$/);
      }
    });
  }

  it("is refused with the marks inside of a server", () => {
    const inside = THEIRS.replace(
      "    reload\n",
      "    # BEGIN camunda-dual-region\n    # END camunda-dual-region\n    reload\n",
    );
    refusedWith(() => patchCorefile(inside, OPEN), /cannot be added to the Corefile/);
    assert.equal(patchCorefile(inside, undefined), THEIRS);
  });

  for (const [what, text] of [
    ["is on another port", THEIRS.replace(".:53", ".:1053")],
    ["is bound to addresses", THEIRS.replace("errors", "bind 10.0.0.10")],
    ["is not there", "cluster.local:53 {\n    reload\n}\n"],
  ] as const) {
    it(`is refused where the server that pods ask ${what}: ours would not be asked`, () => {
      refusedWith(() => patchCorefile(text, OPEN), /has no "\.:53" without "bind"/);
    });
  }
});

function refusedWith(patch: () => string, expected: RegExp): void {
  assert.throws(patch, (error: Error) => {
    assert.match(error.message, expected);
    assert.ok(error.message.length <= 160, `${error.message.length}: ${error.message}`);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

import assert from "node:assert/strict";
import { Refusal } from "../../../components/base/refusal";
import { Refused, Unreachable } from "../../../components/clients/http";
import {
  asked,
  DeadlineExceeded,
  limited,
  LimitPassed,
  Seen,
  waitFor,
} from "../../../components/clients/poll";
import { failureOf } from "../../support/failure";

const silent = () => undefined;

/** A probe that sees these, one after the other, then the last for ever. */
function sees<T>(...answers: (Seen<T> | Error)[]) {
  let count = 0;
  const probe = async (): Promise<Seen<T>> => {
    const answer = answers[Math.min(count, answers.length - 1)] as Seen<T> | Error;
    count += 1;
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  };
  return { probe, asked: () => count };
}

/** Lets a test say how much time passes. */
async function withClock(test: (pass: (seconds: number) => void) => Promise<void>): Promise<void> {
  const { now } = Date;
  let passed = 0;
  Date.now = () => passed;
  try {
    await test((seconds) => (passed += seconds * 1000));
  } finally {
    Date.now = now;
  }
}

describe("poll", () => {
  it("returns at once when the thing is done already", async () => {
    const { probe, asked } = sees({ done: true, value: 7 });
    assert.equal(await waitFor("it", 0.001, silent, probe), 7);
    assert.equal(asked(), 1);
  });

  it("probes until the thing is done", async () => {
    const { probe, asked } = sees({ done: false, seen: "no" }, { done: true, value: "yes" });
    assert.equal(await waitFor("it", 5, silent, probe), "yes");
    assert.equal(asked(), 2);
  });

  it("says at the deadline what it waited for, how long, and what it saw last", async () => {
    const { probe } = sees({ done: false, seen: "first" }, { done: false, seen: "last" });
    const error = await failureOf(waitFor("the flood", 0.1, silent, probe));
    assert.ok(error instanceof DeadlineExceeded);
    assert.equal(error.message, "waited 0.1 s for the flood; last seen: last");
    assert.equal(error.lastSeen, "last");
  });

  it("refuses at the deadline with what the caller makes of the last thing seen", async () => {
    const { probe } = sees({ done: false, seen: "first" }, { done: false, seen: "last" });
    const refuse = (last: string, seconds: number) => `no flood: ${last} (waited ${seconds} s)`;
    const error = await failureOf(waitFor("the flood", 0.1, silent, probe, { refuse }));
    assert.ok(error instanceof Refusal);
    assert.equal(error.message, "no flood: last (waited 0.1 s)");
  });

  it("says what it waited for when the caller has no refusal for what was seen", async () => {
    const { probe } = sees({ done: false, seen: "odd" });
    const error = await failureOf(waitFor("it", 0.05, silent, probe, { refuse: () => undefined }));
    assert.ok(error instanceof DeadlineExceeded);
  });

  it("makes no refusal of an error of the probe", async () => {
    const refused = new Refused("GET /a", 400, "no such thing");
    const refuse = () => assert.fail("the time has not run out");
    const error = await failureOf(waitFor("it", 5, silent, sees(refused).probe, { refuse }));
    assert.equal(error, refused);
  });

  it("ends a wait at the limit of the work that it is part of, however deep", async () => {
    const begin = Date.now();
    const error = await failureOf(
      limited(begin + 100, async () => {
        await Promise.resolve();
        return waitFor("it", 60, silent, sees({ done: false, seen: "no" }).probe);
      }),
    );
    assert.ok(error instanceof LimitPassed);
    assert.equal(error.message, "no time is left to wait for it");
    assert.ok(Date.now() - begin < 2_000);
  });

  it("does not even look past the limit, outside of it as ever", async () => {
    const { probe, asked: looks } = sees({ done: true, value: 7 });
    const past = Date.now() - 1;
    const error = await failureOf(limited(past, () => asked("it", silent, probe)));
    assert.ok(error instanceof LimitPassed);
    assert.equal(looks(), 0);
    assert.equal(await waitFor("it", 5, silent, probe), 7);
  });

  it("looks once more at the deadline itself", async () => {
    const begin = Date.now();
    const error = await failureOf(
      waitFor("it", 0.12, silent, async () => ({ done: false, seen: `${Date.now() - begin}` })),
    );
    assert.ok(Number((error as DeadlineExceeded).lastSeen) >= 119);
  });

  it("looks again when the probe says that there may be something new, but not after the deadline", async () => {
    const later = sees({ done: false, seen: "no", againMs: 300 }, { done: true, value: 1 });
    const begin = performance.now();
    assert.equal(await waitFor("it", 5, silent, later.probe), 1);
    assert.ok(performance.now() - begin >= 299);
    const never = sees({ done: false, seen: "no", againMs: 60_000 });
    await assert.rejects(waitFor("it", 0.05, silent, never.probe), /last seen: no/);
  });

  it("counts a server that does not answer as not yet", async () => {
    const gone = new Unreachable("http://a", "ECONNREFUSED");
    const { probe } = sees<number>(gone, { done: true, value: 1 });
    assert.equal(await waitFor("it", 5, silent, probe), 1);
    await assert.rejects(
      waitFor("it", 0.05, silent, sees(gone).probe),
      /last seen: http:\/\/a does not answer \(ECONNREFUSED\)/,
    );
  });

  for (const error of [400, 409, 301].map((status) => new Refused("GET /a", status, "no"))) {
    it(`ends at an answer of ${error.status}`, async () => {
      const { probe, asked } = sees(error);
      assert.equal(await failureOf(waitFor("it", 5, silent, probe)), error);
      assert.equal(asked(), 1);
    });
  }

  for (const status of [404, 408, 429, 500, 502, 503, 504, 200, 202]) {
    it(`counts an answer of ${status} that is not what was asked for as not yet`, async () => {
      const passing = new Refused("GET /a", status, "moved");
      const { probe } = sees<number>(passing, passing, { done: true, value: 1 });
      assert.equal(await waitFor("it", 5, silent, probe), 1);
    });
  }

  it("says at the deadline since when the same answer lasts", async () => {
    await withClock(async (pass) => {
      const statuses = [503, 404, 404, 404];
      const probe = async (): Promise<Seen<void>> => {
        pass(20);
        throw new Refused("GET /a", statuses.shift() ?? 404, "starting");
      };
      await assert.rejects(
        waitFor("it", 60, silent, probe),
        /^DeadlineExceeded: waited 60 s for it; last seen: answered 404 for 20 s: GET \/a: starting$/,
      );
    });
  });

  it("bears refused credentials for as long as a token takes to be exchanged, no longer", async () => {
    const refused = new Refused("GET /a", 401, "who are you");
    const passing = sees<number>(refused, refused, { done: true, value: 1 });
    assert.equal(await waitFor("it", 60, silent, passing.probe), 1);
    for (const lasting of [refused, new Refused("GET /a", 403, "not you")]) {
      await withClock(async (pass) => {
        let looks = 0;
        const probe = async (): Promise<Seen<void>> => {
          looks += 1;
          pass(1);
          throw lasting;
        };
        assert.equal(await failureOf(waitFor("it", 60, silent, probe)), lasting);
        assert.equal(looks, 4);
      });
    }
  });

  it("asks a single question again while what stands in its way may pass, and throws that at the end", async () => {
    const starting = new Refused("GET /a", 503, "starting");
    const ask = (...answers: (number | Error)[]) => {
      let count = 0;
      return async () => {
        const answer = answers[Math.min(count++, answers.length - 1)] as number | Error;
        if (answer instanceof Error) {
          throw answer;
        }
        return answer;
      };
    };
    const gone = new Unreachable("http://a", "ECONNREFUSED");
    assert.equal(await asked("it", silent, ask(starting, gone, 7)), 7);
    assert.equal(await failureOf(asked("it", silent, ask(starting), 0.2)), starting);
    assert.equal(await failureOf(asked("it", silent, ask(gone), 0)), gone);
    const refused = new Refused("GET /a", 400, "no");
    assert.equal(await failureOf(asked("it", silent, ask(refused, 7))), refused);
  });

  it("says every 15 seconds how far it is", async () => {
    const lines: string[] = [];
    const { now } = Date;
    let passed = 0;
    Date.now = () => passed;
    try {
      await failureOf(
        waitFor(
          "the flood",
          60,
          (line) => lines.push(line),
          async () => {
            passed += 10_000;
            return { done: false, seen: `after ${passed / 1000} s` };
          },
        ),
      );
    } finally {
      Date.now = now;
    }
    assert.deepEqual(lines, [
      "waiting for the flood (20 s of 60 s): after 20 s",
      "waiting for the flood (30 s of 60 s): after 30 s",
      "waiting for the flood (50 s of 60 s): after 50 s",
      "waiting for the flood (60 s of 60 s): after 60 s",
    ]);
  });
});

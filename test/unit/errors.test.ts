import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { REPOSITORY } from "../../scripts/repository";
import {
  errorsOfSource,
  isQuoted,
  OPEN,
  quotationsOf,
  quoted,
  textsOfSource,
  unsaid,
} from "../support/messages";

/** What says hardly anything by itself: what it is about is in what it is given. */
const SHORTEST = 16;

/** Of nothing that an operator runs. */
const OURS = /^scripts\/(bench|drill|faults|test|setup)\b/;

describe("the page of errors", () => {
  const quotations = quotationsOf(fs.readFileSync(path.join(REPOSITORY, "docs/errors.md"), "utf8"));
  const errors = errorsOfSource().filter(
    ({ at, text }) =>
      !OURS.test(at) &&
      // A list of others says nothing of its own.
      !text.includes("\n") &&
      text.replaceAll(OPEN, "").length >= SHORTEST,
  );

  it("has every error that the program and its commands end with", () => {
    const forms = quotations.map(({ quotation }) => quoted(quotation));
    assert.ok(errors.length > 80, String(errors.length));
    assert.deepEqual(
      errors
        .filter(({ text }) => !isQuoted(forms, text))
        .map(({ at, text }) => `${at} ${text.replaceAll(OPEN, "#")}`),
      [],
    );
  });

  it("has no error that nothing says", () => {
    const texts = textsOfSource().map(({ text }) => text);
    const ours = quotations.filter(
      ({ section, quotation, others }) =>
        !others && section !== "Configuration" && quotation.length >= SHORTEST,
    );
    assert.ok(ours.length > 120, String(ours.length));
    assert.deepEqual(
      ours.flatMap(({ quotation }) =>
        unsaid(quoted(quotation), texts).map((phrase) => `"${phrase}" of: ${quotation}`),
      ),
      [],
    );
  });

  it("is of errors that are short already before anything is filled in", () => {
    assert.deepEqual(
      errors.filter(({ text }) => text.replaceAll(OPEN, "").length > 150).map(({ at }) => at),
      [],
    );
  });
});

import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
import { REPOSITORY } from "../../scripts/repository";

/** Stands for what is only known when the message is made. */
export const OPEN = "\u0000";

/** A text that the source writes, and where. */
export interface Message {
  at: string;
  text: string;
}

/** Whose first argument an operator reads. */
const CLASSES = ["Refusal", "UserError", "Stop"];

/** Functions whose only argument an operator reads. */
const FUNCTIONS = ["refuse", "refusals.push"];

/** Properties whose value an operator reads, or what it returns. */
const PROPERTIES = ["refuse", "refusal"];

function sources(...folders: string[]): ts.SourceFile[] {
  return folders
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => /\.m?[jt]s$/.test(file))
        .map((file) => path.join(folder, file)),
    )
    .map((file) =>
      ts.createSourceFile(
        file,
        fs.readFileSync(path.join(REPOSITORY, file), "utf8"),
        ts.ScriptTarget.ES2022,
        true,
      ),
    );
}

/** What an expression can be as a text: each of the ways that it can go; nothing when it is no text of its own. */
function textsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) {
    return [node.text];
  }
  if (ts.isTemplateExpression(node)) {
    return [
      node.templateSpans.reduce((text, { literal }) => text + OPEN + literal.text, node.head.text),
    ];
  }
  if (ts.isConditionalExpression(node)) {
    return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const right = textsOf(node.right);
    return textsOf(node.left).flatMap((left) => right.map((end) => left + end));
  }
  if (ts.isParenthesizedExpression(node)) {
    return textsOf(node.expression);
  }
  if (ts.isArrowFunction(node)) {
    return ts.isBlock(node.body) ? returned(node.body) : textsOf(node.body);
  }
  if (ts.isFunctionExpression(node) || ts.isMethodDeclaration(node)) {
    return node.body === undefined ? [] : returned(node.body);
  }
  return [];
}

function returned(body: ts.Block): string[] {
  const texts: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isReturnStatement(node) && node.expression !== undefined) {
      texts.push(...textsOf(node.expression));
    } else if (!ts.isFunctionLike(node)) {
      ts.forEachChild(node, look);
    }
  };
  look(body);
  return texts;
}

/** The texts that a node hands to an operator. */
function handed(node: ts.Node): string[] {
  if (ts.isNewExpression(node) && CLASSES.includes(node.expression.getText())) {
    return textsOf(node.arguments?.[0] as ts.Node);
  }
  if (ts.isCallExpression(node)) {
    const called = node.expression.getText();
    return FUNCTIONS.some((name) => called === name || called.endsWith(`.${name}`))
      ? textsOf(node.arguments[0] as ts.Node)
      : [];
  }
  if (ts.isPropertyAssignment(node) && PROPERTIES.includes(node.name.getText())) {
    const { initializer } = node;
    const named = node
      .getSourceFile()
      .statements.find(
        (one) => ts.isFunctionDeclaration(one) && one.name?.text === initializer.getText(),
      ) as ts.FunctionDeclaration | undefined;
    return named?.body === undefined ? textsOf(initializer) : returned(named.body);
  }
  if (ts.isMethodDeclaration(node) && PROPERTIES.includes(node.name.getText())) {
    return textsOf(node);
  }
  return [];
}

function collected(files: ts.SourceFile[], of: (node: ts.Node) => string[]): Message[] {
  return files.flatMap((file) => {
    const found: Message[] = [];
    const look = (node: ts.Node): void => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      of(node).forEach((text) => found.push({ at: `${file.fileName}:${line + 1}`, text }));
      ts.forEachChild(node, look);
    };
    look(file);
    return found;
  });
}

/** Every error that the program and its commands end with, as the source writes it. */
export function errorsOfSource(): Message[] {
  return collected(sources("components", "scripts"), handed);
}

/** Every text that the source writes. */
export function textsOfSource(): Message[] {
  return collected(sources("components", "scripts"), (node) =>
    ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) ? textsOf(node) : [],
  );
}

/** What a page writes of a message, in the form of {@link Message.text}: capitals and `...` stand for anything. */
export function quoted(text: string): string {
  return text
    .replace(/\.\.\./g, OPEN)
    .replace(/\b[A-Z]+\b/g, OPEN)
    .replace(new RegExp(`${OPEN}+`, "g"), OPEN);
}

/** Whether two texts have enough words in common for a closer look. */
function alike(one: string, other: string): boolean {
  const words = one.match(/[a-z]{4,}/gi) ?? [];
  return words.filter((word) => other.includes(word)).length * 2 >= words.length;
}

/** Whether a page that has these quotations has the text. */
export function isQuoted(quotations: readonly string[], text: string): boolean {
  return quotations.some((one) => alike(one, text) && share(one, text) >= ENOUGH);
}

/** The phrases of a quotation that none of the texts has. A message may be put together from several. */
export function unsaid(quotation: string, texts: readonly string[]): string[] {
  return quotation
    .split(new RegExp(`[${OPEN}:;,()]`))
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase.length >= PHRASE && !texts.some((text) => text.includes(phrase)));
}

/** What is shorter stands in too many texts. */
const PHRASE = 8;

/** So much of a quotation must be found: what a page leaves out of a message is not counted. */
const ENOUGH = 0.6;

/** What the page of errors quotes, by its section: in the first column of its tables, and above the text of an interlock. */
export function quotationsOf(
  page: string,
): { section: string; quotation: string; others: boolean }[] {
  return page.split(/\n(?=## )/).flatMap((text) => {
    const section = /^## (.*)/.exec(text)?.[1] ?? "";
    return [...text.matchAll(/^\|(.*?[^\\])\||^(`.*)$/gm)].flatMap(([, cell, line]) => {
      const quoting = cell ?? line ?? "";
      return [...quoting.matchAll(/`([^`]+)`/g)].map(([, quotation = ""]) => ({
        section,
        quotation,
        others: /`, of /.test(quoting),
      }));
    });
  });
}

/**
 * How much of what a page quotes a text has: 1 when all that is fixed in the quotation is in it, in its order, or stands
 * where the text is open; 0 when it contradicts.
 */
export function share(quotation: string, text: string): number {
  const fixed = quotation.replaceAll(OPEN, "").length;
  const rows = quotation.length + 1;
  let after: number[] = [];
  for (let j = text.length; j >= 0; j--) {
    const now = new Array<number>(rows).fill(-Infinity);
    for (let i = quotation.length; i >= 0; i--) {
      const [q, t] = [quotation[i], text[j]];
      if (q === undefined && t === undefined) {
        now[i] = 0;
        continue;
      }
      const best: number[] = [];
      // An open place takes in anything of the other side, and nothing.
      if (q === OPEN) {
        best.push(now[i + 1] ?? -Infinity, after[i] ?? -Infinity);
      }
      if (t === OPEN) {
        best.push(after[i] ?? -Infinity, now[i + 1] ?? -Infinity);
      }
      if (q !== undefined && q === t && q !== OPEN) {
        best.push((after[i + 1] ?? -Infinity) + 1);
      }
      now[i] = Math.max(-Infinity, ...best);
    }
    after = now;
  }
  const matched = after[0] ?? -Infinity;
  return matched < 0 || fixed === 0 ? 0 : matched / fixed;
}

import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { applied, differenceOf, GoldenResource, GraphDifference } from "./difference";

/** Where the golden files lie. */
export const EXPECTED = path.join(__dirname, "expected");

/** A case's file: its whole graph, or what it has otherwise than the case that is its base. */
export type GoldenFile = GoldenResource[] | ({ base: string } & GraphDifference);

/** The names of the golden files. */
export function goldenNames(): string[] {
  return readdirSync(EXPECTED)
    .map((file) => path.basename(file, ".json"))
    .sort();
}

/** What a golden file says. */
export function goldenFile(name: string): GoldenFile {
  return JSON.parse(readFileSync(path.join(EXPECTED, `${name}.json`), "utf8")) as GoldenFile;
}

/** The whole graph that is expected of a case. */
export function goldenGraph(name: string): GoldenResource[] {
  const file = goldenFile(name);
  return Array.isArray(file) ? file : applied(wholeGraph(file.base), file);
}

/** What the file of a case is to say when this is its graph. */
export function fileOf(base: string | undefined, graph: GoldenResource[]): GoldenFile {
  return base === undefined ? graph : { base, ...differenceOf(wholeGraph(base), graph) };
}

/** A base has none itself: a reader looks into two files, not into a chain of them. */
function wholeGraph(base: string): GoldenResource[] {
  const file = goldenFile(base);
  if (!Array.isArray(file)) {
    throw new Error(`${base} is kept as a difference: it cannot be a base`);
  }
  return file;
}

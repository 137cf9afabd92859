import type { RegionName } from "../../components/base/brokers";
import { REPOSITORY, typedPath } from "../repository";

/** Where the person works, as the command line says. */
export interface Place {
  dir: string | undefined;
  stack: string | undefined;
  /** Of a command that works on both. */
  stacks?: string;
}

/** The folder of the Pulumi project. */
export function folderOf(place: Place): string {
  return place.dir === undefined ? REPOSITORY : typedPath(place.dir);
}

/** A command of this repository as it is to be typed, with the place when it is not the default. */
export function npmRun(script: string, args: string[], place: Place): string {
  const all = [
    ...args,
    ...(place.stack === undefined ? [] : ["--stack", place.stack]),
    ...(place.stacks === undefined ? [] : ["--stacks", place.stacks]),
    ...(place.dir === undefined ? [] : ["--dir", place.dir]),
  ];
  return `npm run ${script}${all.length > 0 ? ` -- ${all.map(quoted).join(" ")}` : ""}`;
}

/** A `pulumi` command as it is to be typed. */
export function npmRunPulumi(args: string[], stack: string, place: Place): string {
  const all = [
    ...args,
    "--stack",
    stack,
    ...(place.dir === undefined ? [] : ["--cwd", folderOf(place)]),
  ];
  return `npm run pulumi -- ${all.map(quoted).join(" ")}`;
}

/** Whether a text is the name of a region. */
export function isRegion(text: string | undefined): text is RegionName {
  return text === "region0" || text === "region1";
}

function quoted(word: string): string {
  return /^[\w./:=@,-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

/**
 * A preview without what the engine prints for machines: progress dots and URNs, of which only the resource's name
 * is kept. And without the stack's outputs, which repeat the whole history of recoveries: what changes is said by
 * the resources.
 */
export function readable(output: string): string {
  const lines: string[] = [];
  // Those of a resource that was refreshed stand further to the right.
  const resources = output.replace(/^ {4}--outputs:--\n[^]*?^(?=Resources:)/m, "");
  for (const line of resources.split("\n")) {
    const name = /^\s*\[urn=.*::([^:]+)\]$/.exec(line)?.[1];
    const last = lines.length - 1;
    if (name !== undefined) {
      // The stack's own line is left out, so its name has no line to stand on.
      if (last < 0) {
        continue;
      }
      lines[last] = (lines[last] as string).replace(
        /pulumi-nodejs:dynamic\/\w+:(\w+):/,
        `$1 ${name}`,
      );
    } else if (
      line.trim() !== "" &&
      !/^(@ |Previewing update|Loading)/.test(line) &&
      !/^\s*\[(provider|id|urn)=|pulumi:pulumi:Stack: \(same\)/.test(line)
    ) {
      lines.push(line);
    }
  }
  return lines.join("\n");
}

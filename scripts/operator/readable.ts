/**
 * A preview without what the engine prints for machines: progress dots and URNs, of which only the
 * resource's name is kept.
 */
export function readable(output: string): string {
  const lines: string[] = [];
  for (const line of output.split("\n")) {
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
      !/^\s*\[(provider|id)=|pulumi:pulumi:Stack: \(same\)/.test(line)
    ) {
      lines.push(line);
    }
  }
  return lines.join("\n");
}

import * as path from "node:path";
import { format, resolveConfig } from "prettier";
import { GENERATIONS } from "../components/generations";
import { Platform, PLATFORMS } from "../components/settings/schema";
import { REPOSITORY } from "./repository";

/** What is made of the files of the generations, from the repository's root. */
export const GENERATIONS_PAGE = "docs/generations.md";

const INTRODUCTION = `# Generations of Camunda

\`camundaVersion\` names the generation of both regions. The gateway's answer must fit it: another minor is refused, and so are patches below the least one, with which a broker that restarts enables an exporter again that was disabled ([camunda/camunda#52260](https://github.com/camunda/camunda/issues/52260)). Only a failover goes on with such a patch, and warns: an upgrade needs the quorum that is lost.

This page is made of the files in \`components/generations/\` (\`npm run docs\`).
`;

/**
 * Where a recovery of a generation was shown, in the drill of which a failover and a failback are parts. None but that of
 * 8.6 was seen on a broker.
 */
export const SHOWN: Record<string, Record<Platform, string>> = {
  "8.6": {
    endpoints:
      "real brokers of 8.6.0 (21 November 2026), both directions; embedded brokers, both directions; with real OpenSearch, both directions",
    kubernetes: "embedded brokers, played and real Kubernetes API, both directions",
    eks: "embedded brokers, played AWS, both directions",
  },
  "8.7": {
    endpoints: "embedded brokers, region0 lost",
    kubernetes: "embedded brokers, played Kubernetes API, region1 lost",
    eks: "embedded brokers, played AWS, region0 lost (29 November 2026)",
  },
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}

/** The page, in the form that prettier gives it. */
export async function generationsPage(): Promise<string> {
  const all = Object.entries(GENERATIONS);
  const facts = all.map(
    ([
      name,
      {
        charts,
        elasticsearchImages: { image },
        exporter,
        versions,
      },
    ]) => [
      name,
      versions.patch === 0 ? "any" : `${versions.minor}.${versions.patch}`,
      charts.camunda.version ?? "",
      charts.elasticsearch.version ?? "",
      `\`${image.repository}:${image.tag}\``,
      `\`${exporter.ids.region0}\`, \`${exporter.ids.region1}\``,
    ],
  );
  const steps = all.flatMap(([name, { failover, drain, failback }]) => [
    [name, "failover", failover.join(", ")],
    [name, "drain", drain.join(", ")],
    [name, "failback", failback.join(", ")],
  ]);
  const shown = all.map(([name]) => [
    name,
    ...PLATFORMS.map((on) => SHOWN[name]?.[on] ?? "nothing"),
  ]);
  const text = [
    INTRODUCTION,
    "## What is installed and asked\n",
    table(
      [
        "generation",
        "least patch",
        "chart of Camunda",
        "chart of Elasticsearch",
        "its image",
        "exporters",
      ],
      facts,
    ),
    "## What was shown, and on what\n",
    "The drill: failover and failback with the real Pulumi engine. What the embedded world leaves out, and that 8.7 was never seen on a broker, is in its [limits](../world/camunda/embedded/LIMITS.md).\n",
    table(["generation", ...PLATFORMS], shown),
    "## The order of the steps\n",
    table(["generation", "procedure", "steps"], steps),
  ].join("\n");
  const file = path.join(REPOSITORY, GENERATIONS_PAGE);
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

import { existsSync } from "node:fs";
import * as path from "node:path";
import type { Chart } from "../../generations/generation";
import type { Settings } from "../../settings";
import { messageOf } from "../../base/messageOf";

/**
 * Folder of the project with the archives of the charts. In the project, because the plugin looks into a chart in
 * every run, whether anything changes or not: in a cache, the repositories would have to answer on the worst of days
 * wherever that cache is empty. And its path is an input: it must be the same on every machine.
 */
export const CHARTS = "charts";

/** Whether the chart comes from a repository: then there is an archive of it. */
export function isFetched({ chart, repository, version }: Chart): boolean {
  return version !== undefined && (repository !== undefined || chart.startsWith("oci://"));
}

/** What Helm is given: the archive of a chart that comes from a repository, any other as it is configured. */
export function placeOf(chart: Chart): string {
  return isFetched(chart)
    ? `./${CHARTS}/${chart.chart.split("/").at(-1)}-${chart.version}.tgz`
    : chart.chart;
}

/**
 * Fetches the archives that are not there yet, once, before the first resource. Nothing is asked of a repository when
 * they are, nor in a failover, which needs none of them.
 *
 * @returns why one is not there, in one line with the way out; `refuse` unless the run can do without it
 */
export async function fetchCharts(
  settings: Settings,
  project = process.cwd(),
): Promise<{ problems: string[]; refuse: boolean }> {
  const charts = Object.values(settings.installation?.charts ?? {}).filter(isFetched);
  const missing = charts.filter((chart) => !existsSync(path.join(project, placeOf(chart))));
  const refuse = settings.lostRegion === undefined || settings.failback !== undefined;
  if (missing.length === 0) {
    return { problems: [], refuse };
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when something is to be fetched
  const { download } = require("./chartArchive") as typeof import("./chartArchive");
  const problems = await Promise.all(
    missing.map(async (chart) => {
      const place = placeOf(chart);
      const wayOut = "helm pull it there, and commit it";
      if (!refuse) {
        return `${place} is missing: what is installed cannot be changed; ${wayOut}`;
      }
      try {
        await download(chart, path.join(project, place));
        return undefined;
      } catch (error) {
        const why = messageOf(error);
        return `${place} is missing and not to be had (${why}): ${wayOut}`;
      }
    }),
  );
  return { problems: problems.filter((problem) => problem !== undefined), refuse };
}

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, Server } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A repository of Helm charts on this machine, made of folders. */
export class ChartRepository {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  /** @param charts folders of charts, by the chart's name, with its version */
  static async start(
    charts: Record<string, { folder: string; version: string }>,
  ): Promise<ChartRepository> {
    const folder = mkdtempSync(join(tmpdir(), "charts-"));
    const entries: Record<string, object[]> = {};
    for (const [name, { folder: chart, version }] of Object.entries(charts)) {
      const file = `${name}-${version}.tgz`;
      execFileSync("tar", ["-czf", join(folder, file), "-C", join(chart, ".."), name]);
      const digest = createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex");
      entries[name] = [{ apiVersion: "v2", name, version, urls: [file], digest }];
    }
    const server = createServer((request, response) => {
      const file = (request.url ?? "").slice(1);
      if (file === "index.yaml") {
        // JSON is YAML.
        response.end(JSON.stringify({ apiVersion: "v1", entries }));
      } else if (/^[\w.-]+\.tgz$/.test(file)) {
        response.end(readFileSync(join(folder, file)));
      } else {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ChartRepository(server, folder);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Nothing answers at its address any more. */
  async stop(): Promise<void> {
    if (this.server.listening) {
      const closed = new Promise((resolve) => this.server.close(resolve));
      this.server.closeAllConnections();
      await closed;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

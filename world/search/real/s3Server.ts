import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { request } from "../../processes/http";
import { OwnProcess } from "../../processes/processes";
import { until } from "../../processes/until";

/** Starts moto's S3, which keeps its objects in memory, and makes a bucket. */
export async function startS3Server(
  motoHome: string,
  dir: string,
  port: number,
  bucket: string,
): Promise<OwnProcess> {
  await mkdir(dir, { recursive: true });
  const server = OwnProcess.start({
    name: "S3 server",
    command: "python3",
    args: ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)],
    cwd: dir,
    env: {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: dir,
      PYTHONPATH: motoHome,
      PYTHONDONTWRITEBYTECODE: "1",
    },
    logFile: join(dir, "out.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    "start of the S3 server",
    async () => {
      const { status } = await request(`${url}/${bucket}`, { method: "PUT" });
      return status === 200 || `it answers ${status}`;
    },
    { seconds: 60, everyMs: 250, processes: [server] },
  );
  return server;
}

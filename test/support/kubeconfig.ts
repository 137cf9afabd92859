import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Gives this process a kubeconfig of its own.
 *
 * @returns what takes it away, and puts back what was before
 */
export function giveKubeconfig(text: string): () => void {
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const inherited = process.env.KUBECONFIG;
  process.env.KUBECONFIG = join(folder, "config");
  writeFileSync(process.env.KUBECONFIG, text);
  return () => {
    if (inherited === undefined) {
      delete process.env.KUBECONFIG;
    } else {
      process.env.KUBECONFIG = inherited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
}

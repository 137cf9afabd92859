import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/**
 * Stands in for the transit engine of a Vault, as far as Pulumi asks it: for throw-away stacks whose secrets are
 * encrypted without a passphrase, for which each `pulumi` would compute for half a second. It lives as long as
 * the process; what it has encrypted is lost with it. There is one key, whatever its name.
 *
 * Not that of a Vault: versions of keys, policies, tokens (every one is taken).
 */
export class Vault {
  /** For `pulumi stack init --secrets-provider`. */
  static readonly SECRETS_PROVIDER = "hashivault://throw-away";

  private readonly plaintexts = new Map<string, string>();

  private constructor(private readonly server: Server) {
    server.on("request", (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<Vault> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // Nobody forgets to end it: it keeps no process alive.
    server.unref();
    return new Vault(server);
  }

  /** How Pulumi finds it. */
  get environment(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return { VAULT_SERVER_URL: `http://127.0.0.1:${port}`, VAULT_SERVER_TOKEN: "none" };
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = JSON.parse(await text(request)) as { plaintext?: string; ciphertext?: string };
    const found = request.url?.startsWith("/v1/transit/encrypt/")
      ? { ciphertext: this.keep(asked.plaintext ?? "") }
      : { plaintext: this.plaintexts.get(asked.ciphertext ?? "") };
    const known = Object.values(found).every((value) => value !== undefined);
    response.writeHead(known ? 200 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify(known ? { data: found } : { errors: ["invalid ciphertext"] }));
  }

  private keep(plaintext: string): string {
    const ciphertext = `vault:v1:${randomBytes(32).toString("base64")}`;
    this.plaintexts.set(ciphertext, plaintext);
    return ciphertext;
  }
}

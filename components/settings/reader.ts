import { isRecord } from "../base/json";
import { isKubernetesUrl, parseKubernetesAddress } from "../base/kubernetesAddress";

/** All problems of a configuration, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1
        ? `configuration: ${problems[0]}`
        : `${problems.length} problems in the configuration:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

/**
 * Looks keys up, each by its kind, and collects what is wrong with them, so that a user sees all problems
 * at once.
 */
export class Reader<Key extends string> {
  private readonly problems: string[] = [];

  constructor(private readonly get: (key: Key) => string | undefined) {}

  wrong(key: string, problem: string): void {
    this.problems.push(`${key} ${problem}`);
  }

  finish(): void {
    if (this.problems.length > 0) {
      throw new ConfigError(this.problems);
    }
  }

  text(key: Key): string | undefined {
    const value = this.get(key);
    return value === "" ? undefined : value;
  }

  integer(key: Key, otherwise: number): number {
    const raw = this.text(key);
    const value = raw === undefined ? otherwise : Number(raw);
    if (!Number.isInteger(value)) {
      this.wrong(key, `must be a whole number, not "${raw}"`);
      return otherwise;
    }
    return value;
  }

  oneOf<T extends string>(key: Key, allowed: readonly T[], otherwise?: T): T {
    const value = this.text(key) ?? otherwise;
    if (value === undefined || !(allowed as readonly string[]).includes(value)) {
      this.wrong(
        key,
        value === undefined
          ? `is missing: ${allowed.join(" or ")}`
          : `must be ${allowed.join(" or ")}, not "${value}"`,
      );
      return allowed[0] as T;
    }
    return value as T;
  }

  optionalOneOf<T extends string>(key: Key, allowed: readonly T[]): T | undefined {
    return this.text(key) === undefined ? undefined : this.oneOf(key, allowed);
  }

  json(key: Key): unknown {
    const raw = this.text(key);
    if (raw === undefined) {
      return undefined;
    }
    try {
      return JSON.parse(raw) as unknown;
    } catch {
      this.wrong(
        key,
        `must be structured (set it with --path, or in the stack's file), not "${raw}"`,
      );
      return undefined;
    }
  }

  object(key: Key): Record<string, unknown> | undefined {
    const value = this.json(key);
    if (value !== undefined && !isRecord(value)) {
      this.wrong(key, "must be an object");
      return undefined;
    }
    return value;
  }

  url(key: string, value: unknown): string {
    if (typeof value === "string" && isKubernetesUrl(value)) {
      return this.kubernetesUrl(key, value);
    }
    if (typeof value !== "string" || !URL.canParse(value) || !/^https?:/.test(value)) {
      this.wrong(
        key,
        `must be an http, https, eks or kubernetes URL, not ${JSON.stringify(value) ?? "missing"}`,
      );
      return "";
    }
    const url = new URL(value);
    if (url.username !== "" || url.password !== "") {
      this.wrong(
        key,
        "has a user or password in it, which would be kept in clear: use elasticsearchUser and elasticsearchPassword",
      );
    }
    return value.replace(/\/+$/, "");
  }

  private kubernetesUrl(key: string, value: string): string {
    const url = value.replace(/\/+$/, "");
    try {
      if (parseKubernetesAddress(url).path !== "") {
        this.wrong(key, `must end with the port, not ${JSON.stringify(value)}`);
      }
    } catch (error) {
      this.wrong(key, `is wrong: ${(error as Error).message}`);
    }
    return url;
  }
}

import type { LogRecord } from "./log";

/** Where exporters write: a search engine, of whatever kind, or something else. */
export interface ExportTarget {
  /**
   * Writes records of a partition, in order.
   *
   * @param opens whether the exporter has been opened, and creates its templates first
   * @returns how many of them, from the first on, are written; the others are tried again
   */
  export(records: readonly LogRecord[], opens: boolean): number | Promise<number>;
}

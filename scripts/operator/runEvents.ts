import type { EngineEvent } from "@pulumi/pulumi/automation";

const DOING: Record<string, string> = {
  create: "begins",
  update: "begins",
  replace: "begins",
  delete: "is removed from the state",
};

/** Kinds of operations that change nothing. */
const UNCHANGING: readonly string[] = ["same", "refresh", "read"];

/** What a run did with one resource. */
export interface ResourceChange {
  /** `create`, `update`, `delete`, `replace` and the parts of a replacement. */
  op: string;
  /** Type token of the resource. */
  type: string;
  name: string;
}

/** Turns the engine's events into lines for a person, and keeps what it did, its errors and its messages. */
export class RunEvents {
  /** What was begun, in order. */
  readonly changed: ResourceChange[] = [];
  readonly errors: string[] = [];
  /** What the program has said, the plan of a preview for one. */
  readonly messages: string[] = [];
  private readonly start = Date.now();
  private looked = false;

  constructor(private readonly say: (line: string) => void) {}

  /** Takes an event. */
  see(event: EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent } = event;
    this.keep(resourcePreEvent?.metadata);
    if (resourcePreEvent && isStep(resourcePreEvent.metadata.type)) {
      this.begin(resourcePreEvent.metadata);
    } else if (resOutputsEvent && isStep(resOutputsEvent.metadata.type)) {
      const { op, urn, new: state } = resOutputsEvent.metadata;
      if (op in DOING && op !== "delete") {
        this.line(nameOf(urn), ended(state?.outputs));
      }
    } else if (resOpFailedEvent && isStep(resOpFailedEvent.metadata.type)) {
      this.line(nameOf(resOpFailedEvent.metadata.urn), "failed");
    } else if (diagnosticEvent) {
      this.diagnostic(diagnosticEvent);
    }
  }

  private keep(metadata: { op: string; type: string; urn: string } | undefined): void {
    // The provider of the program's own resources has the whole configuration as its own.
    const own = metadata?.type === "pulumi:providers:pulumi-nodejs";
    if (metadata !== undefined && !own && !UNCHANGING.includes(metadata.op)) {
      const { op, type, urn } = metadata;
      this.changed.push({ op, type, name: urn.split("::").slice(3).join("::") });
    }
  }

  private begin({ op, urn }: { op: string; urn: string }): void {
    if (op === "refresh" && !this.looked) {
      this.looked = true;
      this.line("", "looking at the cluster");
    } else if (op in DOING) {
      this.line(nameOf(urn), DOING[op] as string);
    }
  }

  private diagnostic({
    urn,
    message,
    severity,
    ephemeral,
  }: {
    urn?: string;
    message: string;
    severity: string;
    ephemeral?: boolean;
  }) {
    const text = plain(message);
    if (text === "" || ephemeral === true) {
      return;
    }
    if (severity === "error") {
      // The engine repeats an error without saying more.
      if (!/^(update|preview|refresh) failed$/i.test(text)) {
        this.errors.push(text);
      }
    } else if (severity.startsWith("info") || severity === "warning") {
      this.messages.push(text);
      const about = urn === undefined || /pulumi:pulumi:Stack::/.test(urn) ? "" : nameOf(urn);
      text.split("\n").forEach((line) => this.line(about, line));
    }
  }

  private line(about: string, text: string): void {
    const seconds = ((Date.now() - this.start) / 1000).toFixed(1).padStart(6);
    this.say(`${seconds} s  ${about === "" ? "" : `${about}: `}${text}`);
  }
}

/** How often each kind of change is in the engine's summary of a run, without what changes nothing. */
export function changesIn(summary: Readonly<Record<string, number | undefined>>) {
  return Object.fromEntries(
    Object.entries(summary).filter(
      (entry): entry is [string, number] => (entry[1] ?? 0) > 0 && !UNCHANGING.includes(entry[0]),
    ),
  );
}

/** The errors of a run as one, without repetitions. */
export function errorsOf(errors: readonly string[]): string | undefined {
  const different = [...new Set(errors)];
  return different.length === 0 ? undefined : different.join("\nerror: ");
}

function isStep(type: string): boolean {
  return type.startsWith("pulumi-nodejs:dynamic/camunda:") || type === "command:local:Command";
}

function nameOf(urn: string): string {
  return urn.split("::").pop() ?? urn;
}

function ended(outputs: Record<string, unknown> | undefined): string {
  const record = outputs?.record as { how?: string; seconds?: number } | undefined;
  return record?.how === undefined ? "done" : `${record.how}, verified (${record.seconds} s)`;
}

/** A message without the engine's marks for colours. */
function plain(message: string): string {
  return message.replace(/<\{%.*?%\}>/g, "").trim();
}

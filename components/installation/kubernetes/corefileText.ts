/** What a Corefile says, as far as it can be known without the files that it imports. */
export interface CorefileText {
  servers: ServerBlock[];
  /** The files that it imports, as they are named. */
  imports: string[];
}

/** A server of CoreDNS as a Corefile has it. */
export interface ServerBlock {
  /** What it serves: `zone`, `zone:port` or `transport://zone:port`. */
  keys: string[];
  directives: Directive[];
}

/** A plugin of a server, with its settings. */
export interface Directive {
  name: string;
  args: string[];
  /** The lines between its braces, inner braces among their words. */
  body: string[][];
}

/** What a key of a server block says. */
export interface Zone {
  transport: string;
  /** Without a dot at its end; `.` is the root. CoreDNS serves nobody a name that is not in lower case. */
  name: string;
  port: number;
}

interface Token {
  text: string;
  line: number;
  /** Line on which it ends: one in quotes may be on several. */
  lastLine: number;
}

const PORTS: Record<string, number> = { dns: 53, tls: 853, quic: 853, grpc: 443, https: 443 };

/**
 * Reads a Corefile as CoreDNS does: words, quotes, comments, braces, snippets. What it imports from files is
 * left out: they are in CoreDNS' pod.
 *
 * @throws Error with one line where CoreDNS could not read it. It refuses more than that: a directive that it
 *   does not have, say
 */
export function readCorefile(text: string): CorefileText {
  const reader = new Reader(tokensOf(text));
  return { servers: reader.servers(), imports: reader.imports };
}

/** What a key of a server block stands for, whatever its spelling. */
export function zoneOf(key: string): Zone {
  const [, transport = "dns", rest = key] = /^([a-z]+):\/\/(.*)$/.exec(key) ?? [];
  const [, name = rest, port] = /^(.*):(\d+)$/.exec(rest) ?? [];
  return {
    transport,
    name: name === "." ? name : name.replace(/\.$/, ""),
    port: port === undefined ? (PORTS[transport] ?? 53) : Number(port),
  };
}

/**
 * A word ends at white space, unless it begins with a quote: then at the next one. `#` outside of quotes hides
 * the rest of a line; in the middle of a word it hides the rest of that word only. A carriage return is nothing.
 */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let word: Token | undefined;
  let [quoted, escaped, comment] = [false, false, false];
  const end = () => {
    if (word !== undefined) {
      tokens.push({ ...word, lastLine: line });
    }
    word = undefined;
    quoted = false;
  };
  for (const character of text.replace(/^\uFEFF/, "")) {
    if (quoted && word !== undefined) {
      if (!escaped && character === "\\") {
        escaped = true;
        continue;
      }
      if (!escaped && character === '"') {
        end();
        continue;
      }
      word.text += escaped && character !== '"' ? `\\${character}` : character;
      escaped = false;
    } else if (character === "\n") {
      end();
      comment = false;
    } else if (/[\s\u0085]/.test(character)) {
      if (character !== "\r" && word !== undefined) {
        end();
        comment = false;
      }
    } else if (character === "#" || comment) {
      comment = true;
    } else if (character === '"' && word === undefined) {
      quoted = true;
      word = { text: "", line, lastLine: line };
    } else {
      word ??= { text: "", line, lastLine: line };
      word.text += character;
    }
    if (character === "\n") {
      line++;
    }
  }
  // A quote that nobody closes goes to the end.
  if (word?.text !== "") {
    end();
  }
  return tokens;
}

class Reader {
  readonly imports: string[] = [];
  private readonly snippets = new Map<string, Token[]>();
  private at = 0;

  constructor(private readonly tokens: Token[]) {}

  servers(): ServerBlock[] {
    const servers: ServerBlock[] = [];
    while (this.token !== undefined) {
      const keys = this.keys();
      const [first = ""] = keys;
      const snippet = keys.length === 1 ? /^\((.*)\)$/.exec(first)?.[1] : undefined;
      if (snippet !== undefined && this.token !== undefined) {
        this.defineSnippet(snippet);
        continue;
      }
      const directives = this.directives();
      if (keys.length > 0) {
        servers.push({ keys, directives });
      }
    }
    return servers;
  }

  private get token(): Token | undefined {
    return this.tokens[this.at];
  }

  private get onNewLine(): boolean {
    const before = this.tokens[this.at - 1];
    return before === undefined || before.lastLine < (this.token?.line ?? 0);
  }

  private keys(): string[] {
    const keys: string[] = [];
    let another = false;
    for (;;) {
      const token = this.token;
      if (token?.text === "import" && this.onNewLine) {
        this.import();
        continue;
      }
      if (token === undefined || token.text === "{") {
        if (another) {
          throw this.error("another zone is expected after a comma");
        }
        return keys;
      }
      another = token.text.endsWith(",");
      if (token.text !== "") {
        keys.push(another ? token.text.slice(0, -1) : token.text);
      }
      this.at++;
      if (!another && this.onNewLine && this.token !== undefined) {
        return keys;
      }
    }
  }

  /** Of one server; a Corefile that is one server needs no braces. */
  private directives(): Directive[] {
    const directives: Directive[] = [];
    const braces = this.token?.text === "{";
    if (braces) {
      this.at++;
    }
    while (this.token !== undefined) {
      if (this.token.text === "}") {
        this.at++;
        return directives;
      }
      if (this.token.text === "import") {
        this.import();
      } else {
        directives.push(this.directive());
      }
    }
    // The last one may be missing where another stands there.
    if (braces && this.tokens.at(-1)?.text !== "}") {
      throw this.error("} is missing");
    }
    return directives;
  }

  private directive(): Directive {
    const words: Token[] = [];
    const name = this.token?.text ?? "";
    let depth = 0;
    this.at++;
    for (let token = this.token; token !== undefined; token = this.token) {
      if (token.text === "{") {
        depth++;
      } else if (this.onNewLine && depth === 0) {
        break;
      } else if (token.text === "}") {
        if (depth === 0) {
          throw this.error("} without {");
        }
        depth--;
      } else if (token.text === "import" && this.onNewLine) {
        this.import();
        continue;
      }
      words.push(token);
      this.at++;
    }
    if (depth > 0) {
      throw this.error("} is missing");
    }
    return { name, ...settings(words) };
  }

  /** Puts the words of a snippet in the place of its import; a file's are not known here. */
  private import(): void {
    const [what, more] = this.tokens.slice(this.at + 1, this.at + 3);
    const { lastLine } = this.tokens[this.at] as Token;
    if (what?.line !== lastLine) {
      throw this.error("import of what?");
    }
    if (more?.line === what.lastLine) {
      throw this.error("import takes one argument");
    }
    const snippet = this.snippets.get(what.text);
    if (snippet === undefined) {
      this.imports.push(what.text);
    }
    this.tokens.splice(this.at, 2, ...(snippet ?? []));
  }

  private defineSnippet(name: string): void {
    if (this.token?.text !== "{") {
      throw this.error(`snippet ${name} has no {`);
    }
    if (this.snippets.has(name)) {
      throw this.error(`snippet ${name} is there twice`);
    }
    const begin = ++this.at;
    for (let depth = 1; depth > 0; this.at++) {
      if (this.token === undefined) {
        throw this.error("} is missing");
      }
      depth += this.token.text === "{" ? 1 : this.token.text === "}" ? -1 : 0;
    }
    this.snippets.set(name, this.tokens.slice(begin, this.at - 1));
  }

  private error(what: string): Error {
    const { line } = this.token ?? this.tokens.at(-1) ?? { line: 1 };
    return new Error(`line ${line}: ${what}`);
  }
}

/** What stands between the braces by line, what stands before them in one. */
function settings(words: Token[]): Pick<Directive, "args" | "body"> {
  const open = words.findIndex(({ text }) => text === "{");
  const args = (open < 0 ? words : words.slice(0, open)).map(({ text }) => text);
  const body: string[][] = [];
  let last = -1;
  for (const { text, line, lastLine } of open < 0 ? [] : words.slice(open + 1, -1)) {
    if (line === last) {
      body.at(-1)?.push(text);
    } else {
      body.push([text]);
    }
    last = lastLine;
  }
  return { args, body };
}

/**
 * sysupdate.d(5) of systemd 257, as far as it describes the versions of an extension on a web server. The syntax is
 * systemd.syntax(7). Keys and sections that decide nothing here are passed over, as systemd does.
 */
import type { Problem, Report } from "@ashlar/base";
import { EXTENSION_NAME_PATTERN, EXTENSION_STORE, isVersionGlob } from "@ashlar/protocol";

/** What a transfer file says about the extension that it updates. */
export type ComponentTransfer = {
  readonly name: string;
  /** The versions that it takes, for example `v1.33.*`. */
  readonly pattern: string;
  /** The directory on the server, with SHA256SUMS. */
  readonly url: string;
};

const MAX_CHARACTERS = 16_384;
const MAX_PROBLEMS = 16;

type Value = { readonly text: string; readonly line: number };

/** Reads a transfer file. Without a transfer the report says all that is wrong with it. */
export function parseTransferFile(text: string): { readonly transfer?: ComponentTransfer; readonly report: Report } {
  if (text.length > MAX_CHARACTERS) {
    const message = `expected at most ${MAX_CHARACTERS} characters, found ${text.length}`;
    return { report: [{ severity: "error", message }] };
  }
  const problems: Problem[] = [];
  const values = readAssignments(text, problems);
  const reader = new TransferReader(values, problems);
  const pattern = reader.matchPattern();
  const url = reader.serverUrl();
  if (pattern !== undefined) reader.checkTarget(pattern.name);
  if (pattern === undefined || url === undefined || problems.length > 0) {
    return { report: problems.slice(0, MAX_PROBLEMS) };
  }
  return { transfer: { ...pattern, url }, report: [] };
}

/** The values by `Section.Key`: of a key that is repeated the last counts, but for patterns, which add up. */
function readAssignments(text: string, problems: Problem[]): Map<string, Value> {
  const values = new Map<string, Value>();
  let section = "";
  let continued = "";
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (/^[#;]/u.test(line) || (line === "" && continued === "")) continue;
    const whole = `${continued}${line}`;
    continued = whole.endsWith("\\") ? `${whole.slice(0, -1)} ` : "";
    if (continued !== "") continue;
    const header = /^\[([^[\]]+)\]$/u.exec(whole)?.[1];
    const equals = whole.indexOf("=");
    if (header !== undefined) section = header;
    else if (equals < 1 || section === "") {
      const position = { line: index + 1, column: 1 };
      const hint = "see systemd.syntax(7)";
      problems.push({ severity: "error", message: "expected [Section] or KEY=VALUE below one", hint, position });
    } else {
      const key = `${section}.${whole.slice(0, equals).trim()}`;
      const value = whole.slice(equals + 1).trim();
      const earlier = key.endsWith(".MatchPattern") && value !== "" ? `${values.get(key)?.text ?? ""} ` : "";
      values.set(key, { text: `${earlier}${value}`.trim(), line: index + 1 });
    }
  }
  return values;
}

class TransferReader {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #problems: Problem[];

  constructor(values: ReadonlyMap<string, Value>, problems: Problem[]) {
    this.#values = values;
    this.#problems = problems;
  }

  matchPattern(): { readonly name: string; readonly pattern: string } | undefined {
    this.#expect("Source.Type", (type) => type === "url-file", "url-file");
    const source = this.#text("Source.MatchPattern");
    const found = source === undefined ? undefined : readMatchPattern(source);
    if (found === undefined) return this.#complain("Source.MatchPattern", "one pattern such as NAME-v1.33.@v-%a.raw");
    // Without a pattern of its own the target has the source's (sysupdate.d(5), "MatchPattern=").
    if (this.#values.has("Target.MatchPattern")) {
      this.#expect("Target.MatchPattern", (text) => text === source, "the source's pattern");
    }
    return found;
  }

  serverUrl(): string | undefined {
    const path = this.#text("Source.Path") ?? "";
    const url = path.length <= MAX_URL_CHARACTERS ? URL.parse(path) : null;
    if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return path;
    return this.#complain("Source.Path", "an https: or http: URL");
  }

  checkTarget(name: string): void {
    if (this.#values.has("Target.Type")) this.#expect("Target.Type", (type) => type === "regular-file", "regular-file");
    if (this.#values.has("Target.PathRelativeTo")) {
      this.#expect("Target.PathRelativeTo", (base) => base === "root", "root");
    }
    const directories = STORES.map((store) => `${store}/${name}`);
    const links = [linkOfExtension(name), `/var/lib/extensions/${name}.raw`];
    this.#expect("Target.Path", (path) => directories.includes(path.replace(/\/$/u, "")), directories.join(" or "));
    this.#expect("Target.CurrentSymlink", (path) => links.includes(path), links.join(" or "));
  }

  /** With the specifiers of systemd.unit(5) that mean the same wherever this is read. */
  #text(key: string): string | undefined {
    const text = this.#values.get(key)?.text ?? "";
    const plain = text.replaceAll(/%[a%]/gu, "");
    if (plain.includes("%")) return undefined;
    return text === "" ? undefined : text.replaceAll(/%[a%]/gu, (specifier) => (specifier === "%a" ? "x86-64" : "%"));
  }

  #expect(key: string, is: (text: string) => boolean, expected: string): void {
    const text = this.#text(key);
    if (text === undefined || !is(text)) this.#complain(key, expected);
  }

  #complain(key: string, expected: string): undefined {
    const value = this.#values.get(key);
    const found = value === undefined ? "none" : JSON.stringify(value.text.slice(0, MAX_SHOWN_CHARACTERS));
    const message = `expected ${expected}, found ${found}`;
    const position = value === undefined ? {} : { position: { line: value.line, column: 1 } };
    this.#problems.push({ severity: "error", path: key, message, hint: "see the guide to extensions", ...position });
  }
}

/** Where administrators keep images; a node has them all in the first. */
const STORES = [EXTENSION_STORE, "/var/lib/extensions.d"];
const MAX_URL_CHARACTERS = 2048;
const MAX_SHOWN_CHARACTERS = 120;

/** The link by which Flatcar's layout, and sysupdate's CurrentSymlink, names the version in use. */
export function linkOfExtension(name: string): string {
  return `/etc/extensions/${name}.raw`;
}

/** `kubernetes-v1.33.@v-x86-64.raw` takes the versions `v1.33.*` of kubernetes. */
function readMatchPattern(text: string): { readonly name: string; readonly pattern: string } | undefined {
  const { name, before, after } = MATCH_PATTERN.exec(text)?.groups ?? {};
  if (name === undefined || !EXTENSION_NAME_PATTERN.test(name)) return undefined;
  const pattern = `${before ?? ""}*${after ?? ""}`;
  return isVersionGlob(pattern) ? { name, pattern } : undefined;
}

const MATCH_PATTERN =
  /^(?<name>[a-z0-9-]{1,63})-(?<before>[0-9A-Za-z.~+]{0,63})@v(?<after>[0-9A-Za-z.~+]{0,63})-x86-64\.raw$/u;

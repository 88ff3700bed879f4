import { hasErrors, type Problem, type Report } from "@ashlar/base";
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type MaintenanceWindow, WEEKDAYS, type Weekday } from "./maintenance-window.ts";

/** What `update.yaml` says. */
export type UpdatePolicy = {
  /** `https://`, `http://` or `file://`; without it this node is not updated. */
  readonly repository?: string;
  readonly channel: string;
  /** Only versions that this pattern matches, for example `1.1.*`, unless an order names one. */
  readonly pin?: string;
  /** `sha256:` and the digest of the SubjectPublicKeyInfo of a client certificate. */
  readonly operators: readonly string[];
  /** What follows when the policy itself (not an operator) has installed a release. */
  readonly reboot: "never" | "window" | "now";
  readonly window?: MaintenanceWindow;
  readonly maxBytesPerSecond?: number;
};

export type PolicyResult =
  | { readonly policy: UpdatePolicy; readonly report: Report }
  | { readonly policy?: undefined; readonly report: Report };

const MAX_CHARACTERS = 65_536;
const MAX_OPERATORS = 64;
const MAX_URL_CHARACTERS = 2048;
const MINUTES_PER_DAY = 1440;
const DEFAULTS: UpdatePolicy = { channel: "stable", operators: [], reboot: "never" };

/** Reads the text of an `update.yaml`. Without a policy the report says all that is wrong with it. */
export function parsePolicy(text: string): PolicyResult {
  if (text.length > MAX_CHARACTERS) {
    const message = `expected at most ${MAX_CHARACTERS} characters, found ${text.length}`;
    return { report: [{ severity: "error", message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error", merge: false });
  const reader = new Reader((offset) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  });
  for (const { message, pos } of document.errors) reader.complain(pos[0], "$", message, "this is not YAML");
  if (document.errors.length > 0) return { report: reader.problems };
  const policy = document.contents === null ? DEFAULTS : readPolicy(reader, document.contents);
  return hasErrors(reader.problems) ? { report: reader.problems } : { policy, report: reader.problems };
}

function readPolicy(reader: Reader, root: Node): UpdatePolicy {
  const found = reader.map(root, "$", {
    repository: (node, path) => reader.text(node, path, isRepository, "an https:, http: or file: URL"),
    channel: (node, path) => reader.text(node, path, isName, "a channel's name such as stable"),
    pin: (node, path) => reader.text(node, path, isPattern, "a pattern of versions such as 1.1.*"),
    operators: (node, path) =>
      reader.list(node, path, MAX_OPERATORS, (item, at) =>
        reader.text(item, at, isKey, "sha256: and 64 hexadecimal digits"),
      ),
    reboot: (node, path) => reader.choice<UpdatePolicy["reboot"]>(node, path, ["never", "window", "now"]),
    window: (node, path) => readWindow(reader, node, path),
    maxBytesPerSecond: (node, path) => reader.integer(node, path, 1024, 2 ** 40),
  });
  if (found.reboot === "window" && found.window === undefined) {
    const hint = "say when with `window: {start, durationMinutes, timeZone}`";
    reader.complain(root.range?.[0] ?? 0, "$.reboot", "expected a window, found none", hint);
  }
  return { ...DEFAULTS, ...found };
}

function readWindow(reader: Reader, node: Node, path: string): MaintenanceWindow | undefined {
  const found = reader.map(node, path, {
    days: (each, at) => reader.list(each, at, 7, (item, itemAt) => reader.choice<Weekday>(item, itemAt, WEEKDAYS)),
    start: (each, at) => reader.text(each, at, isTime, 'a time of day in quotes, such as "02:00"'),
    durationMinutes: (each, at) => reader.integer(each, at, 1, MINUTES_PER_DAY),
    timeZone: (each, at) => reader.text(each, at, isTimeZone, "a time zone such as Europe/Prague"),
  });
  const { days = WEEKDAYS, start, durationMinutes, timeZone = "UTC" } = found;
  for (const [name, value] of Object.entries({ start, durationMinutes })) {
    if (value === undefined) {
      reader.complain(node.range?.[0] ?? 0, `${path}.${name}`, "expected a value, found none", "a window needs both");
    }
  }
  if (start === undefined || durationMinutes === undefined) return undefined;
  return { days, start, durationMinutes, timeZone };
}

function isRepository(text: string): boolean {
  const url = URL.parse(text);
  return text.length <= MAX_URL_CHARACTERS && url !== null && ["https:", "http:", "file:"].includes(url.protocol);
}

function isName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/u.test(text);
}

function isPattern(text: string): boolean {
  return /^[0-9A-Za-z*?][0-9A-Za-z.~^+*?-]{0,63}$/u.test(text);
}

function isKey(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/u.test(text);
}

function isTime(text: string): boolean {
  return /^(?:[01]\d|2[0-3]):[0-5]\d$/u.test(text);
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

type Fields<Values> = { readonly [Name in keyof Values]: (node: Node, path: string) => Values[Name] | undefined };

/** Takes values out of a document and notes all that is wrong with them. */
class Reader {
  readonly problems: Problem[] = [];
  readonly #positionOf: (offset: number) => { readonly line: number; readonly column: number };

  constructor(positionOf: (offset: number) => { readonly line: number; readonly column: number }) {
    this.#positionOf = positionOf;
  }

  complain(offset: number, path: string, message: string, hint: string): undefined {
    this.problems.push({ severity: "error", message, hint, path, position: this.#positionOf(offset) });
  }

  map<Values extends object>(node: Node, path: string, fields: Fields<Values>): Partial<Values> {
    const found: Partial<Values> = {};
    if (!isMap(node)) {
      this.complain(node.range?.[0] ?? 0, path, "expected keys with values, found something else", KEYS_HINT);
      return found;
    }
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key) || typeof pair.key.value !== "string") {
        this.complain(node.range?.[0] ?? 0, path, "expected names as keys, found something else", KEYS_HINT);
        continue;
      }
      const name = pair.key.value;
      const offset = pair.key.range?.[0] ?? 0;
      if (!isFieldOf(fields, name)) {
        const known = Object.keys(fields).join(", ");
        this.complain(offset, `${path}.${name}`, `expected one of ${known}`, "remove the key, or mend its name");
        continue;
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a parsed document holds nothing but nodes
      const value = pair.value === null ? undefined : fields[name](pair.value as Node, `${path}.${name}`);
      if (pair.value === null) this.complain(offset, `${path}.${name}`, "expected a value, found none", "leave it out");
      if (value !== undefined) found[name] = value;
    }
    return found;
  }

  list<Item>(
    node: Node,
    path: string,
    maxItems: number,
    item: (node: Node, path: string) => Item | undefined,
  ): Item[] | undefined {
    if (!isSeq(node)) return this.#wrong(node, path, "a list");
    if (node.items.length > maxItems) return this.#wrong(node, path, `at most ${maxItems} items`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a parsed document holds nothing but nodes
    return node.items.flatMap((each, index) => item(each as Node, `${path}.${index}`) ?? []);
  }

  text(node: Node, path: string, is: (text: string) => boolean, expected: string): string | undefined {
    if (isScalar(node) && typeof node.value === "string" && is(node.value)) return node.value;
    return this.#wrong(node, path, expected);
  }

  choice<Choice extends string>(node: Node, path: string, choices: readonly Choice[]): Choice | undefined {
    const found = isScalar(node) ? choices.find((choice) => choice === node.value) : undefined;
    return found ?? this.#wrong(node, path, `one of ${choices.join(", ")}`);
  }

  integer(node: Node, path: string, min: number, max: number): number | undefined {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#wrong(node, path, `a whole number from ${min} to ${max}`);
  }

  #wrong(node: Node, path: string, expected: string): undefined {
    const found = isScalar(node) ? JSON.stringify(String(node.value)).slice(0, 80) : "something else";
    this.complain(node.range?.[0] ?? 0, path, `expected ${expected}, found ${found}`, "see the guide to updates");
  }
}

const KEYS_HINT = "write `name: value`, one a line";

function isFieldOf<Values>(fields: Fields<Values>, name: string): name is Extract<keyof Values, string> {
  return Object.hasOwn(fields, name);
}

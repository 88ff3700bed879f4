import { hasErrors, type Report } from "@ashlar/base";
import { readYaml, type YamlNode, type YamlReader } from "../yaml-document.ts";
import { type MaintenanceWindow, WEEKDAYS, type Weekday } from "./maintenance-window.ts";

/** What `update.yaml` says. */
export type UpdatePolicy = {
  /** `https://`, `http://` or `file://`; without it this node is not updated. */
  readonly repository?: string;
  /** Origins beside the repository's own that it may redirect to, for example `https://objects.example.org`. */
  readonly redirectsTo?: readonly string[];
  readonly channel: string;
  /** Only versions that this pattern matches, for example `1.1.*`, unless an order names one. */
  readonly pin?: string;
  /** `sha256:` and the digest of the SubjectPublicKeyInfo of a key that signs orders. */
  readonly operators: readonly string[];
  /** What follows when the policy itself (not an operator) has installed a release. */
  readonly reboot: "never" | "window" | "now";
  readonly window?: MaintenanceWindow;
  readonly maxBytesPerSecond?: number;
};

export type PolicyResult =
  | { readonly policy: UpdatePolicy; readonly report: Report }
  | { readonly policy?: undefined; readonly report: Report };

const LIMITS = { maxCharacters: 16_384, hint: "see the guide to updates" };
const MAX_OPERATORS = 64;
const MAX_ORIGINS = 8;
const MAX_URL_CHARACTERS = 2048;
const MINUTES_PER_DAY = 1440;
const DEFAULTS: UpdatePolicy = { channel: "stable", operators: [], reboot: "never" };

/** Reads the text of an `update.yaml`. Without a policy the report says all that is wrong with it. */
export function parsePolicy(text: string): PolicyResult {
  const { value, report } = readYaml(text, LIMITS, (reader, root) =>
    root === null ? DEFAULTS : readPolicy(reader, root),
  );
  return value === undefined || hasErrors(report) ? { report } : { policy: value, report };
}

function readPolicy(reader: YamlReader, root: YamlNode): UpdatePolicy {
  const found = reader.map(root, "$", {
    repository: (node, path) => reader.text(node, path, isRepository, "an https:, http: or file: URL"),
    redirectsTo: (node, path) =>
      reader.list(node, path, MAX_ORIGINS, (item, at) =>
        reader.text(item, at, isOrigin, "an origin such as https://objects.example.org"),
      ),
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

function readWindow(reader: YamlReader, node: YamlNode, path: string): MaintenanceWindow | undefined {
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

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ["https:", "http:"].includes(url.protocol) && url.origin === text;
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

export function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

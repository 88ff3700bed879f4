import { AshlarError } from "@ashlar/base";
import { forEachFileKind, type ReleaseFileKind } from "./file-names.ts";

/** What a repository offers, after its signatures have been checked. */
export type RepositoryIndex = {
  /** Version of the signed targets role: it only rises. */
  readonly serial: number;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly releases: ReadonlyMap<string, ReleaseEntry>;
};

export type Channel = {
  /** The release that this channel's nodes shall run. */
  readonly version: string;
  /** No node of this channel goes below it, whatever it is told. It only rises. */
  readonly minimumVersion: string;
};

export type ReleaseEntry = {
  readonly version: string;
  readonly withdrawn?: Withdrawal;
  readonly files: Readonly<Record<ReleaseFileKind, PublishedFile>>;
};

/** `at`: RFC 3339. */
export type Withdrawal = { readonly reason: string; readonly at: string };

/** A file in `releases/`. */
export type PublishedFile = { readonly name: string; readonly sizeBytes: number; readonly sha256: string };

/** The parts of TUF's targets role that hold the index; the models of tuf-js have this shape. */
export type SignedTargets = {
  readonly version: number;
  readonly targets: Readonly<
    Record<string, { readonly length: number; readonly hashes: Readonly<Record<string, string>> }>
  >;
  readonly unrecognizedFields: Readonly<Record<string, unknown>>;
};

/** The field of the targets role that says which targets make a release, and which release a channel has. */
export const INDEX_FIELD = "x-ashlar";
export const INDEX_SCHEMA = "ashlar.release-index/v1";

const MAX_RELEASES = 1000;
const MAX_CHANNELS = 64;
/** Of a withdrawal's reason. */
export const MAX_REASON_CHARACTERS = 1000;
const MAX_FILE_BYTES = 16 * 1024 ** 3;

const VERSION = /^[0-9A-Za-z][0-9A-Za-z.~^+-]{0,63}$/u;
const CHANNEL = /^[a-z][a-z0-9-]{0,31}$/u;
const FILE_NAME = /^ashlar_[0-9A-Za-z][0-9A-Za-z.~^+_-]{0,199}$/u;
const SHA256 = /^[0-9a-f]{64}$/u;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/u;

/** Names that would be taken for other directories of a repository. */
const RESERVED_CHANNELS: ReadonlySet<string> = new Set(["metadata", "releases"]);

/** @throws AshlarError `usage` */
export function checkChannelName(name: string): void {
  if (isChannelName(name)) return;
  throw new AshlarError("usage", `expected a channel's name, found ${JSON.stringify(name.slice(0, 80))}`, {
    hint: "use up to 32 lower-case letters, digits and -, for example stable",
  });
}

function isChannelName(name: string): boolean {
  return CHANNEL.test(name) && !RESERVED_CHANNELS.has(name);
}

/**
 * Takes the index out of a targets role whose signatures have been checked.
 *
 * @throws AshlarError `malformed` or `limit`; `invalid` when a channel names a release that is not there
 */
export function parseIndex({ version, targets, unrecognizedFields }: SignedTargets): RepositoryIndex {
  const index = object(unrecognizedFields[INDEX_FIELD], "$");
  if (index["schema"] !== INDEX_SCHEMA) fail("$.schema", INDEX_SCHEMA, index["schema"]);
  const releases = new Map<string, ReleaseEntry>();
  for (const [name, value] of entries(index["releases"], "$.releases", MAX_RELEASES)) {
    if (!VERSION.test(name)) fail("$.releases", "a version", name);
    releases.set(name, parseRelease(name, value, targets));
  }
  const channels = new Map<string, Channel>();
  for (const [name, value] of entries(index["channels"], "$.channels", MAX_CHANNELS)) {
    if (!isChannelName(name)) fail("$.channels", "a channel's name", name);
    channels.set(name, parseChannel(name, value, releases));
  }
  return { serial: version, channels, releases };
}

function parseRelease(version: string, value: unknown, targets: SignedTargets["targets"]): ReleaseEntry {
  const place = `$.releases.${version}`;
  const release = object(value, place);
  const names = object(release["files"], `${place}.files`);
  const file = (kind: ReleaseFileKind): PublishedFile => {
    const name = text(names[kind], FILE_NAME, `${place}.files.${kind}`, "a file name that begins with ashlar_");
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    const sha256 = target?.hashes["sha256"];
    if (target === undefined || sha256 === undefined || !SHA256.test(sha256)) {
      return fail(`${place}.files.${kind}`, "the name of a target with its SHA-256", name);
    }
    if (!Number.isSafeInteger(target.length) || target.length < 0 || target.length > MAX_FILE_BYTES) {
      return fail(`$.targets.${name}.length`, `at most ${MAX_FILE_BYTES} bytes`, target.length);
    }
    return { name, sizeBytes: target.length, sha256 };
  };
  const entry = { version, files: forEachFileKind(file) };
  if (release["withdrawn"] === undefined) return entry;
  const { reason, at } = object(release["withdrawn"], `${place}.withdrawn`);
  if (typeof reason !== "string" || reason.length > MAX_REASON_CHARACTERS) {
    return fail(`${place}.withdrawn.reason`, `a text of at most ${MAX_REASON_CHARACTERS} characters`, reason);
  }
  return { ...entry, withdrawn: { reason, at: text(at, TIME, `${place}.withdrawn.at`, "a time in UTC") } };
}

function parseChannel(name: string, value: unknown, releases: ReadonlyMap<string, ReleaseEntry>): Channel {
  const channel = object(value, `$.channels.${name}`);
  const version = text(channel["version"], VERSION, `$.channels.${name}.version`, "a version");
  const minimumVersion = text(channel["minimumVersion"], VERSION, `$.channels.${name}.minimumVersion`, "a version");
  if (!releases.has(version)) {
    throw new AshlarError("invalid", `release index: channel ${name} has version ${version}, which is not there`);
  }
  return { version, minimumVersion };
}

function object(value: unknown, place: string): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : fail(place, "an object", value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entries(value: unknown, place: string, max: number): [string, unknown][] {
  const found = Object.entries(object(value, place));
  if (found.length <= max) return found;
  throw new AshlarError("limit", `release index: expected at most ${max} entries at ${place}, found ${found.length}`);
}

function text(value: unknown, pattern: RegExp, place: string, expected: string): string {
  return typeof value === "string" && pattern.test(value) ? value : fail(place, expected, value);
}

function fail(place: string, expected: string, found: unknown): never {
  const shown = (JSON.stringify(found) ?? "nothing").slice(0, 100);
  throw new AshlarError("malformed", `release index: expected ${expected} at ${place}, found ${shown}`);
}

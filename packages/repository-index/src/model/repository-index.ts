import { AshlarError } from "@ashlar/base";
import { type ExtensionIndex, parseExtensions } from "./extension-entry.ts";
import { forEachFileKind, type ReleaseFileKind } from "./file-names.ts";
import {
  entries,
  fail,
  object,
  parseFile,
  parseWithdrawal,
  text,
  type PublishedFile,
  type SignedTargets,
  type Withdrawal,
} from "./index-fields.ts";

/** What a repository offers, after its signatures have been checked. */
export type RepositoryIndex = {
  /** Version of the signed targets role: it only rises. */
  readonly serial: number;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly releases: ReadonlyMap<string, ReleaseEntry>;
  readonly extensions: ExtensionIndex;
};

export type Channel = {
  /** The release that this channel's nodes shall run. */
  readonly version: string;
  /** No node of this channel goes below it, whatever it is told. It only rises. */
  readonly minimumVersion: string;
};

/** What was built before there was provenance has none. */
export type ReleaseFiles = Readonly<Record<ReleaseFileKind, PublishedFile>> & { readonly provenance?: PublishedFile };

export type ReleaseEntry = {
  readonly version: string;
  readonly withdrawn?: Withdrawal;
  /** In `releases/`. */
  readonly files: ReleaseFiles;
};

/** The field of the targets role that says which targets make a release or an extension, and what a channel has. */
export const INDEX_FIELD = "x-ashlar";
export const INDEX_SCHEMA = "ashlar.release-index/v1";

/** Of the targets role, as JSON: a release takes about 3 kB, a version of an extension 1 kB. */
export const MAX_TARGETS_BYTES: number = 4 * 1024 * 1024;
const MAX_RELEASES = 1000;
const MAX_CHANNELS = 64;

const VERSION = /^[0-9A-Za-z][0-9A-Za-z.~^+-]{0,63}$/u;
const CHANNEL = /^[a-z][a-z0-9-]{0,31}$/u;
const FILE_NAME = /^ashlar_[0-9A-Za-z][0-9A-Za-z.~^+_-]{0,199}$/u;

/** Names that would be taken for other directories of a repository. */
const RESERVED_CHANNELS: ReadonlySet<string> = new Set(["metadata", "releases", "extensions"]);

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
export function parseIndex(signed: SignedTargets): RepositoryIndex {
  const index = object(signed.unrecognizedFields[INDEX_FIELD], "$");
  if (index["schema"] !== INDEX_SCHEMA) fail("$.schema", INDEX_SCHEMA, index["schema"]);
  const releases = new Map<string, ReleaseEntry>();
  for (const [name, value] of entries(index["releases"], "$.releases", MAX_RELEASES)) {
    if (!VERSION.test(name)) fail("$.releases", "a version", name);
    releases.set(name, parseRelease(name, value, signed));
  }
  const channels = new Map<string, Channel>();
  for (const [name, value] of entries(index["channels"], "$.channels", MAX_CHANNELS)) {
    if (!isChannelName(name)) fail("$.channels", "a channel's name", name);
    channels.set(name, parseChannel(name, value, releases));
  }
  return { serial: signed.version, channels, releases, extensions: parseExtensions(index["extensions"], signed) };
}

function parseRelease(version: string, value: unknown, signed: SignedTargets): ReleaseEntry {
  const place = `$.releases.${version}`;
  const release = object(value, place);
  const names = object(release["files"], `${place}.files`);
  const fileAt = (kind: ReleaseFileKind | "provenance"): PublishedFile => {
    const own = `${place}.files.${kind}`;
    return parseFile(signed, {
      name: text(names[kind], FILE_NAME, own, "a file name that begins with ashlar_"),
      place: own,
    });
  };
  const provenance = names["provenance"] === undefined ? undefined : fileAt("provenance");
  const files = { ...forEachFileKind(fileAt), ...(provenance && { provenance }) };
  const entry = { version, files };
  if (release["withdrawn"] === undefined) return entry;
  return { ...entry, withdrawn: parseWithdrawal(release["withdrawn"], `${place}.withdrawn`) };
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

/** @throws AshlarError `not-found` */
export function findRelease(index: RepositoryIndex, version: string): ReleaseEntry {
  const release = index.releases.get(version);
  if (release !== undefined) return release;
  throw new AshlarError("not-found", `the repository has no release ${version}`);
}

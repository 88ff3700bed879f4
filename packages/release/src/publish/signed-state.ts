import { hash } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import {
  type Key,
  Metadata,
  MetadataKind,
  MetaFile,
  Root,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from "@tufjs/models";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { createTufSigner } from "../keys/tuf-signer.ts";
import type { KeyDirectory, KeyName } from "../keys/key-directory.ts";
import { sortedExtensions } from "../model/edit-extensions.ts";
import { extensionDirectory } from "../model/extension-entry.ts";
import {
  INDEX_FIELD,
  INDEX_SCHEMA,
  MAX_TARGETS_BYTES,
  parseIndex,
  type RepositoryIndex,
} from "../model/repository-index.ts";
import type { RepositoryFiles } from "./repository-files.ts";

/** How long a role's metadata holds. */
export type Lifetimes = {
  /** Of the timestamp role: how long an attacker can hide a new release from a node. */
  readonly timestampDays: number;
  /** Of the other roles. */
  readonly roleDays: number;
};

/** What a repository's metadata says now. */
export type SignedState = {
  readonly index: RepositoryIndex;
  readonly root: SignedRole & { readonly bytes: Buffer };
  readonly targets: SignedRole & { readonly bytes: Buffer };
  readonly snapshot: SignedRole;
  readonly timestamp: SignedRole;
};

export type SignedRole = { readonly version: number; readonly expires: string };

const DAY_MS = 24 * 60 * 60 * 1000;
const SPEC_VERSION = "1.0.31";
const MAX_ROOTS = 1000;

/**
 * Reads a repository's metadata, signatures checked from the root that the key directory holds: whoever can write to the
 * web server's files must not get anything signed. Expired metadata is read too, since it is here that it is renewed.
 *
 * @returns undefined when the repository has no metadata yet
 * @throws AshlarError `untrusted`, `malformed`
 */
export async function readSignedState(files: RepositoryFiles, keys: KeyDirectory): Promise<SignedState | undefined> {
  const trustedRoot = await keys.trustedRoot();
  if (trustedRoot === undefined || !(await files.has("metadata/timestamp.json"))) return undefined;
  try {
    return await readChain(files, trustedRoot);
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError("untrusted", `the metadata of ${files.root}: ${messageOf(error)}`, {
      hint: "it was changed by somebody without the keys, or belongs to other keys: restore it from a backup",
      cause: error,
    });
  }
}

async function readChain(files: RepositoryFiles, trustedRoot: Buffer): Promise<SignedState> {
  const store = new TrustedMetadataStore(trustedRoot);
  // Nothing has expired in 1970.
  Object.assign(store, { referenceTime: new Date(0) });
  let rootBytes = trustedRoot;
  for (let count = 0; count < MAX_ROOTS; count++) {
    const next = await files.read(`metadata/${store.root.signed.version + 1}.root.json`);
    if (next === undefined) break;
    store.updateRoot(next);
    rootBytes = next;
  }
  const timestamp = store.updateTimestamp(await readPart(files, "timestamp.json")).signed;
  const snapshot = store.updateSnapshot(
    await readPart(files, `${timestamp.snapshotMeta.version}.snapshot.json`),
  ).signed;
  const bytes = await readPart(files, `${snapshot.meta["targets.json"]?.version ?? 0}.targets.json`);
  store.updateDelegatedTargets(bytes, "targets", "root");
  const targets = store.targets?.signed;
  if (targets === undefined) throw new RangeError("the store has just accepted the targets");
  const root = { version: store.root.signed.version, expires: store.root.signed.expires, bytes: rootBytes };
  return {
    index: parseIndex(targets),
    root,
    targets: { ...roleOf(targets), bytes },
    snapshot: roleOf(snapshot),
    timestamp: roleOf(timestamp),
  };
}

function roleOf({ version, expires }: SignedRole): SignedRole {
  return { version, expires };
}

async function readPart(files: RepositoryFiles, name: string): Promise<Buffer> {
  const bytes = await files.read(`metadata/${name}`);
  if (bytes !== undefined) return bytes;
  throw new AshlarError("untrusted", `${files.path("metadata", name)} is missing`, {
    hint: "restore it from a backup",
  });
}

/** A first root role, which names the keys of the directory. */
export async function signFirstRoot(keys: KeyDirectory, nowMs: number, days: number): Promise<Buffer> {
  const keyOf = async (name: KeyName): Promise<Key> => createTufSigner(await keys.signingKey(name)).key;
  const [targets, online] = [await keyOf("targets"), await keyOf("online")];
  const root = new Root({
    version: 1,
    specVersion: SPEC_VERSION,
    expires: expiry(nowMs, days),
    consistentSnapshot: true,
  });
  root.addKey(await keyOf("root"), "root");
  root.addKey(targets, "targets");
  root.addKey(online, "snapshot");
  root.addKey(online, "timestamp");
  return await signRole(keys, "root", root);
}

/** The same keys for some more time. */
export async function renewRoot(keys: KeyDirectory, bytes: Buffer, nowMs: number, days: number): Promise<Buffer> {
  const {
    keys: known,
    roles,
    consistentSnapshot,
    version,
  } = Metadata.fromJSON(MetadataKind.Root, JSON.parse(bytes.toString("utf8"))).signed;
  const expires = expiry(nowMs, days);
  const next = new Root({
    version: version + 1,
    specVersion: SPEC_VERSION,
    expires,
    keys: known,
    roles,
    consistentSnapshot,
  });
  return await signRole(keys, "root", next);
}

/**
 * Signs and writes the next state. The timestamp, written last, makes it the current one: until then readers see the old.
 *
 * @param index undefined: what is published stays as it is, only the dates are renewed
 * @throws AshlarError `limit` when there is more in the index than readers accept
 * @param previous undefined for a new repository
 */
export async function writeSignedState(
  files: RepositoryFiles,
  keys: KeyDirectory,
  change: {
    readonly previous: SignedState | undefined;
    readonly index: RepositoryIndex | undefined;
    readonly nowMs: number;
    readonly lifetimes: Lifetimes;
  },
): Promise<void> {
  const { previous, index, nowMs, lifetimes } = change;
  const expires = expiry(nowMs, lifetimes.roleDays);
  const next = (role: SignedRole | undefined): number => (role?.version ?? 0) + 1;

  let targets: { version: number; bytes: Buffer } | undefined = previous?.targets;
  if (index !== undefined || targets === undefined) {
    const version = next(previous?.targets);
    const content = index === undefined ? {} : indexFields(index);
    const role = new Targets({ version, specVersion: SPEC_VERSION, expires, ...content });
    if (index !== undefined) parseIndex(role);
    targets = { version, bytes: await signRole(keys, "targets", role) };
    expectReadable(targets.bytes);
    await files.write(`metadata/${version}.targets.json`, targets.bytes);
  }

  const snapshotVersion = next(previous?.snapshot);
  const meta = { "targets.json": metaOf(targets) };
  const snapshot = await signRole(
    keys,
    "online",
    new Snapshot({ version: snapshotVersion, specVersion: SPEC_VERSION, expires, meta }),
  );
  await files.write(`metadata/${snapshotVersion}.snapshot.json`, snapshot);

  const timestamp = new Timestamp({
    version: next(previous?.timestamp),
    specVersion: SPEC_VERSION,
    expires: expiry(nowMs, lifetimes.timestampDays),
    snapshotMeta: metaOf({ version: snapshotVersion, bytes: snapshot }),
  });
  await files.write("metadata/timestamp.json", await signRole(keys, "online", timestamp));
}

/** Nothing is signed that nobody could read. */
function expectReadable({ length }: Buffer): void {
  if (length <= MAX_TARGETS_BYTES) return;
  const hint = "remove old versions with `ashlar release gc` and `ashlar extension gc`";
  throw new AshlarError(
    "limit",
    `repository: expected an index of at most ${MAX_TARGETS_BYTES} bytes, found ${length}`,
    {
      hint,
    },
  );
}

function indexFields(index: RepositoryIndex): {
  targets: Record<string, TargetFile>;
  unrecognizedFields: Record<string, object>;
} {
  const targets: Record<string, TargetFile> = {};
  const releases: Record<string, object> = {};
  for (const [version, { files, withdrawn }] of index.releases) {
    for (const { name, sizeBytes, sha256 } of Object.values(files)) {
      targets[name] = new TargetFile({ path: name, length: sizeBytes, hashes: { sha256 } });
    }
    const names = Object.fromEntries(Object.entries(files).map(([kind, { name }]) => [kind, name]));
    releases[version] = { files: names, ...(withdrawn && { withdrawn }) };
  }
  const extensions: Record<string, Record<string, object>> = {};
  for (const { name, version, files, ...entry } of sortedExtensions(index)) {
    for (const { name: fileName, sizeBytes, sha256 } of Object.values(files)) {
      const path = `${extensionDirectory(name)}/${fileName}`;
      targets[path] = new TargetFile({ path, length: sizeBytes, hashes: { sha256 } });
    }
    extensions[name] = { ...extensions[name], [version]: entry };
  }
  const content = { schema: INDEX_SCHEMA, channels: Object.fromEntries(index.channels), releases, extensions };
  return { targets, unrecognizedFields: { [INDEX_FIELD]: content } };
}

async function signRole(
  keys: KeyDirectory,
  name: KeyName,
  role: Root | Targets | Snapshot | Timestamp,
): Promise<Buffer> {
  const metadata = new Metadata(role);
  metadata.sign(createTufSigner(await keys.signingKey(name)).sign);
  return Buffer.from(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`);
}

function metaOf({ version, bytes }: { version: number; bytes: Buffer }): MetaFile {
  return new MetaFile({ version, length: bytes.length, hashes: { sha256: hash("sha256", bytes) } });
}

/** TUF has whole seconds. */
function expiry(nowMs: number, days: number): string {
  return new Date(nowMs + days * DAY_MS).toISOString().replace(/\.\d+Z$/u, "Z");
}

/** Whether less than half of its life is left. */
export function isDue({ expires }: SignedRole, nowMs: number, days: number): boolean {
  return Date.parse(expires) - nowMs < (days * DAY_MS) / 2;
}

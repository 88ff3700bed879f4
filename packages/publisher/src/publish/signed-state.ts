import { hash } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import { type Metadata, MetaFile, type Root, Snapshot, TargetFile, Targets, Timestamp } from "@tufjs/models";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import type { KeyDirectory } from "@ashlar/keys";
import {
  sortedExtensions,
  extensionDirectory,
  INDEX_FIELD,
  INDEX_SCHEMA,
  MAX_TARGETS_BYTES,
  parseIndex,
  MAX_ROOTS,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import type { RepositoryFiles } from "./repository-files.ts";
import { expiry, SPEC_VERSION, signedBytes, type Signers } from "./sign-role.ts";

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
  readonly root: SignedRole & { readonly bytes: Buffer; readonly metadata: Metadata<Root> };
  readonly targets: SignedRole & { readonly bytes: Buffer; readonly metadata: Metadata<Targets> };
  readonly snapshot: SignedRole & { readonly metadata: Metadata<Snapshot> };
  readonly timestamp: SignedRole & { readonly metadata: Metadata<Timestamp> };
};

export type SignedRole = { readonly version: number; readonly expires: string };

/**
 * Reads a repository's metadata, signatures checked from the root that the key directory holds: whoever can write to the
 * web server's files must not get anything signed. Expired metadata is read too, since it is here that it is renewed.
 *
 * @param lastRoot the version of the newest root role to look at: how the repository was before a rotation
 * @returns undefined when the repository has no metadata yet
 * @throws AshlarError `untrusted`, `malformed`
 */
export async function readSignedState(
  files: RepositoryFiles,
  keys: KeyDirectory,
  lastRoot: number = Infinity,
): Promise<SignedState | undefined> {
  const trustedRoot = await keys.trustedRoot();
  if (trustedRoot === undefined || !(await files.has("metadata/timestamp.json"))) return undefined;
  try {
    return await readChain(files, trustedRoot, lastRoot);
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError("untrusted", `the metadata of ${files.root}: ${messageOf(error)}`, {
      hint: "it was changed by somebody without the keys, or belongs to other keys: restore it from a backup",
      cause: error,
    });
  }
}

async function readChain(files: RepositoryFiles, trustedRoot: Buffer, lastRoot: number): Promise<SignedState> {
  const store = new TrustedMetadataStore(trustedRoot);
  // Nothing has expired in 1970.
  Object.assign(store, { referenceTime: new Date(0) });
  let rootBytes = trustedRoot;
  for (let count = 0; count < MAX_ROOTS && store.root.signed.version < lastRoot; count++) {
    const next = await files.read(`metadata/${store.root.signed.version + 1}.root.json`);
    if (next === undefined) break;
    store.updateRoot(next);
    rootBytes = next;
  }
  const timestamp = store.updateTimestamp(await readPart(files, "timestamp.json"));
  const snapshotName = `${timestamp.signed.snapshotMeta.version}.snapshot.json`;
  const snapshot = store.updateSnapshot(await readPart(files, snapshotName));
  const targetsName = `${snapshot.signed.meta["targets.json"]?.version ?? 0}.targets.json`;
  const bytes = await readPart(files, targetsName);
  store.updateDelegatedTargets(bytes, "targets", "root");
  if (store.targets === undefined) throw new RangeError("the store has just accepted the targets");
  return {
    index: parseIndex(store.targets.signed),
    root: { ...roleOf(store.root), bytes: rootBytes },
    targets: { ...roleOf(store.targets), bytes },
    snapshot: roleOf(snapshot),
    timestamp: roleOf(timestamp),
  };
}

function roleOf<T extends Root | Targets | Snapshot | Timestamp>(
  metadata: Metadata<T>,
): SignedRole & { readonly metadata: Metadata<T> } {
  const { version, expires } = metadata.signed;
  return { version, expires, metadata };
}

async function readPart(files: RepositoryFiles, name: string): Promise<Buffer> {
  const bytes = await files.read(`metadata/${name}`);
  if (bytes !== undefined) return bytes;
  throw new AshlarError("untrusted", `${files.path("metadata", name)} is missing`, {
    hint: "restore it from a backup",
  });
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
  signers: Signers,
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
    targets = { version, bytes: signedBytes(role, await signers.targets()) };
    expectReadable(targets.bytes);
    await files.write(`metadata/${version}.targets.json`, targets.bytes);
  }

  const snapshotVersion = next(previous?.snapshot);
  const meta = { "targets.json": metaOf(targets) };
  const online = await signers.online();
  const snapshot = signedBytes(
    new Snapshot({ version: snapshotVersion, specVersion: SPEC_VERSION, expires, meta }),
    online,
  );
  await files.write(`metadata/${snapshotVersion}.snapshot.json`, snapshot);

  const timestamp = new Timestamp({
    version: next(previous?.timestamp),
    specVersion: SPEC_VERSION,
    expires: expiry(nowMs, lifetimes.timestampDays),
    snapshotMeta: metaOf({ version: snapshotVersion, bytes: snapshot }),
  });
  await files.write("metadata/timestamp.json", signedBytes(timestamp, online));
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

function metaOf({ version, bytes }: { version: number; bytes: Buffer }): MetaFile {
  return new MetaFile({ version, length: bytes.length, hashes: { sha256: hash("sha256", bytes) } });
}

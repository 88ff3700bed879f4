/** For tests: small releases, and a repository of them with every key at hand, so that it can also be signed wrongly. */
import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  hashBlockDigests,
  upperVerityLevels,
  verityLayout,
  type VeritySuperblock,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { Key, Metadata, MetaFile, Root, Signature, Snapshot, TargetFile, Targets, Timestamp } from "@tufjs/models";
import {
  BLOCK_BYTES,
  EXTENSION_FILE_KINDS,
  extensionDirectory,
  extensionFileNames,
  RELEASE_FILE_KINDS,
  releaseFileNames,
  summaryOf,
  INDEX_FIELD,
  INDEX_SCHEMA,
  type ReleaseSummary,
} from "@ashlar/repository-index";
import { hashImage, readTree, rootHashOfTree } from "@ashlar/volumes";
import { writeBlocks } from "./blocks/write-blocks.ts";

export const NOW_MS: number = Date.UTC(2026, 10, 22);
const DAY_MS = 24 * 3600 * 1000;
const SALT = Buffer.alloc(32, 7);
const VERITY_UUID = "01234567-89ab-8def-8123-456789abcdef";

export type TestImage = { readonly data: Buffer; readonly tree: Buffer; readonly rootHash: string };

/** Blocks of text that compresses, numbered by `contents`. */
export function imageOf(contents: readonly number[], salt: Uint8Array = SALT): TestImage {
  const data = Buffer.concat(contents.map(blockOf));
  const { bytes, rootHash } = treeOf(data, { algorithm: "sha256", salt, uuid: VERITY_UUID });
  return { data, tree: bytes, rootHash };
}

/** The hash tree of some data, superblock included. */
export function treeOf(
  data: Buffer,
  { algorithm, salt, uuid }: Pick<VeritySuperblock, "algorithm" | "salt" | "uuid">,
): { readonly bytes: Buffer; readonly rootHash: string } {
  const dataBlocks = data.length / BLOCK_BYTES;
  const blockSizes = { dataBlockSizeBytes: BLOCK_BYTES, hashBlockSizeBytes: BLOCK_BYTES };
  const parameters = { algorithm, salt, dataBlocks, ...blockSizes };
  const { levels, hashSizeBytes } = verityLayout(parameters);
  const leaves = Buffer.alloc((levels[0]?.blocks ?? 0) * BLOCK_BYTES);
  leaves.set(hashBlockDigests(parameters, data));
  const upper = upperVerityLevels(parameters, hashBlockDigests(parameters, leaves));
  const bytes = Buffer.alloc(hashSizeBytes);
  bytes.set(writeVeritySuperblock({ ...parameters, uuid }));
  for (const [index, level] of [leaves, ...upper.levels].entries()) bytes.set(level, levels[index]?.offsetBytes);
  return { bytes, rootHash: Buffer.from(upper.rootHash).toString("hex") };
}

/** Each third block is noise, which does not compress. */
export function blockOf(content: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  for (let offset = 0; offset < BLOCK_BYTES; offset += 32) {
    block.set(Buffer.from(hash("sha256", `${content} ${content % 3 === 0 ? offset : 0}`), "hex"), offset);
  }
  return block;
}

export type TestRole = "root" | "targets" | "snapshot" | "timestamp";
type Signed = Root | Targets | Snapshot | Timestamp;
type TestKey = { readonly key: Key; readonly privateKey: KeyObject };

export function makeKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const keyVal = { public: publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex") };
  const keyID = hash("sha256", keyVal.public);
  return { key: new Key({ keyID, keyType: "ed25519", scheme: "ed25519", keyVal }), privateKey };
}

export class TestRepository {
  readonly directory: string;
  readonly keys: Record<TestRole, TestKey> = {
    root: makeKey(),
    targets: makeKey(),
    snapshot: makeKey(),
    timestamp: makeKey(),
  };
  /** Of each role, when it is written next. */
  readonly versions: Record<TestRole, number> = { root: 1, targets: 1, snapshot: 1, timestamp: 1 };
  readonly expires: Record<TestRole, string> = {
    root: days(365),
    targets: days(90),
    snapshot: days(90),
    timestamp: days(7),
  };
  readonly #targets: Record<string, TargetFile> = {};
  readonly #releases: Record<string, { files: Record<string, string> }> = {};
  readonly #extensions: Record<string, Record<string, Record<string, string>>> = {};

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Signs and writes all roles; `root` only when its version has no file yet. Gives the trusted root. */
  async sign(): Promise<Buffer> {
    await mkdir(join(this.directory, "metadata"), { recursive: true });
    const rootPath = join(this.directory, `metadata/${this.versions.root}.root.json`);
    if (!(await exists(rootPath))) await writeFile(rootPath, this.signed(this.rootRole(), [this.keys.root]));
    const newest = Object.keys(this.#releases).at(-1);
    const channels = newest === undefined ? {} : { stable: { version: newest, minimumVersion: "1.0.0" } };
    const targets = new Targets({
      version: this.versions.targets,
      specVersion: "1.0.31",
      expires: this.expires.targets,
      targets: this.#targets,
      unrecognizedFields: {
        [INDEX_FIELD]: { schema: INDEX_SCHEMA, releases: this.#releases, channels, extensions: this.#extensions },
      },
    });
    const targetsBytes = this.signed(targets, [this.keys.targets]);
    await this.write(`metadata/${this.versions.targets}.targets.json`, targetsBytes);
    await this.signSnapshot(targetsBytes);
    return await readFile(rootPath);
  }

  async signSnapshot(targetsBytes: Buffer): Promise<void> {
    const snapshot = new Snapshot({
      version: this.versions.snapshot,
      specVersion: "1.0.31",
      expires: this.expires.snapshot,
      meta: { "targets.json": metaOf(this.versions.targets, targetsBytes) },
    });
    const snapshotBytes = this.signed(snapshot, [this.keys.snapshot]);
    await this.write(`metadata/${this.versions.snapshot}.snapshot.json`, snapshotBytes);
    const timestamp = new Timestamp({
      version: this.versions.timestamp,
      specVersion: "1.0.31",
      expires: this.expires.timestamp,
      snapshotMeta: metaOf(this.versions.snapshot, snapshotBytes),
    });
    await this.write("metadata/timestamp.json", this.signed(timestamp, [this.keys.timestamp]));
  }

  rootRole(keys: Record<TestRole, TestKey> = this.keys): Root {
    const { version, expires } = { version: this.versions.root, expires: this.expires.root };
    const root = new Root({ version, expires, specVersion: "1.0.31", consistentSnapshot: true });
    for (const [role, { key }] of Object.entries(keys)) root.addKey(key, role);
    return root;
  }

  signed(role: Signed, keys: readonly TestKey[]): Buffer {
    const metadata = new Metadata<Signed>(role);
    for (const { key, privateKey } of keys) {
      metadata.sign((bytes) => new Signature({ keyID: key.keyID, sig: sign(null, bytes, privateKey).toString("hex") }));
    }
    return Buffer.from(JSON.stringify(metadata.toJSON()));
  }

  /** The next state: later versions of everything but the root. */
  raise(): void {
    for (const role of ["targets", "snapshot", "timestamp"] as const) this.versions[role] += 1;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await writeFile(join(this.directory, path), bytes);
  }

  /** Adds a release; it is there after the next {@link sign}. */
  async addRelease(
    version: string,
    image: TestImage,
    uki: Buffer = Buffer.alloc(50_000, version),
  ): Promise<ReleaseSummary> {
    await mkdir(join(this.directory, "releases"), { recursive: true });
    const summary = summaryFor(version, image, uki);
    // As of a publisher who had none.
    const { provenance: _, ...names } = releaseFileNames(summary);
    const at = (name: string): string => join(this.directory, "releases", name);
    for (const kind of RELEASE_FILE_KINDS) await writeFile(at(names[kind]), `${kind} of ${version}`);
    await writeFile(at(names.summary), JSON.stringify(summary));
    await writeFile(at(names.uki), uki);
    const [dataPath, treePath] = [at("data"), at("tree")];
    await writeFile(dataPath, image.data);
    await writeFile(treePath, image.tree);
    await writeBlocks({
      dataPath,
      tree: await readTree(treePath),
      out: at(names.usrBlocks),
    });
    for (const name of Object.values(names)) this.#addTarget(name, await readFile(at(name)));
    this.#releases[version] = { files: names };
    return summary;
  }

  /** Adds an extension whose image is some bytes; it is there after the next {@link sign}. */
  async addExtension(name: string, version: string, image: Buffer, isNew?: Uint8Array): Promise<void> {
    const directory = extensionDirectory(name);
    await mkdir(join(this.directory, directory), { recursive: true });
    const { provenance: _, ...names } = extensionFileNames({ name, version });
    const at = (file: string): string => join(this.directory, directory, file);
    for (const kind of EXTENSION_FILE_KINDS) await writeFile(at(names[kind]), `${kind} of ${version}`);
    await writeFile(at(names.image), image);
    await using file = await open(at(names.image), "r");
    const tree = await hashImage(file, undefined);
    await writeBlocks({ dataPath: at(names.image), tree, isNew, out: at(names.blocks) });
    for (const each of Object.values(names)) this.#addTarget(`${directory}/${each}`, await readFile(at(each)));
    const entry = { kind: "sysext", tier: "community", rootHash: "0".repeat(64), blocksRootHash: rootHashOfTree(tree) };
    this.#extensions[name] = { ...this.#extensions[name], [version]: entry };
  }

  #addTarget(path: string, bytes: Buffer): void {
    this.#targets[path] = new TargetFile({ path, length: bytes.length, hashes: { sha256: hash("sha256", bytes) } });
  }
}

export function summaryFor(version: string, { data, tree, rootHash }: TestImage, uki: Buffer): ReleaseSummary {
  const summary = summaryOf(testRelease(version, version, [], rootHash));
  const uuidOf = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, "$1-$2-$3-$4-$5");
  return {
    ...summary,
    usr: {
      rootHash,
      salt: SALT.toString("hex"),
      uuid: VERITY_UUID,
      dataSizeBytes: data.length,
      sha256: hash("sha256", data),
      verity: { sha256: hash("sha256", tree), sizeBytes: tree.length },
      dataPartitionUuid: uuidOf(rootHash),
      hashPartitionUuid: uuidOf(rootHash.slice(32)),
    },
    uki: { ...summary.uki, sha256: hash("sha256", uki), sizeBytes: uki.length },
  };
}

export function days(count: number): string {
  return new Date(NOW_MS + count * DAY_MS).toISOString().replace(/\.\d+Z$/u, "Z");
}

function metaOf(version: number, bytes: Buffer): MetaFile {
  return new MetaFile({ version, length: bytes.length, hashes: { sha256: hash("sha256", bytes) } });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

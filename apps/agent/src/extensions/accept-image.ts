import { createHash, X509Certificate } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
} from "node:fs";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  type Ddi,
  openDdiData,
  parseDdi,
  type ReadBytes,
  readErofsContent,
  verifyRootHashSignature,
} from "@ashlar/formats";
import { type ExtensionBehaviour, type ExtensionKind, readExtension } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";

/** An extension image whose signature holds and which fits this host. */
export type AcceptedImage = {
  readonly path: string;
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly version: string;
  readonly rootHash: string;
  readonly behaviour: ExtensionBehaviour;
  /** Everything in it, with absolute paths. */
  readonly entries: readonly { readonly path: string; readonly type: "file" | "directory" | "link" }[];
};

export type Host = {
  /** Of os-release: what `extension-release` files must agree with. */
  readonly id: string;
  readonly levels: Readonly<Record<ExtensionKind, string>>;
  /** Those in the image's own /usr/lib/verity.d: no other directory counts. */
  readonly certificates: readonly X509Certificate[];
};

type Expected = { readonly kind?: ExtensionKind; readonly name: string; readonly version: string };

const CERTIFICATES = "usr/lib/verity.d";
const MAX_CERTIFICATES = 16;

/** From /usr without what is merged over it: an extension must not bring certificates. */
export function readNodeHost({ base }: Pick<ExtensionPaths, "base">): Host {
  const text = readFileSync(join(base, "usr/lib/os-release"), "utf8");
  const field = (name: string): string =>
    new RegExp(`^${name}="?(?<value>[^"\\n]*)"?$`, "mu").exec(text)?.groups?.["value"] ?? "";
  const levels = { sysext: field("SYSEXT_LEVEL"), confext: field("CONFEXT_LEVEL") };
  return { id: field("ID"), levels, certificates: readCertificates(join(base, CERTIFICATES)) };
}

function readCertificates(directory: string): X509Certificate[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith(".crt"));
  } catch {
    // An image that was built without keys trusts nobody.
  }
  return names.slice(0, MAX_CERTIFICATES).map((name) => new X509Certificate(readFileSync(join(directory, name))));
}

/**
 * Reads an image's partition table, checks its signature, and reads its file system with each block checked against the
 * signed root hash. Blocks that are not needed for that are left to the kernel, which checks each when it is read. What was
 * accepted once is not read again as long as the file is the same.
 *
 * @throws AshlarError why it must not be merged
 */
export function acceptImage(path: string, expected: Expected, host: Host): AcceptedImage {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const known = accepted.get(path);
  if (stat !== undefined && known?.key === keyOf(stat, expected, host)) return known.image;
  return withImage(path, (ddi, read, file) => {
    const image = readImage(path, ddi, read, expected, host);
    if (isSettled(file)) accepted.set(path, { key: keyOf(file, expected, host), image });
    return image;
  });
}

/** By their paths. */
const accepted: Map<string, { readonly key: string; readonly image: AcceptedImage }> = new Map();

/** Everything that an acceptance follows from. */
function keyOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats, expected: Expected, host: Host): string {
  const file = [dev, ino, size, mtimeNs, ctimeNs].map(String);
  const certificates = host.certificates.map(({ fingerprint256 }) => fingerprint256);
  return JSON.stringify([file, expected.kind, expected.name, expected.version, host.id, host.levels, certificates]);
}

/** The kernel's clock stands still for some milliseconds: a file might change and look the same. */
function isSettled({ ctimeMs }: BigIntStats): boolean {
  return Date.now() - Number(ctimeMs) > SETTLED_MS;
}

const SETTLED_MS = 1000;

function readImage(path: string, ddi: Ddi, read: ReadBytes, expected: Expected, host: Host): AcceptedImage {
  verifyRootHashSignature(ddi.signed, host.certificates);
  const data = openDdiData(ddi, read);
  const { kind, name, version, host: wanted, behaviour, entries } = readExtension(data.read, data.sizeBytes);
  expectSame("name", expected.name, name);
  expectSame("version", expected.version, version);
  if (expected.kind !== undefined) expectSame("kind", expected.kind, kind);
  if (wanted.id !== "_any") {
    expectSame("ID", host.id, wanted.id);
    const level = `${kind.toUpperCase()}_LEVEL`;
    expectSame(level, host.levels[kind], wanted.level ?? "none");
  }
  const { rootHash } = ddi.signed;
  const listed = entries.map((entry) => ({ path: entry.path, type: entry.type }));
  return { path, kind, name, version, rootHash, behaviour, entries: listed };
}

/**
 * What some files of an accepted image are, each block checked again: two that are alike have the same text.
 *
 * @throws AshlarError when the image has changed in the meantime
 */
export function describeFiles({ path, rootHash }: AcceptedImage, paths: ReadonlySet<string>): Map<string, string> {
  return withImage(path, (ddi, read) => {
    if (ddi.signed.rootHash !== rootHash) throw new AshlarError("conflict", `${path} has changed`);
    const data = openDdiData(ddi, read);
    const { image, entries } = readExtension(data.read, data.sizeBytes);
    const wanted = entries.filter((entry) => paths.has(entry.path));
    return new Map(
      wanted.map(({ path: inside, type, inode }) => {
        const digest = createHash("sha256");
        if (type !== "directory") readErofsContent(image, inode, (piece) => void digest.update(piece));
        return [inside, `${type} ${inode.mode} ${digest.digest("hex")}`];
      }),
    );
  });
}

const MAX_NAMED_BLOCKS = 16;

/**
 * Reads every block of an image's data, and gives the numbers of the first damaged ones. The signature is not looked at.
 *
 * @throws AshlarError what is wrong apart from that
 */
export function readWholeImage(path: string): number[] {
  return withImage(path, (ddi, read) => openDdiData(ddi, read).findDamagedBlocks(MAX_NAMED_BLOCKS));
}

/** Opens an image and reads its partition table; nothing has looked at its signature yet. */
function withImage<Result>(path: string, use: (ddi: Ddi, read: ReadBytes, stat: BigIntStats) => Result): Result {
  const file = openImage(path);
  try {
    const read: ReadBytes = (offsetBytes, sizeBytes) => readAll(file, path, offsetBytes, sizeBytes);
    const stat = fstatSync(file, { bigint: true });
    return use(parseDdi(read, Number(stat.size)), read, stat);
  } finally {
    closeSync(file);
  }
}

function expectSame(what: string, expected: string, found: string): void {
  if (expected !== found) throw new AshlarError("invalid", `expected ${what} ${expected}, found ${found}`);
}

function openImage(path: string): number {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (error) {
    throw new AshlarError("not-found", `cannot be read: ${String(error)}`, { cause: error });
  }
  throw new AshlarError("invalid", "expected a regular file");
}

function readAll(file: number, path: string, offsetBytes: number, sizeBytes: number): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes);
  for (let done = 0; done < sizeBytes;) {
    const found = readSync(file, bytes, done, sizeBytes - done, offsetBytes + done);
    if (found === 0)
      throw new AshlarError("malformed", `${path}: expected ${offsetBytes + sizeBytes} bytes, found fewer`);
    done += found;
  }
  return bytes;
}

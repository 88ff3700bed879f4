/** A real security update: how many bytes of it a node fetches. Measured once for both numbers about it. */
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { cacheDirectory, withTemporaryDirectory } from "@ashlar/host";
import { listErofs, openErofs, readErofsContent, readErofsInode } from "@ashlar/formats";
import { type ReleaseManifest, parseManifest } from "@ashlar/protocol/answers";
import { buildImage } from "@ashlar/image";
import { COMPRESSION_LEVEL } from "@ashlar/repository-index";
import { initRepository, publishRelease, serveRepository } from "@ashlar/publisher";
import { KeyDirectory, ROOT_FILE } from "@ashlar/keys";
import { openRepository, stageRelease } from "@ashlar/repository";
import { countBytes, megabytes } from "./count-bytes.ts";

export type UpdateBytes = {
  /** Everything that the node received for /usr and its hash tree: metadata, index, segments, HTTP headers. */
  readonly wireBytes: number;
  /** The file that systemd-sysupdate fetches for /usr. */
  readonly wholeBytes: number;
  readonly changedFiles: number;
  /** Each new or changed file on its own, by zstd at the level of the segments. */
  readonly changedBytes: number;
  /** How the update was staged. */
  readonly detail: string;
};

const OLD = "1.0.0";
const NEW = "1.1.0";
const compress = promisify(zstdCompress);

let measurement: Promise<UpdateBytes> | undefined;

/**
 * Builds an image of trixie as it was released and one with its updates of today, publishes the second, and stages it from
 * a slot with the first.
 */
export async function measureUpdate(): Promise<UpdateBytes> {
  measurement ??= measure();
  return await measurement;
}

async function measure(): Promise<UpdateBytes> {
  const parent = join(cacheDirectory(), "work");
  await mkdir(parent, { recursive: true });
  return await withTemporaryDirectory(async (directory) => {
    const [before, after] = [join(directory, "released"), join(directory, "current")];
    const onProgress = (message: string): void => console.error(`  ${message}`);
    await buildImage({ version: OLD, suites: "released", out: before, onProgress });
    await buildImage({ version: NEW, suites: "current", out: after, onProgress });
    return await compareImages(directory, before, after);
  }, parent);
}

async function compareImages(directory: string, before: string, after: string): Promise<UpdateBytes> {
  const repository = join(directory, "repository");
  const keys = new KeyDirectory(join(directory, "keys"), async () => "");
  const nowMs = Date.now();
  await initRepository({ repository, keys, nowMs }, async () => undefined);
  const { files } = await publishRelease({ repository, keys, nowMs, image: after, channel: "stable" });
  const { wireBytes, detail } = await stage(directory, repository, before);
  const changed = await compressChanged(before, after);
  return { wireBytes, wholeBytes: files.usrArchive.sizeBytes, ...changed, detail };
}

async function stage(
  directory: string,
  repository: string,
  before: string,
): Promise<{ wireBytes: number; detail: string }> {
  const server = await serveRepository({ repository, host: "127.0.0.1", port: 0 });
  const counter = await countBytes(Number(new URL(server.url).port));
  try {
    const opened = await openRepository({
      url: `http://127.0.0.1:${counter.port}/`,
      trustedRoot: await readFile(join(directory, "keys", ROOT_FILE)),
      stateDirectory: join(directory, "state"),
      nowMs: Date.now(),
    });
    const start = performance.now();
    const slot = { label: OLD, dataPath: join(before, "usr.erofs"), treePath: join(before, "usr.verity") };
    const staged = await stageRelease({
      repository: opened,
      version: NEW,
      sources: [slot],
      directory: join(directory, "ready"),
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const detail = `copied ${megabytes(staged.copiedBytes)} of ${megabytes(staged.totalBytes)}, in ${seconds} s`;
    return { wireBytes: counter.received() - staged.ukiBytes, detail };
  } finally {
    counter.close();
    await server.close();
  }
}

/** What an update of files would have to carry at least: the files whose content the old image does not have. */
async function compressChanged(before: string, after: string): Promise<{ changedFiles: number; changedBytes: number }> {
  const known = digestsOf(await readManifest(before));
  const path = join(after, "usr.erofs");
  const fd = openSync(path, "r");
  try {
    const { size } = await stat(path);
    const image = openErofs((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    }, size);
    const nidOf = new Map(listErofs(image).entries.map((entry) => [`/usr${entry.path}`, entry.nid]));
    let [changedFiles, changedBytes] = [0, 0];
    for (const file of (await readManifest(after)).files) {
      const nid = nidOf.get(file.path);
      if (file.type !== "file" || known.has(file.sha256) || nid === undefined) continue;
      known.add(file.sha256);
      const pieces: Uint8Array[] = [];
      readErofsContent(image, readErofsInode(image, nid), (bytes) => void pieces.push(Uint8Array.from(bytes)));
      const content = Buffer.concat(pieces);
      const frame = await compress(content, { params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL } });
      changedBytes += Math.min(frame.length, content.length);
      changedFiles += 1;
    }
    return { changedFiles, changedBytes };
  } finally {
    closeSync(fd);
  }
}

async function readManifest(image: string): Promise<ReleaseManifest> {
  return parseManifest(await readFile(join(image, "manifest.json"), "utf8"));
}

function digestsOf({ files }: ReleaseManifest): Set<string> {
  return new Set(files.flatMap((file) => (file.type === "file" ? [file.sha256] : [])));
}

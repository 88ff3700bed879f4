/** How many bytes of an extension's new version a node fetches that has the version before. */
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "@ashlar/host";
import { type KeyDirectory, ROOT_FILE } from "@ashlar/keys";
import { initRepository, publishExtensions, serveRepository } from "@ashlar/publisher";
import { openRepository, stageExtension } from "@ashlar/repository";
import { countBytes, megabytes } from "./count-bytes.ts";

export type ExtensionBytes = {
  /** Everything that the node received: metadata, index, segments, HTTP headers. */
  readonly wireBytes: number;
  /** The image, which systemd-sysupdate fetches as it is. */
  readonly wholeBytes: number;
  /** The same by xz -6. */
  readonly compressedBytes: number;
  readonly detail: string;
};

/**
 * Publishes both images, one after the other, and stages the second from the first.
 *
 * @param directory for what is made on the way
 * @param images the paths of two versions
 */
export async function measureExtension(
  directory: string,
  keys: KeyDirectory,
  [before, after]: readonly [before: string, after: string],
): Promise<ExtensionBytes> {
  const repository = join(directory, "repository");
  const nowMs = Date.now();
  await initRepository({ repository, keys, nowMs }, async () => undefined);
  await publishExtensions({ repository, keys, nowMs, images: [before] });
  const [published] = await publishExtensions({ repository, keys, nowMs, images: [after] });
  if (published === undefined) throw new RangeError("an image that was not published");
  const { name, version } = published;
  const server = await serveRepository({ repository, host: "127.0.0.1", port: 0 });
  const counter = await countBytes(Number(new URL(server.url).port));
  try {
    const opened = await openRepository({
      url: `http://127.0.0.1:${counter.port}/`,
      trustedRoot: await readFile(join(keys.path, ROOT_FILE)),
      stateDirectory: join(directory, "state"),
      nowMs,
    });
    const start = performance.now();
    const ready = join(directory, "ready");
    const staged = await stageExtension({ repository: opened, name, version, sources: [before], directory: ready });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const copied = `copied ${megabytes(staged.copiedBytes)} of ${megabytes(staged.totalBytes)}, in ${seconds} s`;
    const [wireBytes, compressedBytes] = [counter.received(), await compressedSize(directory, after)];
    return { wireBytes, wholeBytes: staged.totalBytes, compressedBytes, detail: copied };
  } finally {
    counter.close();
    await server.close();
  }
}

async function compressedSize(directory: string, path: string): Promise<number> {
  const out = join(directory, `${basename(path)}.xz`);
  await run("sh", ["-c", 'xz --stdout -6 "$1" >"$2"', "sh", path, out]);
  return (await stat(out)).size;
}

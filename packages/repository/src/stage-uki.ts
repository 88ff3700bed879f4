import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import type { PublishedFile } from "@ashlar/repository-index";
import { withRetries } from "./transport/retry.ts";
import type { Throttle } from "./transport/throttle.ts";
import type { Transport } from "./transport/transport.ts";

export type StageFileOptions = {
  readonly transport: Transport;
  readonly published: PublishedFile;
  /** The file to write; what an earlier try has left in it is used. */
  readonly path: string;
  readonly throttle: Throttle;
  readonly signal?: AbortSignal | undefined;
  readonly onFetched: (bytes: number) => void;
};

/**
 * Fetches a file whole, going on where an earlier try ended; it has the signed digest, and is on the disk, when it returns.
 *
 * @throws AshlarError `untrusted` when the digest is another, and as {@link Transport}
 */
export async function stageFile(options: StageFileOptions): Promise<void> {
  const { published, transport } = options;
  await using file = await open(options.path, "a+", 0o600);
  const hadBegun = (await file.stat()).size > 0;
  if (await completes(options, file)) return;
  // A power cut may have left anything in what was there before.
  if (hadBegun) {
    await file.truncate(0);
    if (await completes(options, file)) return;
  }
  await file.truncate(0);
  throw new AshlarError("untrusted", `${published.name} of ${transport.url} is not the file that was signed`, {
    hint: "nothing was installed; compare the repository with `ashlar release verify`",
  });
}

/** Appends what is missing. False when the whole has another digest. */
async function completes(options: StageFileOptions, file: FileHandle): Promise<boolean> {
  const { transport, published, throttle, signal } = options;
  const digest = createHash("sha256");
  let position = 0;
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) {
    digest.update(chunk);
    position += chunk.length;
  }
  const fetchRest = async (): Promise<void> => {
    const range = { start: position, end: published.sizeBytes };
    const { body, isWhole } = await transport.open(`releases/${published.name}`, { range, signal });
    let toSkip = isWhole ? position : 0;
    for await (const chunk of body) {
      options.onFetched(chunk.length);
      await throttle(chunk.length);
      const part = chunk.subarray(toSkip, toSkip + published.sizeBytes - position);
      toSkip = Math.max(0, toSkip - chunk.length);
      digest.update(part);
      await file.writeFile(part);
      position += part.length;
      if (position === published.sizeBytes) break;
    }
    if (position < published.sizeBytes) {
      throw new AshlarError("unavailable", `${published.name} of ${transport.url}: expected more bytes, found the end`);
    }
  };
  if (position < published.sizeBytes) await withRetries(transport.patience, signal, fetchRest, () => position);
  if (position !== published.sizeBytes || digest.digest("hex") !== published.sha256) return false;
  await file.sync();
  return true;
}

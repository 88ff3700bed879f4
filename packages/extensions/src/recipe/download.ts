import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import type { Material } from "@ashlar/statements";
import { type RecipeDownload, withVersion } from "./recipe.ts";

/** What {@link download} has checked a program against. */
export function downloadMaterial({ url, sha256 }: RecipeDownload, version: string, uri: string): Material {
  return {
    uri,
    digest: { sha256: sha256.get(version) ?? "" },
    downloadLocation: withVersion(url, version),
    annotations: { role: "content" },
  };
}

const MAX_BYTES: number = 2 ** 30;
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Downloads a program and puts it where it goes below a directory.
 *
 * @throws AshlarError `unavailable` when the server does not have it, or there is none; `untrusted` when it is not what
 * the recipe says
 */
export async function download(
  { url, path, sha256 }: RecipeDownload,
  version: string,
  out: string,
  signal?: AbortSignal,
): Promise<void> {
  const from = withVersion(url, version);
  const expected = sha256.get(version);
  if (expected === undefined) {
    throw new AshlarError("unavailable", `${from}: expected a SHA-256 of ${version} in the recipe, found none`);
  }
  const target = join(out, path);
  await mkdir(dirname(target), { recursive: true });
  const found = await fetchInto(from, target, signal);
  if (found !== expected) {
    throw new AshlarError("untrusted", `${from}: expected SHA-256 ${expected}, found ${found}`);
  }
  await chmod(target, 0o755);
}

/** Gives the SHA-256 of what came. */
async function fetchInto(url: string, target: string, signal: AbortSignal | undefined): Promise<string> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), CONNECT_TIMEOUT_MS);
  try {
    const signals = [silence.signal, ...(signal === undefined ? [] : [signal])];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    if (!response.ok || response.body === null) throw new AshlarError("unavailable", `status ${response.status}`);
    clearTimeout(timer);
    const digest = createHash("sha256");
    let sizeBytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sizeBytes += chunk.length;
        digest.update(chunk);
        if (sizeBytes > MAX_BYTES) done(new AshlarError("limit", `${url}: expected at most ${MAX_BYTES} bytes`));
        else done(null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body);
    await pipeline(body, counted, createWriteStream(target), signal === undefined ? {} : { signal });
    return digest.digest("hex");
  } catch (error) {
    if (signal?.aborted === true) throw new AshlarError("interrupted", "interrupted");
    if (error instanceof AshlarError && error.code === "limit") throw error;
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new AshlarError("unavailable", `${url}: ${cause}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

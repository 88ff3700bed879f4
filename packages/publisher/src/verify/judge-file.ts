import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Transport } from "@ashlar/repository";
import type { PublishedFile } from "@ashlar/repository-index";

/** What is wrong with a file of a repository; undefined when nothing is. */
export async function judgeFile(
  transport: Transport,
  path: string,
  { sizeBytes, sha256 }: PublishedFile,
  { signal, copy }: { readonly signal?: AbortSignal | undefined; readonly copy?: string | undefined },
): Promise<string | undefined> {
  const { body } = await transport.open(path, { signal });
  await using file = copy === undefined ? undefined : await open(copy, "w");
  const digest = createHash("sha256");
  let foundBytes = 0;
  for await (const chunk of body) {
    digest.update(chunk);
    foundBytes += chunk.length;
    if (foundBytes > sizeBytes) break;
    await file?.writeFile(chunk);
  }
  if (foundBytes !== sizeBytes) return `${path}: expected ${sizeBytes} bytes, found ${foundBytes}`;
  const found = digest.digest("hex");
  return found === sha256 ? undefined : `${path}: expected SHA-256 ${sha256}, found ${found}`;
}

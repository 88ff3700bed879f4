import { AshlarError } from "@ashlar/base";
import { withRetries } from "./transport/retry.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * Reads a small file whole.
 *
 * @throws AshlarError `not-found`, `unavailable`, `malformed`; `limit` when it is larger than `maxBytes`
 */
export async function readDocument(
  transport: Transport,
  path: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return await withRetries(transport.patience, signal, async () => {
    const { body } = await transport.open(path, { signal });
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        throw new AshlarError("limit", `${path} of ${transport.url}: expected at most ${maxBytes} bytes, found more`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  });
}

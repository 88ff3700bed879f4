/**
 * The bytes of a request or a response, to their end; undefined, and the connection is given up, when there are more.
 *
 * @param body without an encoding, so that it gives bytes
 */
export async function readBody(body: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("expected a body of bytes");
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

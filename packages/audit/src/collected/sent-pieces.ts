import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { MAX_SNAPSHOT_BYTES } from "../snapshot/snapshot.ts";
import type { Piece } from "./piece.ts";

/** What a shell compares: it holds no more of an environment than 128 KiB in one variable (MAX_ARG_STRLEN). */
const DIGEST_LETTERS = 32;
const MAX_DIGESTS = 3900;

/** The pieces that a node has sent before, by their digests: it need not send them again. */
export class SentPieces {
  readonly #contents = new Map<string, string>();

  /** Of the bytes that `write` has made. What cannot be read is not known: then it is sent again. */
  static read(bytes: Buffer): SentPieces {
    const sent = new SentPieces();
    try {
      const contents = zstdDecompressSync(bytes, { maxOutputLength: MAX_SNAPSHOT_BYTES })
        .toString("latin1")
        .split("\0");
      for (const content of contents) if (content !== "") sent.#contents.set(digestOf(content), content);
    } catch {
      sent.#contents.clear();
    }
    return sent;
  }

  static write(pieces: readonly Piece[]): Buffer {
    return zstdCompressSync(Buffer.from(pieces.map(({ content }) => content).join("\0"), "latin1"));
  }

  /** For the collector: each of 32 letters. */
  get digests(): readonly string[] {
    return [...this.#contents.keys()].slice(0, MAX_DIGESTS);
  }

  content(digest: string): string | undefined {
    return this.#contents.get(digest);
  }
}

function digestOf(content: string): string {
  return createHash("sha256").update(content, "latin1").digest("hex").slice(0, DIGEST_LETTERS);
}

import { fstatSync, readSync } from "node:fs";
import { AshlarError } from "@ashlar/base";
import { MAX_LOG_BYTES } from "@ashlar/protocol";

/** inode(7): systemd sets the sticky bit on its measurement log while it extends a PCR and appends the record. */
const STICKY_BIT = 0o1000;
const CHUNK_BYTES = 65_536;

/**
 * A measurement log that only root may open: systemd opens it (`OpenFile=`) and passes the descriptor. A log that is not
 * there is empty; the verifier will say what is missing.
 */
export class MeasurementLog {
  readonly #name: string;
  readonly #descriptor: number | undefined;

  constructor(name: string, descriptor: number | undefined) {
    this.#name = name;
    this.#descriptor = descriptor;
  }

  /** The whole log, from its beginning at each call. Files of the kernel do not tell their size: read to the end. */
  read(): Buffer {
    if (this.#descriptor === undefined) return Buffer.alloc(0);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const readBytes = readSync(this.#descriptor, chunk, 0, CHUNK_BYTES, sizeBytes);
      if (readBytes === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, readBytes));
      sizeBytes += readBytes;
      if (sizeBytes > MAX_LOG_BYTES) {
        throw new AshlarError("limit", `${this.#name}: expected at most ${MAX_LOG_BYTES} bytes, found more`);
      }
    }
  }

  /** Its size in bytes, or undefined while a measurement is on its way into it. */
  settledSize(): number | undefined {
    if (this.#descriptor === undefined) return 0;
    const { mode, size } = fstatSync(this.#descriptor);
    return (mode & STICKY_BIT) === 0 ? size : undefined;
  }
}

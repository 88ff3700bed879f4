import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { MAX_SEGMENT_BYTES } from "./blocks-layout.ts";

/** Of zstd's 22: 19 takes three quarters longer to save another 0.05 %, 9 costs 4 %. */
export const COMPRESSION_LEVEL = 15;
/** No frame of ours needs more memory than a segment, and none of anybody else's gets more. */
const MIN_WINDOW_LOG = 10;
const MAX_WINDOW_LOG: number = Math.log2(MAX_SEGMENT_BYTES);

const compress = promisify(zstdCompress);

/** The stored form of a segment: a zstd frame, or the data itself where that is not smaller. */
export async function encodeSegment(data: Uint8Array): Promise<Uint8Array> {
  const windowLog = Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(data.length)));
  const frame = await compress(data, {
    pledgedSrcSize: data.length,
    params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL, [constants.ZSTD_c_windowLog]: windowLog },
  });
  return frame.length < data.length ? frame : data;
}

/**
 * The data of a stored segment: as many bytes as it has to hold. Right or wrong is for the hash tree to say.
 *
 * @throws AshlarError `malformed`
 */
export function decodeSegment(stored: Uint8Array, dataBytes: number): Uint8Array {
  if (stored.length === dataBytes) return stored;
  let data: Uint8Array;
  try {
    data = zstdDecompressSync(stored, {
      maxOutputLength: dataBytes,
      // One piece of memory, not much larger than what goes into it.
      chunkSize: dataBytes + 1,
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
  } catch (error) {
    throw new AshlarError("malformed", "segment: expected a zstd frame", { cause: error });
  }
  if (data.length === dataBytes) return data;
  throw new AshlarError("malformed", `segment: expected ${dataBytes} bytes of data, found ${data.length}`);
}

import { COMPRESSION_LEVEL } from "@ashlar/repository-index";
import type { Bench } from "./bench.ts";
import { megabytes } from "./count-bytes.ts";
import { measureUpdate } from "./update-bytes.ts";

export const bench: Bench = {
  name: "bytes fetched for /usr in the same security update",
  against: `the sum of the changed files, each compressed whole by zstd -${COMPRESSION_LEVEL}, as segments are`,
  reach: { comparison: "at most", value: 1.3, unit: "times" },
  command: "npm run bench -- update-files",
  run: async () => {
    const { wireBytes, changedFiles, changedBytes } = await measureUpdate();
    return {
      value: wireBytes / changedBytes,
      detail: `${megabytes(wireBytes)} over the wire, ${changedFiles} new or changed files ${megabytes(changedBytes)}`,
    };
  },
};

import type { Bench } from "./bench.ts";
import { megabytes } from "./count-bytes.ts";
import { measureUpdate } from "./update-bytes.ts";

export const bench: Bench = {
  name: "bytes fetched for /usr in a real security update: trixie as released to trixie with its updates",
  against: "the whole compressed usr file that systemd-sysupdate fetches (xz -6)",
  reach: { comparison: "at most", value: 0.15, unit: "times" },
  command: "npm run bench -- update-bytes",
  run: async () => {
    const { wireBytes, wholeBytes, detail } = await measureUpdate();
    return {
      value: wireBytes / wholeBytes,
      detail: `${megabytes(wireBytes)} over the wire (blocks, hash tree, metadata, HTTP headers), whole file ${megabytes(wholeBytes)}; ${detail}`,
    };
  },
};

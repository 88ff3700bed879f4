import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import type { Patience, Transport } from "./transport.ts";

/** A repository in a directory: of this machine, or carried to it where there is no network. */
export function createFileTransport(base: URL, patience: Patience): Transport {
  return {
    url: base.href,
    patience,
    open: async (path, { range }) => {
      const filePath = fileURLToPath(new URL(path, base));
      let file;
      try {
        file = await open(filePath, "r");
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
        throw new AshlarError(code === "ENOENT" ? "not-found" : "failed", `cannot read ${filePath}: ${code}`, {
          cause: error,
        });
      }
      // The stream closes the file at its end, and when its reader leaves it.
      const body = file.createReadStream(range === undefined ? {} : { start: range.start, end: range.end - 1 });
      return { isWhole: range === undefined, body };
    },
  };
}

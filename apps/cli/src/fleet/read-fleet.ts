import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { AshlarError, formatProblem } from "@ashlar/base";
import type { Fleet } from "@ashlar/fleet";
import { reportLines } from "@ashlar/host/terminal";

/** A fleet file that a user has named. */
export type ReadFleet = {
  readonly fleet: Fleet;
  /** What the file is called, and the SHA-256 of its bytes. */
  readonly name: string;
  readonly sha256: string;
  /** A path of the file, which is relative to it. */
  readonly at: (path: string) => string;
};

/** @throws AshlarError `not-found`; `invalid` when it is no correct fleet file: every problem has been printed then */
export async function readFleet(path: string): Promise<ReadFleet> {
  const { readNamedFile } = await import("@ashlar/host");
  const { parseFleet } = await import("@ashlar/fleet");
  const bytes = await readNamedFile(path, "a fleet file");
  const text = bytes.toString("utf8");
  const { fleet, report } = parseFleet(text);
  for (const problem of report) reportLines(formatProblem(problem, { name: path, text }).split("\n"));
  if (fleet === undefined) {
    throw new AshlarError("invalid", `${path} has ${report.length} ${report.length === 1 ? "error" : "errors"}`, {
      hint: "docs/guides/fleets.md shows what it may say",
    });
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { fleet, name: basename(path), sha256, at: (each) => resolve(dirname(path), each) };
}

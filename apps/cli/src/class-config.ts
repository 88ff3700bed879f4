import { AshlarError, formatProblem, hasErrors } from "@ashlar/base";
import { reportLines } from "@ashlar/host/terminal";
import { Option } from "commander";

/** For every command that reads a class config. */
export function filesDirOption(): Option {
  return new Option("--files-dir <directory>", "allow the Butane config to embed local files from this directory");
}

/**
 * Reads what a class of nodes is declared to be: a Butane file gives the bytes of its Ignition JSON, a file that ends in
 * .ign its own. Local files come from `filesDir`; without it, they are errors. Warnings and advice go to standard error, but for
 * a file that is read once more.
 *
 * @throws AshlarError `not-found` without the file, `invalid` when it is not a correct Butane file; every problem has been
 * printed then.
 */
export async function readClassConfig(
  path: string,
  filesDir: string | undefined,
  how?: "quietly",
): Promise<Uint8Array> {
  const { readNamedFile } = await import("@ashlar/host");
  const bytes = await readNamedFile(path, "a Butane or Ignition file");
  if (path.endsWith(".ign")) return bytes;
  const text = new TextDecoder().decode(bytes);
  const { translate } = await import("@ashlar/butane");
  const { localDirectory } = await import("./butane/local-directory.ts");
  const local = filesDir === undefined ? {} : { files: localDirectory(filesDir) };
  const { findDeclarationProblems } = await import("@ashlar/declaration");
  const { ignition, report: own } = translate(text, { ...local, target: "ashlar" });
  const bytesOfConfig = new TextEncoder().encode(`${ignition ?? ""}\n`);
  const report = ignition === undefined ? own : [...own, ...findDeclarationProblems(bytesOfConfig)];
  const told = how === "quietly" ? report.filter(({ severity }) => severity === "error") : report;
  for (const problem of told) reportLines(formatProblem(problem, { name: path, text }).split("\n"));
  if (ignition === undefined || hasErrors(report)) {
    const count = report.filter((problem) => problem.severity === "error").length;
    throw new AshlarError("invalid", `${path} has ${count} ${count === 1 ? "error" : "errors"}`);
  }
  // The very bytes that `ashlar butane` prints, so that either form of the declaration has the same digest.
  return bytesOfConfig;
}

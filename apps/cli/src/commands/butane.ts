import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { AshlarError, hasErrors, messageOf } from "@ashlar/base";
import { printData, printJson, reportLine } from "@ashlar/host/terminal";
import type { Translation } from "@ashlar/butane";
import { Command, Option } from "commander";
import { printReport, readDocument, type NamedText } from "../butane/documents.ts";

type Options = {
  readonly strict?: true;
  readonly pretty?: true;
  readonly check?: true;
  readonly filesDir?: string;
  readonly output?: string;
  readonly outputDir?: string;
  readonly target: "flatcar" | "ashlar";
  readonly json?: true;
};

export function butaneCommand(): Command {
  return new Command("butane")
    .description("Translate Butane configs (flatcar 1.0.0 and 1.1.0) to Ignition")
    .argument("[files...]", "Butane files (default: standard input)")
    .option("-s, --strict", "fail on warnings, too")
    .option("-p, --pretty", "print JSON over many lines")
    .option("-c, --check", "only check, write nothing")
    .option("-d, --files-dir <directory>", "allow embedding local files from this directory")
    .addOption(new Option("-o, --output <file>", "write here, not to standard output").conflicts("outputDir"))
    .option("--output-dir <directory>", "write each FILE.bu there, as FILE.ign; created if missing")
    .addOption(
      new Option("--target <system>", "also check what will not work on it, declared extensions too")
        .choices(["flatcar", "ashlar"])
        .default("flatcar"),
    )
    .option("-r, --raw", "print Ignition; always so for flatcar configs, accepted for scripts that pass it")
    .version("Butane v0.23.0, as translated by Ashlar", "-V, --version", "print the Butane release that this matches")
    .option("--json", "print problems and result together as JSON")
    .addHelpText(
      "after",
      `
Problems go to standard error with their place in the file. Exits with status 1 if there are errors, or warnings with
--strict; then no config is written.

--json prints, for each file on a line, {"file", "ignition", "problems": [{"severity", "message", "hint", "path",
"position": {"line", "column"}}]}; ignition is null if there is none.

Examples:
  ashlar butane worker.bu > worker.ign
  ashlar butane --strict --pretty --files-dir files --output worker.ign worker.bu
  ashlar butane --check --target ashlar worker.bu
  ashlar butane --output-dir ign nodes/*.bu`,
    )
    .action(run);
}

async function run(files: readonly string[], options: Options): Promise<void> {
  if (
    files.length > 1 &&
    options.outputDir === undefined &&
    options.check === undefined &&
    options.json === undefined
  ) {
    throw new AshlarError("usage", `expected one file, found ${files.length}`, {
      hint: "name a directory for the results with --output-dir",
    });
  }
  if (options.outputDir !== undefined) mkdirSync(options.outputDir, { recursive: true });
  const { translate } = await import("@ashlar/butane");
  const { localDirectory } = await import("../butane/local-directory.ts");
  const { filesDir, strict, pretty, target } = options;
  const local = filesDir === undefined ? {} : { files: localDirectory(filesDir) };
  for (const file of files.length === 0 ? ["-"] : files) {
    const source = await readDocument(file);
    const settings = { ...local, strict: strict === true, pretty: pretty === true, target };
    const translated = translate(source.text, settings);
    const translation = target === "ashlar" ? await withDeclaration(translated) : translated;
    if (translation.ignition === undefined) process.exitCode = 1;
    deliver(translation, source, options);
  }
}

/** What would make a node refuse its declaration: nobody could prove it. */
async function withDeclaration({ ignition, report }: Translation): Promise<Result> {
  if (ignition === undefined) return { ignition, report };
  const { findDeclarationProblems } = await import("@ashlar/declaration");
  const problems = findDeclarationProblems(new TextEncoder().encode(ignition));
  return { ignition: hasErrors(problems) ? undefined : ignition, report: [...report, ...problems] };
}

type Result = Pick<Translation, "ignition" | "report">;

function deliver(translation: Result, source: NamedText, options: Options): void {
  const { ignition, report } = translation;
  if (options.json === true) {
    const config: unknown = ignition === undefined ? null : JSON.parse(ignition);
    // Programs read a line for each file, and want the config as it is.
    printJson({ file: source.name, ignition: config, problems: report }, { lines: "one", passwords: "keep" });
  } else {
    printReport(report, source);
    if (ignition === undefined && !hasErrors(report)) {
      reportLine(`${source.name}: there are warnings, which --strict forbids`);
    }
  }
  if (ignition === undefined || options.check === true) return;
  const path = outputPath(source.name, options);
  if (path !== undefined) writeResult(path, `${ignition}\n`);
  else if (options.json === undefined) printData(`${ignition}\n`);
}

function outputPath(name: string, { output, outputDir }: Options): string | undefined {
  if (outputDir === undefined) return output;
  return join(outputDir, `${basename(name).replace(/\.(?:bu|ya?ml)$/u, "")}.ign`);
}

function writeResult(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new AshlarError("failed", `expected a file to write: ${messageOf(error)}`);
  }
}

import { hasErrors, type Report } from "@ashlar/base";
import { printJson } from "@ashlar/host/terminal";
import { Command, Option } from "commander";
import { printReport, readDocument } from "../butane/documents.ts";

type Options = { readonly strict?: true; readonly target: "flatcar" | "ashlar"; readonly json?: true };

export function ignitionCommand(): Command {
  return new Command("ignition").description("Work with Ignition configs").addCommand(validateCommand());
}

function validateCommand(): Command {
  return new Command("validate")
    .description("Check Ignition configs, versions 3.0.0 to 3.4.0")
    .argument("[files...]", "Ignition files (default: standard input)")
    .option("-s, --strict", "fail on warnings, too")
    .addOption(
      new Option("--target <system>", "also check what will not work on it, declared extensions too")
        .choices(["flatcar", "ashlar"])
        .default("flatcar"),
    )
    .option("--json", "print problems as JSON")
    .addHelpText(
      "after",
      `
Problems go to standard error with their place in the file. Exits with status 1 if there are errors, or warnings with
--strict. --json prints, for each file on a line, {"file", "problems"}, as ashlar butane does.

Examples:
  ashlar ignition validate worker.ign
  ashlar ignition validate --strict --target ashlar *.ign`,
    )
    .action(validate);
}

async function validate(files: readonly string[], { strict, target, json }: Options): Promise<void> {
  const { validateIgnition } = await import("@ashlar/butane");
  for (const file of files.length === 0 ? ["-"] : files) {
    const source = await readDocument(file);
    const own = validateIgnition(source.text, { target });
    const report = target === "ashlar" && !hasErrors(own) ? [...own, ...(await declarationProblems(source.text))] : own;
    if (json === true) printJson({ file: source.name, problems: report }, { lines: "one" });
    else printReport(report, source);
    if (hasErrors(report) || (strict === true && report.length > 0)) process.exitCode = 1;
  }
}

async function declarationProblems(text: string): Promise<Report> {
  const { findDeclarationProblems } = await import("@ashlar/declaration");
  return findDeclarationProblems(new TextEncoder().encode(text));
}

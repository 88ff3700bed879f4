import { printJson, printLine } from "@ashlar/host/terminal";
import type { ExtensionDifference } from "@ashlar/extensions";
import type { ManifestFile } from "@ashlar/protocol/answers";
import { Command } from "commander";

/** Of each kind; `--json` has all. */
const MAX_SHOWN = 40;

export function extensionDiffCommand(): Command {
  return new Command("diff")
    .description("Compare the contents of two extension images")
    .argument("<from>", "the older image")
    .argument("<to>", "the newer image")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Packages are compared when both images have their manifests beside them.

Example:
  ashlar extension diff kubernetes-v1.33.4-x86-64.raw kubernetes-v1.33.5-x86-64.raw`,
    )
    .action(async (from: string, to: string, flags: { readonly json?: true }) => {
      const { diffExtensions } = await import("@ashlar/extensions");
      const difference = await diffExtensions(from, to);
      if (flags.json === true) printJson(difference);
      else print(difference);
    });
}

function print({ from, to, packages, files }: ExtensionDifference): void {
  printLine(`${from.name} ${from.version} -> ${to.name} ${to.version}`);
  printLine(`  size: ${from.sizeBytes} -> ${to.sizeBytes} bytes (${signed(to.sizeBytes - from.sizeBytes)})`);
  if (packages === null) printLine("  packages: unknown, an image has no manifest beside it");
  else {
    show(packages.added, ({ name, version }) => `+ package ${name} ${version}`);
    show(packages.removed, ({ name, version }) => `- package ${name} ${version}`);
    show(packages.changed, (each) => `~ package ${each.name} ${each.from} -> ${each.to}`);
  }
  show(files.added, (file) => `+ ${file.path} (${describe(file)})`);
  show(files.removed, (file) => `- ${file.path} (${describe(file)})`);
  show(files.changed, (each) => `~ ${each.path} (${describe(each.from)} -> ${describe(each.to)})`);
}

function show<T>(all: readonly T[], line: (each: T) => string): void {
  for (const each of all.slice(0, MAX_SHOWN)) printLine(`  ${line(each)}`);
  if (all.length > MAX_SHOWN) printLine(`  and ${all.length - MAX_SHOWN} more`);
}

function describe(file: ManifestFile): string {
  return file.type === "file" ? `${file.sizeBytes} bytes` : `link to ${file.target}`;
}

function signed(difference: number): string {
  return difference > 0 ? `+${difference}` : String(difference);
}

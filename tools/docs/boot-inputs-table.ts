import type { BootInput, BootInputGroup } from "@ashlar/lab";

const BEGIN = "<!-- Written by `npm run docs` from docs/boot-inputs.yaml: edit that file. -->\n";
const END = "<!-- End of what `npm run docs` has written. -->";

/** SECURITY.md with its table of boot inputs as the data file says. */
export function withBootInputs(page: string, groups: readonly BootInputGroup[]): string {
  const [before, rest = ""] = page.split(BEGIN, 2);
  const after = rest.split(END, 2)[1];
  if (before === undefined || after === undefined)
    throw new Error(`SECURITY.md: expected the lines ${BEGIN}and ${END}`);
  return `${before}${BEGIN}\n${groups.map(formatGroup).join("\n")}\n${END}${after}`;
}

function formatGroup({ group, inputs }: BootInputGroup): string {
  const head = "| input | who can write it | read by | | how | tests |\n|---|---|---|---|---|---|";
  return `### ${group}\n\n${head}\n${inputs.map(formatInput).join("\n")}\n`;
}

function formatInput({ input, paths, writers, read, covered, how, tests }: BootInput): string {
  const places = paths.map((path) => `\`${path}\``).join(", ");
  const what = places === "" ? input : `${input}: ${places}`;
  const where = tests.length === 0 ? "-" : tests.join("; ");
  return `| ${[what, writers.join(", "), read, covered, how, where].map(escapeCell).join(" | ")} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/gu, " ");
}

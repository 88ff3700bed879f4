import { DIFFERENCE_CODES } from "@ashlar/identity";

/** The table of what a verdict's differences are about. */
export function differencePage(): string {
  const rows = Object.entries(DIFFERENCE_CODES).map(([code, sentence]) => `| \`${code}\` | ${sentence} |`);
  return `# Codes of differences

Each difference in a verdict (\`ashlar prove --json\`, \`ashlar debug --json\`) has a \`code\` from this list: programs
decide by it. \`subject\` says which one, where there are several: a PCR's number, an extension's name, a section, a path.
The other members are texts for people, and may change. Those of a node are about what it runs; those of its \`nextBoot\` are
about what it boots next.

| code | meaning |
|---|---|
${rows.join("\n")}
`;
}

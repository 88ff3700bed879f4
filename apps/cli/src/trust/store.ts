import { printJson, printLine } from "@ashlar/host/terminal";
import type { TrustedMaker } from "@ashlar/verifier";
import { Command } from "commander";

type Flags = { readonly json?: true };

export function trustListCommand(): Command {
  return new Command("list")
    .description("Show the certificates of TPM makers that are trusted where no --ek-roots is given")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  ashlar trust list
  ashlar trust list --json`,
    )
    .action(async ({ json }: Flags) => {
      const { listTrusted, trustStorePath } = await import("@ashlar/verifier");
      const makers = await listTrusted();
      if (json === true) return printJson({ directory: trustStorePath(), makers });
      if (makers.length === 0) printLine(`no maker is trusted yet in ${trustStorePath()}`);
      for (const maker of makers) printLine(lineOf(maker));
    });
}

export function trustAddCommand(): Command {
  return new Command("add")
    .description("Trust makers: all certificates of authorities in files or directories, as PEM, DER or PKCS #7")
    .argument("<place...>", "files or directories")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Compare the fingerprints that are printed (SHA-256) with those that the maker publishes. What you add can vouch for any TPM.

Examples:
  ashlar trust add infineon-root.crt
  ashlar trust add makers/`,
    )
    .action(async (places: readonly string[], { json }: Flags) => {
      const { addTrusted } = await import("@ashlar/verifier");
      const added: TrustedMaker[] = [];
      for (const place of places) added.push(...(await addTrusted(place)));
      if (json === true) return printJson({ added });
      for (const maker of added) printLine(lineOf(maker));
    });
}

export function trustRemoveCommand(): Command {
  return new Command("remove")
    .description("Trust a maker's certificate no longer")
    .argument("<fingerprint>", "the first 8 digits or more of its SHA-256, as `ashlar trust list` shows it")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  ashlar trust remove 0a1b2c3d`,
    )
    .action(async (fingerprint: string, { json }: Flags) => {
      const { removeTrusted } = await import("@ashlar/verifier");
      const removed = await removeTrusted(fingerprint);
      if (json === true) return printJson({ removed });
      printLine(lineOf(removed));
    });
}

function lineOf({ sha256, subject, validTo }: TrustedMaker): string {
  return `${sha256}  until ${validTo}  ${subject}`;
}

import { printJson, printLine } from "@ashlar/host/terminal";
import type { TrustedMaker } from "@ashlar/verifier";
import { Command } from "commander";

type Flags = { readonly json?: true };
type PurposeFlags = Flags & { readonly cloud?: true };

export function trustListCommand(): Command {
  return new Command("list")
    .description(
      "Show the certificates of TPM makers and clouds that are trusted where no --ek-roots or --cloud-roots is given",
    )
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
      const directories = { directory: trustStorePath("maker"), cloudDirectory: trustStorePath("cloud") };
      if (json === true) return printJson({ ...directories, makers });
      if (makers.length === 0) printLine(`no maker is trusted yet in ${directories.directory}`);
      for (const maker of makers) printLine(lineOf(maker));
    });
}

export function trustAddCommand(): Command {
  return new Command("add")
    .description("Trust makers: all certificates of authorities in files or directories, as PEM, DER or PKCS #7")
    .argument("<place...>", "files or directories")
    .option("--cloud", "trust them as clouds: for the keys of the virtual TPMs that they run, and not as makers")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Compare the fingerprints that are printed (SHA-256) with those that the maker publishes. What you add can vouch for any TPM: as a
cloud only what issues certificates for nothing but the keys of its virtual TPMs.

Examples:
  ashlar trust add infineon-root.crt
  ashlar trust add makers/
  ashlar trust add --cloud azure-virtual-tpm-root.crt global-virtual-tpm-ca-03.crt`,
    )
    .action(async (places: readonly string[], { json, cloud }: PurposeFlags) => {
      const { addTrusted } = await import("@ashlar/verifier");
      const added: TrustedMaker[] = [];
      for (const place of places) added.push(...(await addTrusted(place, cloud ? "cloud" : "maker")));
      if (json === true) return printJson({ added });
      for (const maker of added) printLine(lineOf(maker));
    });
}

export function trustRemoveCommand(): Command {
  return new Command("remove")
    .description("Trust a maker's certificate no longer")
    .argument("<fingerprint>", "the first 8 digits or more of its SHA-256, as `ashlar trust list` shows it")
    .option("--cloud", "one that is trusted as a cloud's")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  ashlar trust remove 0a1b2c3d`,
    )
    .action(async (fingerprint: string, { json, cloud }: PurposeFlags) => {
      const { removeTrusted } = await import("@ashlar/verifier");
      const removed = await removeTrusted(fingerprint, cloud ? "cloud" : "maker");
      if (json === true) return printJson({ removed });
      printLine(lineOf(removed));
    });
}

function lineOf({ sha256, subject, validTo, purpose }: TrustedMaker): string {
  return `${sha256}  until ${validTo}  ${subject}${purpose === "cloud" ? "  (cloud)" : ""}`;
}

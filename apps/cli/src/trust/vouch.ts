import { basename } from "node:path";
import { AshlarError } from "@ashlar/base";
import { printJson, printLine } from "@ashlar/host/terminal";
import { Command } from "commander";

type Options = { readonly key: string; readonly out: string; readonly json?: true };

export function trustVouchCommand(): Command {
  return new Command("vouch")
    .description("Vouch for TPMs that have no maker's certificate, by a signed list of their endorsement keys")
    .argument("<ek...>", "each TPM's EK: TPM2B_PUBLIC (tpm2_readpublic -f tss), or PEM")
    .requiredOption("--key <file>", "your private key, as ashlar operator-key makes it")
    .requiredOption("--out <file>", "where to write the list; an older one is replaced")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Take the EK where nobody else has had the machine, at delivery for example: tpm2_createek -c 0x81010001 -G rsa -f tss -u ek.pub. A
node whose EK is on the list is proven, and its verdict notes who vouches for it.

Examples:
  ashlar trust vouch --key owner.pem --out eks.json server-1.pub server-2.pub
  ashlar prove --nodes https://server-1:7443 --image out/1.0.0 --config worker.bu \\
    --certify-ek eks.json --certify-key sha256:0a1b...`,
    )
    .action(async (files: readonly string[], { key, out, json }: Options) => {
      const { readNamedFile, readText, writeFileAtomically } = await import("@ashlar/host");
      const { ekDigestOfFile, signVouchedEks } = await import("@ashlar/verifier");
      const { parseOperatorPem, pinOfOperatorPem } = await import("@ashlar/protocol");
      const eks: { readonly sha256: string; readonly name: string }[] = [];
      for (const file of files) {
        const sha256 = ekDigestOfFile(await readNamedFile(file, "an endorsement key"), file);
        if (eks.some((ek) => ek.sha256 === sha256)) {
          throw new AshlarError("invalid", `expected each endorsement key once, found that of ${file} again`);
        }
        eks.push({ sha256, name: basename(file) });
      }
      const pem = await readText(key, "your private key");
      const pin = pinOfOperatorPem(pem);
      await writeFileAtomically(out, signVouchedEks(eks, parseOperatorPem(pem)));
      if (json === true) return printJson({ key: pin, eks });
      for (const { sha256, name } of eks) printLine(`${sha256}  ${name}`);
      printLine(`${out}: signed by ${pin}`);
    });
}

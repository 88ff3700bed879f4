import type { X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { printJson, printLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { createStepPrinter } from "../step-printer.ts";

type VerifyFlags = { readonly keys?: string; readonly certificate: readonly string[]; readonly json?: true };

export function extensionVerifyCommand(): Command {
  return new Command("verify")
    .description("Check the signature, every hash and the manifest of an extension image")
    .argument("<image>", "a signed extension image; its manifest is used when it lies beside it")
    .option("--keys <directory>", "trust its extensions.crt; private keys are not needed")
    .option("--certificate <file>", "trust this certificate (PEM); repeat it for more", collect, [])
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Exit status: 0 everything is as it was signed; 1 something is not, and the output says what and where.

Examples:
  ashlar extension verify out/kubernetes-v1.33.5-x86-64.raw --keys ~/release-keys
  ashlar extension verify kubernetes-v1.33.5-x86-64.raw --certificate extensions.crt --json`,
    )
    .action(async (path: string, flags: VerifyFlags) => {
      const { verifyExtension } = await import("@ashlar/extensions");
      const certificates = await readCertificates(flags);
      const { name, version, rootHash, problems, unchecked } = await verifyExtension(
        path,
        certificates,
        createStepPrinter(),
      );
      process.exitCode = problems.length === 0 ? 0 : 1;
      if (flags.json === true) {
        const whole = problems.length === 0;
        printJson({ image: path, name, version, rootHash, whole, problems, unchecked });
        return;
      }
      for (const { message } of problems) printLine(message);
      for (const what of unchecked) printLine(`not checked: ${what}`);
      if (problems.length === 0) printLine(`${path}: ${name} ${version} is as it was signed, root hash ${rootHash}`);
    });
}

async function readCertificates({ keys, certificate }: VerifyFlags): Promise<X509Certificate[]> {
  if (keys === undefined && certificate.length === 0) {
    throw new AshlarError("usage", "expected --keys or --certificate, found neither", {
      hint: "a signature proves nothing without knowing whose to trust",
    });
  }
  const certificates = await Promise.all(certificate.map(readCertificate));
  if (keys === undefined) return certificates;
  const { KeyDirectory } = await import("@ashlar/keys");
  const directory = new KeyDirectory(keys, async () => {
    throw new TypeError("a certificate has no passphrase");
  });
  return [...certificates, await directory.extensionCertificate()];
}

async function readCertificate(path: string): Promise<X509Certificate> {
  const { readNamedFile } = await import("@ashlar/host");
  const crypto = await import("node:crypto");
  const bytes = await readNamedFile(path, "a certificate");
  try {
    return new crypto.X509Certificate(bytes);
  } catch (error) {
    throw new AshlarError("malformed", `${path}: expected a certificate in PEM`, { cause: error });
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

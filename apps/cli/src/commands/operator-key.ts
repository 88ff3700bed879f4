import { writeFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { printLine } from "@ashlar/host/terminal";
import { Command } from "commander";

export function operatorKeyCommand(): Command {
  return new Command("operator-key")
    .description("Make a key that may give nodes orders, and print its pin for their update.yaml")
    .requiredOption("--out <file>", "where to write the private key; it must not exist")
    .addHelpText(
      "after",
      `
Whoever has the file can update, roll back and restart every node whose update.yaml names the pin. It is not encrypted.
A lab creates its own.

Examples:
  ashlar operator-key --out operator.pem`,
    )
    .action(async ({ out }: { readonly out: string }) => {
      const { generateKeyPairSync } = await import("node:crypto");
      const { operatorPem, operatorPin } = await import("@ashlar/protocol");
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await writeNew(out, operatorPem(privateKey));
      printLine(operatorPin(publicKey));
    });
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    const isThere = error.code === "EEXIST";
    throw new AshlarError(isThere ? "conflict" : "failed", `cannot write ${path}: ${String(error.code)}`, {
      hint: isThere ? "a key is never replaced: name another file" : "name a file in a directory that exists",
    });
  }
}

import type { Command } from "commander";

export type SignerOptions = {
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly signWith?: string;
  readonly publicKey?: string;
};

/** What signs: a key in a file, or a command that has one elsewhere. */
export function withSignerOptions(command: Command): Command {
  return command
    .option("--key <file>", "the private key that signs: Ed25519, or ECDSA on P-256 (not for logs), in PEM")
    .option("--passphrase-file <file>", "the key's passphrase, where it has one (default: asked for)")
    .option(
      "--sign-with <command>",
      "instead of --key: a command that reads what is to be signed and prints the signature (hardware tokens, services)",
    )
    .option("--public-key <file>", "with --sign-with: the public key of its signatures, in PEM");
}

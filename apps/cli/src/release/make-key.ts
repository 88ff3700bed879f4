import { printJson, printLine } from "@ashlar/host/terminal";
import { Argument, Command } from "commander";
import type { KeyName } from "@ashlar/keys";
import { choosePassphrase, createPassphraseSource } from "./passphrase.ts";

type Flags = { readonly keys: string; readonly passphraseFile?: string; readonly json?: true };

export function makeKeyCommand(): Command {
  return new Command("make-key")
    .description("Make a key that is to become one of a repository's")
    .addArgument(new Argument("<role>", "what it will sign").choices(["root", "targets", "online"]))
    .requiredOption("--keys <directory>", "where its owner keeps private keys; created if missing")
    .option("--passphrase-file <file>", "its first line encrypts the key (default: asked for on a terminal)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
For keys that are not where the repository is published: a share of the root key, or the online key of the machine with
the timer. The private key stays in the directory. Give the public one, the .pub file, to whoever runs \`ashlar release
rotate-keys\`, and compare its identifier. Until the rotation is published it signs nothing. In a directory with keys it
is called ROLE.next.pem, and replaces ROLE.pem automatically once the rotation is published.

Examples:
  ashlar release make-key root --keys ~/my-release-key
  ashlar release make-key online --keys /etc/ashlar-online-key`,
    )
    .action(async (name: KeyName, flags: Flags) => {
      const { KeyDirectory } = await import("@ashlar/keys");
      const keys = new KeyDirectory(flags.keys, createPassphraseSource(flags.passphraseFile));
      const { signer, publicFile } = await keys.createNext(
        name,
        async () => await choosePassphrase(flags.passphraseFile),
      );
      const { keyID } = signer.key;
      if (flags.json === true) printJson({ role: name, keyId: keyID, publicFile });
      else printLine(`${name} key ${keyID.slice(0, 16)}, its public part is ${publicFile}`);
    });
}

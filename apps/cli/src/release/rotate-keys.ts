import { AshlarError } from "@ashlar/base";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { KeyChange, RotationResult } from "@ashlar/publisher";
import type { KeyName } from "@ashlar/keys";
import { change, type ChangeFlags, changingCommand } from "./command-options.ts";
import { choosePassphrase } from "./passphrase.ts";
import { printChanges, printKeys, printMissing } from "./print-keys.ts";

type Flags = ChangeFlags & {
  readonly replace?: readonly KeyName[];
  readonly rootKey?: readonly string[];
  readonly targetsKey?: readonly string[];
  readonly onlineKey?: readonly string[];
  readonly rootThreshold?: number;
  readonly renew?: true;
};

export function rotateKeysCommand(): Command {
  return changingCommand("rotate-keys", "Replace a repository's keys; nodes follow on their own")
    .argument("[files...]", "copies of next-root.json with signatures of others: collect them")
    .addOption(
      new Option("--replace <roles...>", "replace the directory's own keys with new ones").choices([
        "root",
        "targets",
        "online",
      ]),
    )
    .option("--root-key <keys...>", "all future root keys: .pub files, or identifiers of keys in use")
    .option("--root-threshold <count>", "how many of the root keys sign together", parseThreshold)
    .option("--targets-key <keys...>", "all keys that may publish, each alone")
    .option("--online-key <keys...>", "all keys for snapshot and timestamp, each alone")
    .option("--renew", "the same keys with a new date, for a root role that several have to sign")
    .addHelpText(
      "after",
      `
The change takes the signatures of the root keys before it and of its own. When they are all in --keys, it is published
at once. Otherwise it waits in next-root.json of --keys: the others sign that file, one after the other or copies of it,
with \`ashlar release sign-keys\`, and rotate-keys with the files publishes it. Until then everything stays as it is.
If interrupted, repeat it. Replaced private keys stay as ROLE.old.pem: destroy them, and their copies.

Exit status: 0 published, 1 also when signatures are missing.

Examples:
  ashlar release rotate-keys --replace online --repo /srv/releases --keys ~/release-keys
  ashlar release rotate-keys --root-key ada.pub ben.pub cleo.pub --root-threshold 2 \\
    --repo /srv/releases --keys ~/release-keys
  ashlar release rotate-keys ~/release-keys/next-root.json --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (files: readonly string[], flags: Flags) => {
      const wish = wishOf(files, flags);
      await change(flags, async (options) => {
        const { collectSignatures, rotateKeys } = await import("@ashlar/publisher");
        const choose = async (): Promise<string | undefined> => await choosePassphrase(flags.passphraseFile);
        const result =
          wish === undefined
            ? await collectSignatures({ ...options, proposals: files })
            : await rotateKeys({ ...options, change: wish, choosePassphrase: choose });
        process.exitCode = result.missing.length === 0 ? 0 : 1;
        print(result, flags);
      });
    });
}

/** @returns undefined: only signatures are collected */
function wishOf(files: readonly string[], flags: Flags): KeyChange | undefined {
  const { replace, rootKey, targetsKey, onlineKey, rootThreshold, renew } = flags;
  const given = [replace, rootKey, targetsKey, onlineKey, rootThreshold].some((each) => each !== undefined);
  if ([files.length > 0, given, renew === true].filter(Boolean).length !== 1) {
    throw new AshlarError("usage", "expected either files with signatures, or keys to change, or --renew");
  }
  if (files.length > 0) return undefined;
  return {
    ...(replace !== undefined && { replace }),
    ...(rootThreshold !== undefined && { rootThreshold }),
    keys: {
      ...(rootKey !== undefined && { root: rootKey }),
      ...(targetsKey !== undefined && { targets: targetsKey }),
      ...(onlineKey !== undefined && { online: onlineKey }),
    },
  };
}

function print({ keys, changes, missing }: RotationResult, flags: Flags): void {
  const isPublished = missing.length === 0;
  if (flags.json === true) {
    printJson({ published: isPublished, keys, changes, missing });
    return;
  }
  printKeys(keys);
  printChanges(changes);
  printMissing(missing);
  if (isPublished) printLine(`root role ${keys.version} is published`);
  else reportLine(`root role ${keys.version} waits in ${flags.keys}/next-root.json: \`ashlar release sign-keys\``);
}

function parseThreshold(text: string): number {
  if (/^[1-9]\d?$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1 to 16");
}

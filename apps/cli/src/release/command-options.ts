/** What the commands have in common that change or read a repository. */
import { Command, InvalidArgumentError } from "commander";
import type { ChangeOptions } from "@ashlar/publisher";
import { withInterruption } from "../interruption.ts";
import { createStepPrinter } from "../step-printer.ts";
import { createPassphraseSource } from "./passphrase.ts";

export type ChangeFlags = {
  readonly repo: string;
  readonly keys: string;
  readonly passphraseFile?: string;
  readonly timestampDays?: number;
  readonly roleDays?: number;
  readonly json?: true;
};

/** A command that signs something. */
export function changingCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption("--repo <directory>", "the repository: the directory that a web server serves")
    .requiredOption("--keys <directory>", "the private keys; never below the repository")
    .option("--passphrase-file <file>", "its first line opens the keys (default: asked for on a terminal)")
    .option(
      "--timestamp-days <days>",
      "how many days the timestamp is valid; nodes refuse an older one (default: 30)",
      parseCount,
    )
    .option("--role-days <days>", "how many days the other signatures are valid (default: 365)", parseCount)
    .option("--json", "print the result as JSON");
}

/** Runs a change with what all of them need. */
export async function change(flags: ChangeFlags, work: (options: ChangeOptions) => Promise<void>): Promise<void> {
  await withInterruption(async (signal) => {
    const { DEFAULT_LIFETIMES } = await import("@ashlar/publisher");
    const { KeyDirectory } = await import("@ashlar/keys");
    await work({
      repository: flags.repo,
      keys: new KeyDirectory(flags.keys, createPassphraseSource(flags.passphraseFile)),
      nowMs: Date.now(),
      lifetimes: {
        timestampDays: flags.timestampDays ?? DEFAULT_LIFETIMES.timestampDays,
        roleDays: flags.roleDays ?? DEFAULT_LIFETIMES.roleDays,
      },
      signal,
      onProgress: createStepPrinter(),
    });
  });
}

/** A command that only reads. */
export function readingCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--repo <directory>", "the repository's directory")
    .option("--url <url>", "the repository on a web server")
    .option("--keys <directory>", "where release-root.json and the other public files are; private keys are not needed")
    .option("--root <file>", "the release-root.json to trust")
    .option("--json", "print the result as JSON");
}

export function parseCount(text: string): number {
  if (/^[1-9]\d{0,4}$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number from 1 to 99999");
}

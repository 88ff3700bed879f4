import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { Command, InvalidArgumentError } from "commander";
import type { ProvenanceReport } from "@ashlar/publisher";
import type { RepositoryIndex } from "@ashlar/repository-index";
import { withInterruption } from "../interruption.ts";
import { change, type ChangeFlags, changingCommand, parseCount, readingCommand } from "../release/command-options.ts";
import { keysCommand } from "../release/keys.ts";
import { makeKeyCommand } from "../release/make-key.ts";
import { choosePassphrase } from "../release/passphrase.ts";
import { readingOptions, type ReadFlags } from "../release/reading-options.ts";
import { rotateKeysCommand } from "../release/rotate-keys.ts";
import { signKeysCommand } from "../release/sign-keys.ts";
import { createStepPrinter } from "../step-printer.ts";

export function releaseCommand(): Command {
  return new Command("release")
    .description("Publish releases as signed, static files that nodes update from")
    .addCommand(initCommand())
    .addCommand(publishCommand())
    .addCommand(listCommand())
    .addCommand(promoteCommand())
    .addCommand(withdrawCommand())
    .addCommand(refreshCommand())
    .addCommand(verifyCommand())
    .addCommand(gcCommand())
    .addCommand(keysCommand())
    .addCommand(makeKeyCommand())
    .addCommand(rotateKeysCommand())
    .addCommand(signKeysCommand())
    .addCommand(serveCommand());
}

function initCommand(): Command {
  return changingCommand("init", "Create an empty repository, and keys unless they exist")
    .addHelpText(
      "after",
      `
Beside the private keys (mode 0600) lie the public files that nodes and images get: release-root.json, which is all that
a node trusts of a repository, extensions.crt for extension images, and import-pubring.pgp for plain systemd-sysupdate.
For Secure Boot there are secure-boot-pk.pem, secure-boot-kek.pem and secure-boot-db.pem, each with its certificate (.crt) and
what enrols it (.auth): \`ashlar image build --secure-boot-keys\`.
Existing keys are used; missing ones are created in an older directory.

Examples:
  ashlar release init --repo /srv/releases --keys ~/release-keys
  ashlar release init --repo /srv/releases --keys ~/release-keys --passphrase-file ~/passphrase`,
    )
    .action(async (flags: ChangeFlags) => {
      await change(flags, async (options) => {
        const { initRepository } = await import("@ashlar/publisher");
        const { isNew } = await initRepository(options, async () => await choosePassphrase(flags.passphraseFile));
        if (flags.json === true) printJson({ repository: flags.repo, keys: flags.keys, isNew });
        else printLine(isNew ? `new repository ${flags.repo}` : `${flags.repo} is a repository of these keys already`);
      });
    });
}

type PublishFlags = ChangeFlags & {
  readonly image: string;
  readonly channel: string;
  readonly compression?: number;
  readonly minimumVersion?: string;
};

function publishCommand(): Command {
  return changingCommand("publish", "Publish an image, and make a channel point at it")
    .requiredOption("--image <directory>", "the output of `ashlar image build`")
    .option("--channel <name>", "the channel whose nodes should run it", "stable")
    .option("--minimum-version <version>", "the channel's nodes never go below it, whatever is ordered")
    .option(
      "--compression <level>",
      "of the files for plain systemd-sysupdate, 0 to 9 as for xz (default: 6)",
      parseCompressionLevel,
    )
    .addHelpText(
      "after",
      `
Readers see the old state or the new one. If interrupted, repeat it. A published version never changes.

Examples:
  ashlar release publish --repo /srv/releases --keys ~/release-keys --image out/1.1.0
  ashlar release publish --repo /srv/releases --keys ~/release-keys --image out/1.2.0 --channel testing`,
    )
    .action(async (flags: PublishFlags) => {
      await change(flags, async (options) => {
        const { publishRelease } = await import("@ashlar/publisher");
        const { image, channel, minimumVersion, compression } = flags;
        const { version, files } = await publishRelease({
          ...options,
          image,
          channel,
          ...(minimumVersion !== undefined && { minimumVersion }),
          ...(compression !== undefined && { compressionLevel: compression }),
        });
        if (flags.json === true) printJson({ version, channel, files });
        else printLine(`Ashlar ${version} is published, channel ${channel} has it`);
        if (files.provenance === undefined) reportLine(`${version} has no provenance: ${image} has no provenance.json`);
      });
    });
}

type PromoteFlags = ChangeFlags & { readonly channel: string; readonly minimumVersion?: string };

function promoteCommand(): Command {
  return changingCommand("promote", "Make a channel point at a published release")
    .argument("<version>", "the release")
    .requiredOption("--channel <name>", "the channel; created if it does not exist")
    .option("--minimum-version <version>", "the channel's nodes never go below it, whatever is ordered")
    .addHelpText(
      "after",
      `
Examples:
  ashlar release promote 1.2.0 --channel stable --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (version: string, flags: PromoteFlags) => {
      await change(flags, async (options) => {
        const { promoteRelease } = await import("@ashlar/publisher");
        const { channel, minimumVersion } = flags;
        await promoteRelease({
          ...options,
          version,
          channel,
          ...(minimumVersion !== undefined && { minimumVersion }),
        });
        if (flags.json === true) printJson({ version, channel });
        else printLine(`channel ${channel} has ${version}`);
      });
    });
}

function withdrawCommand(): Command {
  return changingCommand("withdraw", "Withdraw a release: no node installs it any more")
    .argument("<version>", "the release")
    .requiredOption("--reason <text>", "why; nodes report it to whoever asks for that version")
    .addHelpText(
      "after",
      `
Nodes that run it stay on it: promote or publish another release for them.

Examples:
  ashlar release withdraw 1.2.0 --reason "does not boot on X" --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (version: string, flags: ChangeFlags & { readonly reason: string }) => {
      await change(flags, async (options) => {
        const { withdrawFromRepository } = await import("@ashlar/publisher");
        const channels = await withdrawFromRepository({ ...options, version, reason: flags.reason });
        if (flags.json === true) printJson({ version, reason: flags.reason, channels });
        else printLine(`${version} is withdrawn`);
        for (const name of channels) {
          reportLine(`channel ${name} still points at it: promote another release`);
        }
      });
    });
}

function refreshCommand(): Command {
  return changingCommand("refresh", "Renew the signatures before they expire")
    .addHelpText(
      "after",
      `
Run it from a timer, more often than the timestamp's signature expires. It needs online.pem and release-root.json of the
key directory; the other keys only once in half a year.

Exit status: 0 done; 1 also when a role will expire and its key is missing.

Examples:
  ashlar release refresh --repo /srv/releases --keys /etc/ashlar-online-key`,
    )
    .action(async (flags: ChangeFlags) => {
      await change(flags, async (options) => {
        const { refreshRepository } = await import("@ashlar/publisher");
        const { renewed, due } = await refreshRepository(options);
        process.exitCode = due.length === 0 ? 0 : 1;
        if (flags.json === true) printJson({ renewed, due });
        else printLine(`renewed: ${renewed.join(", ")}`);
        for (const { role, expires, missing } of due) {
          const what = {
            key: `its key is not in ${flags.keys}: refresh with it`,
            signatures: "several have to sign it: `ashlar release rotate-keys --renew`",
          };
          reportLine(`${role} expires on ${expires}, and ${what[missing]}`);
        }
      });
    });
}

function gcCommand(): Command {
  return changingCommand("gc", "Remove old releases, but none that a channel points at")
    .requiredOption("--keep <count>", "how many of the newest releases to keep", parseCount)
    .addHelpText(
      "after",
      `
Examples:
  ashlar release gc --keep 5 --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (flags: ChangeFlags & { readonly keep: number }) => {
      await change(flags, async (options) => {
        const { collectGarbage } = await import("@ashlar/publisher");
        const { removed, freedBytes } = await collectGarbage({ ...options, keep: flags.keep });
        if (flags.json === true) printJson({ removed, freedBytes });
        else printLine(`removed ${removed.join(", ") || "no release"}, ${(freedBytes / 1e6).toFixed(0)} MB`);
      });
    });
}

function listCommand(): Command {
  return readingCommand("list", "Show channels and releases")
    .addHelpText(
      "after",
      `
Examples:
  ashlar release list --repo /srv/releases --keys ~/release-keys
  ashlar release list --url https://releases.example/ --root release-root.json --json`,
    )
    .action(async (flags: ReadFlags) => {
      await withInterruption(async (signal) => {
        const { readIndex } = await import("@ashlar/publisher");
        const index = await readIndex({ ...(await readingOptions(flags)), signal });
        if (flags.json === true) printJson(await describe(index));
        else await printIndex(index);
      });
    });
}

function verifyCommand(): Command {
  return readingCommand("verify", "Read every file of a repository, and compare it with what was signed")
    .option("--keyring <file>", "the import-pubring.pgp to check SHA256SUMS.gpg with")
    .option("--certificate <file>", "the extensions.crt to check extension images with")
    .option("--provenance", "also check where everything came from: signed provenance by the expected builder")
    .option("--builder <uri>", "with --provenance: who has to have built it (default: `ashlar` run by hand)")
    .addHelpText(
      "after",
      `
Exit status: 0 everything is as signed, 1 something is not.

Examples:
  ashlar release verify --repo /srv/releases --keys ~/release-keys
  ashlar release verify --url https://releases.example/ --root release-root.json
  ashlar release verify --url https://releases.example/ --root release-root.json --provenance \\
    --builder https://ci.example/ashlar`,
    )
    .action(async (flags: VerifyFlags) => {
      await withInterruption(async (signal) => {
        const { sortedExtensions } = await import("@ashlar/repository-index");
        const { verifyRepository } = await import("@ashlar/publisher");
        const options = await readingOptions(flags);
        const builder = await expectedBuilder(flags);
        const onProgress = createStepPrinter();
        const { index, problems, provenance } = await verifyRepository({ ...options, builder, signal, onProgress });
        process.exitCode = problems.length === 0 ? 0 : 1;
        if (flags.json === true) {
          printJson({ whole: problems.length === 0, problems, provenance, ...(await describe(index)) });
          return;
        }
        for (const each of provenance ?? []) if (each.refusals.length === 0) printLine(provenanceLine(each));
        for (const problem of problems) printLine(problem);
        const images = sortedExtensions(index).length;
        if (options.keyring === undefined) printLine("not checked: SHA256SUMS.gpg, without --keyring or --keys");
        if (options.certificate === undefined && images > 0) {
          printLine("not checked: signatures of extension images, without --certificate or --keys");
        }
        if (provenance === undefined) printLine("not checked: provenance, without --provenance");
        if (problems.length === 0) {
          printLine(`${index.releases.size} releases, ${images} extension images: everything is as signed`);
        }
      });
    });
}

type VerifyFlags = ReadFlags & { readonly provenance?: true; readonly builder?: string };

/** @throws AshlarError `usage` */
async function expectedBuilder({ provenance, builder }: VerifyFlags): Promise<string | undefined> {
  const { AshlarError } = await import("@ashlar/base");
  const { checkBuilder, DEFAULT_BUILDER } = await import("@ashlar/statements");
  if (provenance === true) return checkBuilder(builder ?? DEFAULT_BUILDER);
  if (builder === undefined) return undefined;
  throw new AshlarError("usage", "expected --provenance with --builder, found none");
}

function provenanceLine({ of, builder, sourceCommit, dependencies }: ProvenanceReport): string {
  const source = sourceCommit === null ? "no commit of Ashlar is named" : `Ashlar at ${sourceCommit.slice(0, 12)}`;
  return `${of}: built by ${builder} from ${dependencies} dependencies; ${source}`;
}

async function describe(index: RepositoryIndex): Promise<object> {
  const { sortedReleases } = await import("@ashlar/repository-index");
  const channels = Object.fromEntries(index.channels);
  return { serial: index.serial, channels, releases: sortedReleases(index) };
}

async function printIndex(index: RepositoryIndex): Promise<void> {
  const { sortedReleases } = await import("@ashlar/repository-index");
  for (const { version, files, withdrawn } of sortedReleases(index)) {
    const names = [...index.channels].filter(([, channel]) => channel.version === version).map(([name]) => name);
    const archives = [files.usrArchive, files.verityArchive, files.ukiArchive];
    const megabytes = archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 1e6;
    const notes = [
      names.join(", "),
      ...(withdrawn === undefined ? [] : [`withdrawn ${withdrawn.at.slice(0, 10)}: ${withdrawn.reason}`]),
    ];
    printLine(`${version.padEnd(16)}${`${megabytes.toFixed(0)} MB`.padStart(8)}  ${notes.join("  ")}`.trimEnd());
  }
  for (const [name, { version, minimumVersion }] of index.channels) {
    printLine(`channel ${name}: ${version}, minimum ${minimumVersion}`);
  }
  printLine(`serial ${index.serial}`);
}

function serveCommand(): Command {
  return new Command("serve")
    .description("Serve a repository over HTTP, for labs and closed networks")
    .requiredOption("--repo <directory>", "the repository's directory")
    .requiredOption("--port <port>", "the TCP port; 0 picks a free one", parsePort)
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option("--json", "print the URL as JSON")
    .addHelpText(
      "after",
      `
Anybody who can reach the port can read the repository, and nothing else. Ctrl-C ends it.

Examples:
  ashlar release serve --repo /srv/releases --port 8080
  ashlar release serve --repo /srv/releases --port 8080 --host 0.0.0.0`,
    )
    .action(async (flags: { readonly repo: string; readonly port: number; readonly host: string; json?: true }) => {
      await withInterruption(async (signal) => {
        const { serveRepository } = await import("@ashlar/publisher");
        const server = await serveRepository({ repository: flags.repo, host: flags.host, port: flags.port });
        printLine(flags.json === true ? JSON.stringify({ url: server.url }) : `serving ${flags.repo} at ${server.url}`);
        const { promise, resolve } = Promise.withResolvers<void>();
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
        await promise;
        await server.close();
      });
    });
}

function parseCompressionLevel(text: string): number {
  if (/^\d$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a digit from 0 to 9");
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("expected a port number");
}

import { AshlarError } from "@ashlar/base";
import { printJson, printLine } from "@ashlar/host/terminal";
import type { ImageSecureBoot } from "@ashlar/image";
import { Command, Option } from "commander";
import { withInterruption } from "../interruption.ts";
import { createPassphraseSource } from "../release/passphrase.ts";
import { createStepPrinter } from "../step-printer.ts";

export function imageCommand(): Command {
  return new Command("image")
    .description("Build and verify operating system images")
    .addCommand(buildCommand())
    .addCommand(verifyCommand());
}

type BuildFlags = {
  readonly version: string;
  readonly out: string;
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly addTree?: string;
  readonly releaseUrl?: string;
  readonly releaseKeys?: string;
  readonly secureBootKeys?: string;
  readonly secureBootEnroll?: ImageSecureBoot["enrolment"];
  readonly passphraseFile?: string;
  readonly builder?: string;
  readonly json?: true;
};

function buildCommand(): Command {
  return new Command("build")
    .description("Build the operating system image of a release from Debian packages")
    .requiredOption("--version <version>", "the release, for example 1.0.0")
    .requiredOption(
      "--out <directory>",
      "where the image goes: disk.raw, its parts, manifest.json, a bill of materials and provenance",
    )
    .option("--mirror <url>", "Debian archive to install from (default: this machine's own)")
    .option("--snapshot <timestamp>", "the archive as it was then, for example 20261122T000000Z")
    .option("--add-tree <directory>", "lay the files of this directory over the image's /usr")
    .option("--release-url <url>", "where its nodes look for updates (see `ashlar release`)")
    .option(
      "--release-keys <directory>",
      "whose releases and extensions its nodes take: the directory of `ashlar release init`",
    )
    .option(
      "--secure-boot-keys <directory>",
      "sign systemd-boot and the UKI for Secure Boot: the directory of `ashlar release init`, whose secure-boot-db.pem signs",
    )
    .addOption(
      new Option(
        "--secure-boot-enroll <when>",
        "where systemd-boot enrols these keys when firmware is in set-up mode: in virtual machines alone, or everywhere",
      ).choices(["if-safe", "force"]),
    )
    .option("--passphrase-file <file>", "its first line opens the key (default: asked for on a terminal)")
    .option("--builder <uri>", "who builds, as provenance names it (default: `ashlar` run by hand)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  ashlar image build --version 1.0.0 --out out/1.0.0
  ashlar image build --version 1.0.0 --out out/1.0.0 --snapshot 20261122T000000Z
  ashlar image build --version 1.0.0 --out out/1.0.0 --release-keys ~/release-keys --secure-boot-keys ~/release-keys

Needs root. Installed packages are kept in a cache and reused as long as the archive offers the same ones.`,
    )
    .action(async (flags: BuildFlags) => {
      await withInterruption(async (signal) => {
        const { buildImage, MAX_UKI_BYTES, MAX_USR_BYTES } = await import("@ashlar/image");
        const start = performance.now();
        const { version, out, mirror, snapshot, addTree, releaseUrl, releaseKeys, builder } = flags;
        const releaseSource = readReleaseSource(releaseUrl, releaseKeys);
        const secureBoot = await readSecureBoot(flags);
        const { manifest, cachedPackages } = await buildImage({
          version,
          out,
          ...(mirror === undefined ? {} : { mirror }),
          ...(snapshot === undefined ? {} : { snapshot }),
          ...(builder === undefined ? {} : { builder }),
          ...(secureBoot === undefined ? {} : { secureBoot }),
          ...(addTree === undefined ? {} : { addedTree: addTree }),
          ...(releaseSource === undefined ? {} : { releaseSource }),
          signal,
          onProgress: createStepPrinter(),
        });
        const seconds = Math.round((performance.now() - start) / 1000);
        const { usr, uki } = manifest;
        if (flags.json === true) {
          const summary = {
            version: manifest.version,
            out: flags.out,
            usrRootHash: usr.rootHash,
            usrSizeBytes: usr.dataSizeBytes,
          };
          printJson({
            ...summary,
            ukiSizeBytes: uki.sizeBytes,
            secureBoot: manifest.secureBoot ?? null,
            cachedPackages,
            seconds,
          });
          return;
        }
        printLine(`Ashlar ${manifest.version} in ${flags.out}, built in ${seconds} s`);
        printLine(`  usr   ${megabytes(usr.dataSizeBytes)} of ${megabytes(MAX_USR_BYTES)}, root hash ${usr.rootHash}`);
        printLine(`  UKI   ${megabytes(uki.sizeBytes)} of ${megabytes(MAX_UKI_BYTES)}, SHA-256 ${uki.sha256}`);
        if (manifest.secureBoot !== undefined) {
          const { PK, db } = manifest.secureBoot;
          printLine(`  Secure Boot: signed by db ${db.certificateSha256}, PK ${PK.certificateSha256}`);
        }
        printLine(`  ${manifest.packages.length} Debian packages, ${manifest.files.length} files in /usr`);
      });
    });
}

async function readSecureBoot(flags: BuildFlags): Promise<ImageSecureBoot | undefined> {
  const { secureBootKeys, secureBootEnroll, passphraseFile } = flags;
  if (secureBootKeys === undefined) {
    const extra = secureBootEnroll === undefined ? "--passphrase-file" : "--secure-boot-enroll";
    if (secureBootEnroll === undefined && passphraseFile === undefined) return undefined;
    throw new AshlarError("usage", `expected --secure-boot-keys with ${extra}, found none`);
  }
  const { KeyDirectory } = await import("@ashlar/keys");
  const keys = await new KeyDirectory(secureBootKeys, createPassphraseSource(passphraseFile)).secureBootKeys();
  return { ...keys, enrolment: secureBootEnroll ?? "if-safe" };
}

function readReleaseSource(
  url: string | undefined,
  keys: string | undefined,
): { readonly url?: string; readonly keys: string } | undefined {
  if (keys !== undefined) return { keys, ...(url === undefined ? {} : { url }) };
  if (url === undefined) return undefined;
  throw new AshlarError("usage", "expected --release-keys with --release-url, found none", {
    hint: "nodes take no release without knowing whose signature to trust",
  });
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("Recompute every hash of an image, and name the first damaged block with its file")
    .argument("<image>", "a directory that `ashlar image build` made, or a disk.raw alone")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
A directory is compared with its manifest; a disk alone with the root hashes that its partition UUIDs spell.

Exit status: 0 everything is as released, 1 something is not.

Examples:
  ashlar image verify out/1.0.0
  ashlar image verify /dev/vda --json`,
    )
    .action(async (image: string, flags: { readonly json?: true }) => {
      const { verifyImage } = await import("@ashlar/image");
      const { manifest, rootHashes, problems, unchecked } = await verifyImage(image, {
        onProgress: createStepPrinter(),
      });
      process.exitCode = problems.length === 0 ? 0 : 1;
      if (flags.json === true) {
        const version = manifest?.version ?? null;
        printJson({ image, version, whole: problems.length === 0, rootHashes, problems, unchecked });
        return;
      }
      for (const { message } of problems) printLine(message);
      for (const reason of unchecked) printLine(`not checked: ${reason}`);
      if (problems.length === 0)
        printLine(`${image}: everything is as released, /usr root hash ${rootHashes.join(", ")}`);
    });
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(0)} MB`;
}

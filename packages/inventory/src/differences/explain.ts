import type { Running } from "@ashlar/fleet";
import type { ExtensionKind } from "@ashlar/protocol";
import { isReleaseOf, type Manifests, type WholeRelease } from "../contents/contents.ts";
import { compareConfigs, type KeyDifference, type KnownConfig } from "./compare-configs.ts";
import { compareFiles, comparePackages, type FileDifference, type PackageDifference } from "./compare-lists.ts";

/** What may be known beside what was measured. */
export type Knowledge = { readonly manifests: Manifests; readonly configs: readonly KnownConfig[] };

/** All that differs between what two groups of nodes run. Null, and an empty list: the same. */
export type Differences = {
  readonly release: ReleaseDifference | null;
  readonly extensions: readonly ExtensionDifference[];
  readonly configuration: ConfigDifference | null;
};

export type ReleaseDifference = {
  readonly from: string | null;
  readonly to: string | null;
  /** Null where no manifest of one of the two is known. */
  readonly contents: ContentDifference | null;
  /** What starts the system: loader, kernel image, its sections. Null where a manifest is not known. */
  readonly bootChain:
    | readonly { readonly what: string; readonly from: string | null; readonly to: string | null }[]
    | null;
};

type ContentDifference = { readonly packages: PackageDifference; readonly files: FileDifference };

export type ExtensionDifference = {
  readonly kind: ExtensionKind;
  readonly name: string;
  /** Null where it is not merged. */
  readonly from: ExtensionSide | null;
  readonly to: ExtensionSide | null;
  /** Null where it is merged on one side alone, or a manifest is not known. */
  readonly contents: ContentDifference | null;
};

export type ExtensionSide = { readonly version: string | null; readonly rootHash: string };

export type ConfigDifference = {
  readonly from: ConfigSide;
  readonly to: ConfigSide;
  /** Null where one of the files is not known, or cannot be compared. */
  readonly keys: readonly KeyDifference[] | null;
};

/** `name` is null for a config that none of the known files gives. */
export type ConfigSide = { readonly sha256: string | null; readonly name: string | null };

/** In the user's terms: releases, extensions, configuration. Which of them it is was measured; the details come from manifests and files. */
export function explainDifference(from: Running, to: Running, { manifests, configs }: Knowledge): Differences {
  return {
    release: explainRelease(from, to, manifests),
    extensions: explainExtensions(from, to, manifests),
    configuration: from.config === to.config ? null : explainConfig(from.config, to.config, configs),
  };
}

function explainRelease(from: Running, to: Running, { releases }: Manifests): ReleaseDifference | null {
  const [before, after] = [from, to].map((running) => releases.find((each) => isReleaseOf(each, running)));
  if (before === undefined || after === undefined) {
    const isSame = from.release === to.release && !isOtherBuild(from, to);
    return isSame ? null : { from: from.release, to: to.release, contents: null, bootChain: null };
  }
  if (before.uki.authenticode === after.uki.authenticode && before.usr.rootHash === after.usr.rootHash) return null;
  return {
    from: from.release,
    to: to.release,
    contents: compareContents(before, after),
    bootChain: compareBootChain(before, after),
  };
}

/** Everything else of the identity is the same, so that it is the release that another build was made of. */
function isOtherBuild(from: Running, to: Running): boolean {
  const hashes = ({ extensions }: Running): string =>
    extensions.map(({ kind, name, rootHash }) => `${kind} ${name} ${rootHash}`).join();
  return from.identity !== to.identity && from.config === to.config && hashes(from) === hashes(to);
}

type Contents = Pick<WholeRelease, "packages" | "files">;

function compareContents(before: Contents, after: Contents): ContentDifference {
  return {
    packages: comparePackages(before.packages, after.packages),
    files: compareFiles(before.files, after.files),
  };
}

/** Names of sections as UAPI Group's "Unified Kernel Image" has them. */
const SECTIONS: Readonly<Record<string, string>> = {
  ".linux": "kernel",
  ".initrd": "initrd",
  ".cmdline": "kernel command line",
  ".osrel": "os-release",
  ".ucode": "microcode",
};

function compareBootChain(before: WholeRelease, after: WholeRelease): NonNullable<ReleaseDifference["bootChain"]> {
  const chain = (release: WholeRelease): Map<string, string> =>
    new Map([
      ["systemd-boot", release.bootLoader.sha256],
      ...release.uki.sections.map(
        ({ name, sha256 }) => [SECTIONS[name] ?? `section ${name} of the UKI`, sha256] as const,
      ),
      // For people the text says more than its digest.
      ["kernel command line", release.commandLine],
      ["os-release", release.osRelease],
    ]);
  const [old, now] = [chain(before), chain(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names
    .map((what) => ({ what, from: old.get(what) ?? null, to: now.get(what) ?? null }))
    .filter((each) => each.from !== each.to);
}

function explainExtensions(from: Running, to: Running, { extensions }: Manifests): ExtensionDifference[] {
  const merged = ({ extensions: all }: Running): Map<string, Running["extensions"][number]> =>
    new Map(all.map((each) => [`${each.kind} ${each.name}`, each]));
  const [old, now] = [merged(from), merged(to)];
  return [...new Set([...old.keys(), ...now.keys()])].toSorted().flatMap((key): ExtensionDifference[] => {
    const [before, after] = [old.get(key), now.get(key)];
    const any = after ?? before;
    if (any === undefined || before?.rootHash === after?.rootHash) return [];
    const [first, second] = [before, after].map((side) =>
      extensions.find(({ image }) => image.rootHash === side?.rootHash),
    );
    const contents = first === undefined || second === undefined ? null : compareContents(first, second);
    return [{ kind: any.kind, name: any.name, from: sideOf(before), to: sideOf(after), contents }];
  });
}

function sideOf(merged: Running["extensions"][number] | undefined): ExtensionSide | null {
  return merged === undefined ? null : { version: merged.version, rootHash: merged.rootHash };
}

function explainConfig(from: string | null, to: string | null, configs: readonly KnownConfig[]): ConfigDifference {
  const [before, after] = [from, to].map((sha256) => configs.find((each) => each.sha256 === sha256));
  const keys = before === undefined || after === undefined ? null : (compareConfigs(before.text, after.text) ?? null);
  return {
    from: { sha256: from, name: before?.name ?? null },
    to: { sha256: to, name: after?.name ?? null },
    keys,
  };
}

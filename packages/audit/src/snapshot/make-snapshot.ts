import { linesOf, splitAt } from "./lines.ts";
import { readDpkg, readRpm, type Packages } from "./packages.ts";
import type { RawFile, Records } from "./records.ts";
import {
  MAX_HASHED_BYTES,
  type Facts,
  type FileType,
  type Snapshot,
  type SnapshotFile,
  type Unread,
} from "./snapshot.ts";
import { stateOf } from "./state.ts";

/** Puts together what the records say of one thing in several places. */
export function makeSnapshot({ texts, files: rawFiles, digests, unread, changed }: Records): Snapshot {
  const digestOf = digestsOfInodes(rawFiles, digests);
  const capabilities = readCapabilities(texts.get("capabilities") ?? "");
  const files = rawFiles.map((raw): SnapshotFile => {
    const { inode, type, ...rest } = raw;
    return {
      ...rest,
      type: TYPES[type] ?? "unknown",
      digest: digestOf.get(inode),
      capabilities: capabilities.get(raw.path),
    };
  });
  const links = topLinks(files);
  const packages = texts.has("dpkg") ? readDpkg(texts, links) : texts.has("rpm") ? readRpm(texts, links) : NO_PACKAGES;
  return {
    host: texts.get("host")?.trim(),
    facts: factsOf(texts, packages),
    files,
    ...packages,
    state: stateOf(texts),
    unread: [
      ...findUnread(files),
      ...findMounts(rawFiles),
      ...unreadOf(unread, "unreadable"),
      ...unreadOf(changed, CHANGED),
    ],
    missing: linesOf(texts.get("missing")),
    isByRoot: texts.get("user")?.trim() === "0",
  };
}

const CHANGED = "changed while it was read";
const NO_PACKAGES: Packages = {
  packages: new Map(),
  owners: new Map(),
  configurationFiles: new Set(),
  installations: [],
};

/** The letters of `find -printf %y`. */
const TYPES: Readonly<Record<string, FileType>> = {
  f: "file",
  d: "directory",
  l: "link",
  p: "fifo",
  s: "socket",
  b: "block device",
  c: "character device",
};

function digestsOfInodes(files: readonly RawFile[], digests: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, inode, type } of files) {
    const digest = type === "f" ? digests.get(path) : undefined;
    if (digest !== undefined) found.set(inode, digest);
  }
  return found;
}

/** `PATH cap_net_raw=ep` (libcap 2.41 and newer), or `PATH = cap_net_raw+ep`. */
function readCapabilities(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of linesOf(text)) {
    const at = line.lastIndexOf(" ");
    const path = line.slice(0, Math.max(0, at)).replace(/ =$/u, "");
    if (path !== "") found.set(`/${path.replaceAll("\\", "\\\\")}`, line.slice(at + 1).replace("+", "="));
  }
  return found;
}

/** `/bin` to `/usr/bin`: packages name files below either. */
function topLinks(files: readonly SnapshotFile[]): ReadonlyMap<string, string> {
  const links = files.filter(({ path, type }) => type === "link" && path.lastIndexOf("/") === 0);
  return new Map(links.map(({ path, target }) => [path.slice(1), `/${target.replace(/^\//u, "")}`]));
}

function findUnread(files: readonly SnapshotFile[]): Unread[] {
  return files
    .filter(({ type, digest, sizeBytes }) => type === "file" && digest === undefined && sizeBytes < MAX_HASHED_BYTES)
    .map(({ path }) => ({ path, why: "unreadable" }));
}

/** A directory on another device than the one that it is in. */
function findMounts(files: readonly RawFile[]): Unread[] {
  const devices = new Map(files.filter(({ type }) => type === "d").map(({ path, inode }) => [path, deviceOf(inode)]));
  return [...devices]
    .filter(([path, device]) => {
      const parent = devices.get(path.slice(0, path.lastIndexOf("/")));
      return parent !== undefined && parent !== device;
    })
    .map(([path]) => ({ path, why: "mount" }));
}

function deviceOf(inode: string): string {
  return inode.slice(0, inode.indexOf(":"));
}

function unreadOf(paths: readonly string[], why: Unread["why"]): Unread[] {
  return paths.map((path) => ({ path, why }));
}

function factsOf(texts: ReadonlyMap<string, string>, { packages }: Packages): Facts {
  const release = new Map(linesOf(texts.get("os-release")).map((line) => splitAt(line, "=")));
  const kubelet = texts
    .get("kubelet")
    ?.trim()
    .replace(/^Kubernetes /u, "");
  return {
    system: release.get("PRETTY_NAME")?.replaceAll('"', ""),
    kernel: texts.get("kernel")?.trim() || undefined,
    kubelet: kubelet || packages.get("kubelet"),
  };
}

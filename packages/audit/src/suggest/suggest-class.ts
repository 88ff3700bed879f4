import { noiseFilter, type NoiseRule } from "../rules/noise-rule.ts";
import { compareText } from "../snapshot/compare-text.ts";
import type { Snapshot, SnapshotFile } from "../snapshot/snapshot.ts";
import { LEFT_OUT } from "./left-out.ts";

/** What the configuration of a node amounts to, as a class of nodes would declare it. */
export type SuggestedClass = {
  readonly system: string | undefined;
  readonly files: readonly SuggestedFile[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Of which the files are among the files. */
  readonly units: readonly SuggestedUnit[];
  readonly users: readonly SuggestedUser[];
  /** Extensions that stand for programs that the node has. */
  readonly extensions: readonly { readonly name: string; readonly version: string; readonly tier: string }[];
  /** What has no place in it, with the reason, by path. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
};

/** Its content is on the node: a snapshot has the digest alone. */
export type SuggestedFile = {
  readonly path: string;
  readonly mode: number;
  readonly owner: number;
  readonly group: number;
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string;
};

export type SuggestedUnit = {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly isMasked: boolean;
};

export type SuggestedUser = {
  readonly name: string;
  readonly number: number;
  readonly home: string;
  readonly shell: string;
};

const UNIT = /^\/etc\/systemd\/system\/(?<name>[^/]+\.(?:service|socket|timer|path|mount|automount|target|slice))$/u;
const UNIT_ENABLED = /^\/etc\/systemd\/system\/[^/]+\.(?:wants|requires)\/(?<name>[^/]+)$/u;
const OTHERS_MAY_READ = 0o004;
/** People, by the numbers that distributions give them (login.defs(5)). */
const FIRST_PERSON = 1000;
const LAST_PERSON = 60_000;
const TEXT_OF_PATH = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/**
 * What stands below /etc and no package has brought is what somebody configured. Whether a package's own file was changed there
 * cannot be told: these, and programs outside of packages, are left to the reader.
 */
export function suggestClass(snapshot: Snapshot, rules: readonly NoiseRule[]): SuggestedClass {
  const owned = new Set(snapshot.owned.flatMap(({ paths }) => paths));
  const why = reasons(rules);
  const enabled = new Set(snapshot.files.flatMap(({ path }) => UNIT_ENABLED.exec(path)?.groups?.["name"] ?? []));
  const files: SuggestedFile[] = [];
  const links: { path: string; target: string }[] = [];
  const units: SuggestedUnit[] = [];
  const leftOut: { path: string; reason: string }[] = [];
  for (const file of snapshot.files) {
    if (!file.path.startsWith("/etc/") || owned.has(file.path) || file.type === "directory") continue;
    const unit = UNIT.exec(file.path)?.groups?.["name"];
    const reason = why(file);
    if (reason !== undefined) leftOut.push({ path: file.path, reason });
    else if (file.type === "link" && file.target === "/dev/null" && unit !== undefined)
      units.push({ name: unit, isEnabled: false, isMasked: true });
    else if (file.type === "link") links.push({ path: file.path, target: file.target });
    else {
      files.push(fileOf(file));
      if (unit !== undefined) units.push({ name: unit, isEnabled: enabled.has(unit), isMasked: false });
    }
  }
  return {
    system: snapshot.facts.system,
    files: files.toSorted(byPath),
    links: links.toSorted(byPath),
    units: units.toSorted((left, right) => compareText(left.name, right.name)),
    users: usersOf(snapshot.state),
    extensions: extensionsOf(snapshot),
    leftOut: leftOut.toSorted(byPath),
  };
}

/** Why a file has no place in a class. */
function reasons(rules: readonly NoiseRule[]): (file: SnapshotFile) => string | undefined {
  const filter = noiseFilter([...rules, ...LEFT_OUT]);
  return ({ path, type, mode, target, digest }) => {
    const rule = filter(path, "content");
    if (rule !== undefined) return rule.reason;
    if (!TEXT_OF_PATH.test(path) || path.includes("\\")) return "its name is no plain text";
    if (type === "link")
      return TEXT_OF_PATH.test(target) && !target.includes("\\") ? undefined : "its target is no plain text";
    if (type !== "file") return `a ${type}`;
    if (digest === undefined) return "its content is not known";
    return (Number.parseInt(mode, 8) & OTHERS_MAY_READ) === 0
      ? "not everybody may read it: a secret belongs into a node's own part, if anywhere"
      : undefined;
  };
}

function fileOf({ path, mode, owner, group, digest = "" }: SnapshotFile): SuggestedFile {
  return { path, mode: Number.parseInt(mode, 8), owner: Number(owner), group: Number(group), digest };
}

/** `1000:1000:/home/admin:/bin/bash` by name. */
function usersOf(state: Snapshot["state"]): SuggestedUser[] {
  return [...state].flatMap(([key, value]) => {
    const name = /^user:(?<name>[a-z_][a-z0-9_-]{0,31})$/u.exec(key)?.groups?.["name"];
    const [number = "", , home = "", shell = ""] = value.split(":");
    const isPerson = Number(number) >= FIRST_PERSON && Number(number) < LAST_PERSON;
    if (name === undefined || !isPerson || /\/(?:nologin|false)$/u.test(shell)) return [];
    return [{ name, number: Number(number), home, shell }];
  });
}

/** The patch versions of a minor version are one track. */
function extensionsOf({ facts, files }: Snapshot): SuggestedClass["extensions"] {
  const minor = /\bv(?<minor>\d+\.\d+)\.\d+/u.exec(facts.kubelet ?? "")?.groups?.["minor"];
  const hasPlugins = files.some(({ path }) => path === "/opt/cni/bin/bridge" || path === "/usr/lib/cni/bridge");
  return [
    ...(minor === undefined ? [] : [{ name: "kubernetes", version: `v${minor}.*`, tier: "community" }]),
    ...(hasPlugins ? [{ name: "cni", version: "*", tier: "opt-in" }] : []),
  ];
}

function byPath(left: { readonly path: string }, right: { readonly path: string }): number {
  return compareText(left.path, right.path);
}

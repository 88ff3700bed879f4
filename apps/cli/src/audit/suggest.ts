import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Comparison, NoiseRule } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";
import { writeFileAtomically } from "@ashlar/host";
import { readSnapshot, type SnapshotPath } from "./read-nodes.ts";
import { countOf } from "./words.ts";

/** What `--suggest-butane` has written. */
export type Suggested = {
  readonly directory: string;
  /** Of the first group. */
  readonly node: string;
  /** Whether it is a tree on this machine, called by its path. */
  readonly isTree: boolean;
  readonly files: number;
  readonly units: number;
  readonly users: number;
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
};

/** For its owner alone: names of files and users are in it. */
const MODE = 0o600;
const MAX_NAMES = 4;

type Sources = {
  readonly paths: readonly SnapshotPath[];
  readonly roots: readonly string[];
  readonly rules: readonly NoiseRule[];
};

/** Writes what the first group's configuration amounts to as a class: `class.bu`, and `files.list` with what it takes from a node. */
export async function suggestButane(
  directory: string,
  { groups }: Comparison,
  { paths, roots, rules }: Sources,
): Promise<Suggested | undefined> {
  const { classFile, filesToCopy, SnapshotReader, suggestClass } = await import("@ashlar/audit");
  const found = paths.find(({ name }) => name === groups[0]?.nodes[0]);
  if (found === undefined) return undefined;
  const suggested = suggestClass(await readSnapshot(new SnapshotReader(), found), rules);
  const { files, units, users, leftOut } = suggested;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFileAtomically(join(directory, "class.bu"), classFile(suggested), MODE);
  const list = filesToCopy(suggested).map((path) => `${path}\n`);
  await writeFileAtomically(join(directory, "files.list"), list.join(""), MODE);
  return {
    directory,
    node: found.name,
    isTree: roots.includes(found.name),
    files: files.length,
    units: units.length,
    users: users.length,
    leftOut,
  };
}

export function suggestionLines(suggested: Suggested): string[] {
  const { directory, node, isTree, leftOut } = suggested;
  const file = join(directory, "class.bu");
  const counts = [countOf(suggested.files, "file"), countOf(suggested.units, "unit"), countOf(suggested.users, "user")];
  const check = `ashlar butane --check --target ashlar --files-dir ${isTree ? node : "files"} ${file}`;
  const copy = `mkdir files && ssh ${node} sudo tar -C / -cf - -T - < ${join(directory, "files.list")} | tar -C files -xf -`;
  const reasons = [...Map.groupBy(leftOut, ({ reason }) => reason)].map(
    ([reason, all]) =>
      `  left out: ${firstOf(
        all.map(({ path }) => path),
        MAX_NAMES,
      )}: ${reason}`,
  );
  return [
    `${node} as a class: ${file}, with ${counts.join(", ")}. It is a draft to read, and has digests in place of contents:`,
    ...(isTree ? [] : [`  ${copy}`]),
    `  ${check}`,
    ...reasons,
  ];
}

import { nameOnly, packageKey, UNREAD, type NodeTable, type Row } from "./node-table.ts";
import type { Causes, FileDifference, FileForm, PackageDifference, StateDifference } from "./report.ts";

/** One thing in which nodes differ, and which of its two sides counts. */
export type Differing = { readonly key: number; readonly content: boolean; readonly mode: boolean };

type Found = { -readonly [Name in keyof Causes]: Causes[Name][number][] };

/** Why `here` is not `there`: each difference has one cause. */
export function findCauses(table: NodeTable, differing: readonly Differing[], here: Row, there: Row): Causes {
  const found: Found = {
    packages: [],
    unowned: [],
    changed: [],
    metadata: [],
    configuration: [],
    state: [],
    unread: [],
  };
  const explained = new Map<string, number>();
  for (const { key, content, mode } of differing) {
    const name = table.keys[key] ?? "";
    const differs = {
      content: content && here.values.content(key) !== there.values.content(key),
      mode: mode && here.values.mode(key) !== there.values.mode(key),
    };
    if (!differs.content && !differs.mode) continue;
    if (name.startsWith("/")) {
      const difference = fileDifference(table, key, here, there);
      const cause = causeOf(table, difference, differs, here, there);
      if (cause !== "packages") found[cause].push(difference);
      else if (difference.package !== undefined)
        explained.set(difference.package, (explained.get(difference.package) ?? 0) + 1);
    } else {
      const texts = { here: table.text(here.values.content(key)), there: table.text(there.values.content(key)) };
      if (name.startsWith("package:"))
        found.packages.push(packageDifference(name.slice("package:".length), texts, here));
      else found.state.push({ name, ...texts } satisfies StateDifference);
    }
  }
  const packages = found.packages.map(({ name, here: version, there: other, since }) => {
    return { name, here: version, there: other, since, files: explained.get(name) ?? 0 };
  });
  return sorted({ ...found, packages });
}

/** The causes that are lists of files. */
type FileCause = Exclude<keyof Causes, "packages" | "state">;
type Differs = { readonly content: boolean; readonly mode: boolean };

function causeOf(
  table: NodeTable,
  difference: FileDifference,
  differs: Differs,
  here: Row,
  there: Row,
): FileCause | "packages" {
  const { path, package: owner } = difference;
  const versionKey = owner === undefined ? undefined : table.keyNumber(packageKey(owner));
  const versions = [here, there].map((row) => (versionKey === undefined ? 0 : row.values.content(versionKey)));
  const isExtra = difference.here !== undefined && difference.there === undefined;
  const isGone = difference.here === undefined && difference.there !== undefined;
  // On a node that does not have its package.
  const isLeft =
    (difference.here !== undefined && versions[0] === 0) || (difference.there !== undefined && versions[1] === 0);
  if (owner !== undefined && versions[0] !== versions[1] && !isLeft) return "packages";
  if (differs.content && (difference.here?.digest === UNREAD || difference.there?.digest === UNREAD)) return "unread";
  // Of a file that a rule takes the content of, its coming and going is seen by its mode.
  if (!differs.content && !isExtra && !isGone) return "metadata";
  if (isConfiguration(table, path)) return "configuration";
  if (owner === undefined || isLeft) return "unowned";
  return difference.here?.type === "link" && difference.there?.type === "link" ? "metadata" : "changed";
}

function isConfiguration(table: NodeTable, path: string): boolean {
  return table.configurationFiles.has(path) || /^\/(?:etc|var\/lib\/kubelet|var\/spool\/cron)\//u.test(path);
}

function packageDifference(
  name: string,
  versions: Pick<PackageDifference, "here" | "there">,
  row: Row,
): PackageDifference {
  return { name, ...versions, since: row.installations.get(nameOnly(name)), files: 0 };
}

function fileDifference(table: NodeTable, key: number, here: Row, there: Row): FileDifference {
  const path = table.keys[key] ?? "";
  return { path, package: table.owners.get(path), here: formOf(table, here, key), there: formOf(table, there, key) };
}

function formOf(table: NodeTable, row: Row, key: number): FileForm | undefined {
  const content = table.text(row.values.content(key));
  if (content === undefined) return undefined;
  const [type = "", size = "", value] = content === UNREAD ? ["file", "0", UNREAD] : content.split("\0");
  const [mode = "", owner = "", group = "", capabilities = ""] = (table.text(row.values.mode(key)) ?? "").split("\0");
  return {
    type,
    sizeBytes: Number(size),
    digest: type === "file" ? value : undefined,
    target: type === "link" ? value : undefined,
    mode,
    owner,
    group,
    capabilities: capabilities === "" ? undefined : capabilities,
  };
}

/** The largest of what was left behind first, what gives rights before other modes, everything else by name. */
function sorted(causes: Causes): Causes {
  return {
    ...causes,
    unowned: causes.unowned.toSorted((left, right) => sizeOf(right) - sizeOf(left)),
    metadata: causes.metadata.toSorted((left, right) => Number(givesRights(right)) - Number(givesRights(left))),
  };
}

function sizeOf({ here, there }: FileDifference): number {
  return here?.sizeBytes ?? there?.sizeBytes ?? 0;
}

/** Set-uid, set-gid or capabilities that are not there in the other. */
function givesRights({ here, there }: FileDifference): boolean {
  const rights = (form: FileForm | undefined): string =>
    `${form?.mode.replace(/^[01]/u, "0").at(0) ?? "0"} ${form?.capabilities ?? ""}`;
  return here?.type === "file" && rights(here) !== rights(there) && rights(here) !== "0 ";
}

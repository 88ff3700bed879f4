import { dirname, join, normalize } from "node:path/posix";
import { blankComments, findImports, type Import } from "./imports.ts";
import { findNodeLibraries } from "./node-libraries.ts";
import {
  FOLDERS,
  type GroupName,
  GROUPS,
  IMPURE_EXPRESSIONS,
  LAYERS,
  PRINTERS,
  PRINTING,
  PURE,
  PURE_NODE_MODULES,
} from "./rules.ts";
import type { SourceFile, Workspace } from "./read-workspaces.ts";

/** Every place where the workspaces break the rules: `path:line: what was expected and found`. */
export function findViolations(workspaces: readonly Workspace[]): string[] {
  const directoryOf = new Map(workspaces.map(({ name, directory }) => [name, directory]));
  const doors = new Set(workspaces.flatMap((workspace) => workspace.doors));
  const found = workspaces.flatMap((workspace) => [
    ...workspace.files.flatMap((file) => [
      ...findImports(file.text).flatMap((each) => judgeImport(workspace, file, each, directoryOf, doors)),
      ...judgePurity(workspace, file),
      ...judgePrinting(file),
    ]),
    ...judgeManifest(workspace, directoryOf),
  ]);
  return [...found, ...findNodeLibraries(workspaces)];
}

function judgeImport(
  workspace: Workspace,
  file: SourceFile,
  { specifier, line }: Import,
  directoryOf: ReadonlyMap<string, string>,
  doors: ReadonlySet<string>,
): string[] {
  const complain = (message: string): string[] => [`${file.path}:${line}: ${message}`];
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(file.path), specifier));
    const inside = target.startsWith(`${workspace.directory}/`);
    if (!inside)
      return complain(`expected an import by package name, found the path ${specifier} to another workspace`);
    if (isProduct(file) && isTestCode({ path: target })) return complain(onlyForTests(specifier));
    return isTestCode(file) ? [] : judgeFolders(workspace, file.path, target).flatMap(complain);
  }
  if (specifier.startsWith("node:")) {
    const allowed = !isPureCode(file) || PURE_NODE_MODULES.includes(specifier);
    return allowed ? [] : complain(`${workspace.directory} is pure: expected no input or output, found ${specifier}`);
  }
  const name = packageNameOf(specifier);
  const target = directoryOf.get(name);
  if (target === undefined) return [];
  if (!doors.has(specifier)) return complain(`expected an import of ${name}, found one from its inside: ${specifier}`);
  if (isProduct(file) && isTestCode({ path: `${specifier}.ts` })) return complain(onlyForTests(specifier));
  if (target !== workspace.directory && !workspace.declared.includes(name)) {
    return complain(`expected ${name} among the dependencies of ${workspace.directory}/package.json`);
  }
  const allowed =
    layerOf(target) < layerOf(workspace.directory) && (isTestCode(file) || maySee(workspace.directory, target));
  return allowed
    ? []
    : complain(`${workspace.directory} must not import ${target}: see the order in tools/layers/rules.ts`);
}

/** The folders of one workspace have an order, too. */
function judgeFolders({ directory }: Workspace, from: string, to: string): string[] {
  const folders = FOLDERS[directory];
  const [source, target] = [folderOf(directory, from), folderOf(directory, to)];
  if (folders === undefined || source === undefined || source === target) return [];
  const allowed = folders[source];
  if (allowed === undefined) return [`${directory}/src/${source} has no place in tools/layers/rules.ts`];
  if (target !== undefined && allowed.includes(target)) return [];
  return [`${source} must not import ${target ?? "what is in src itself"}: see the folders in tools/layers/rules.ts`];
}

/** The first folder below `src`; undefined for files that are in `src` itself. */
function folderOf(directory: string, path: string): string | undefined {
  const [folder, file] = path.slice(`${directory}/src/`.length).split("/");
  return file === undefined ? undefined : folder;
}

function packageNameOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function maySee(from: string, to: string): boolean {
  const [source, target] = [groupOf(from), groupOf(to)];
  return source === target || GROUPS[source].uses.includes(target);
}

function groupOf(directory: string): GroupName {
  const found = GROUP_NAMES.find((name) => GROUPS[name].members.includes(directory));
  if (found === undefined) throw new Error(`${directory} has no group in tools/layers/rules.ts`);
  return found;
}

const GROUP_NAMES = [
  "values",
  "machine",
  "build",
  "node",
  "outside",
  "cluster",
  "people",
] as const satisfies GroupName[];

function layerOf(directory: string): number {
  const layer = LAYERS.findIndex((directories) => directories.includes(directory));
  if (layer === -1) throw new Error(`${directory} has no place in tools/layers/rules.ts`);
  return layer;
}

function judgePurity(workspace: Workspace, file: SourceFile): string[] {
  if (!isPureCode(file)) return [];
  return blankComments(file.text)
    .split("\n")
    .flatMap((text, index) =>
      IMPURE_EXPRESSIONS.filter(({ pattern }) => pattern.test(text)).map(
        ({ what }) => `${file.path}:${index + 1}: ${workspace.directory} is pure: expected no use of ${what}`,
      ),
    );
}

function judgePrinting(file: SourceFile): string[] {
  if (!isProduct(file) || PRINTERS.includes(file.path)) return [];
  return blankComments(file.text)
    .split("\n")
    .flatMap((text, index) =>
      PRINTING.test(text)
        ? [`${file.path}:${index + 1}: expected @ashlar/host/terminal to print, found another way`]
        : [],
    );
}

function pureRoot({ path }: SourceFile): string | undefined {
  return PURE.find((root) => path.startsWith(`${root}/`));
}

function isPureCode(file: SourceFile): boolean {
  return pureRoot(file) !== undefined && !isTestCode(file);
}

function isTestCode({ path }: Pick<SourceFile, "path">): boolean {
  return /\.test\.ts$|-fixtures?\.ts$|\/test-[\w-]+\.ts$/u.test(path);
}

/** What users run. */
function isProduct(file: SourceFile): boolean {
  return /^(?:apps|packages)\//u.test(file.path) && !isTestCode(file);
}

function onlyForTests(specifier: string): string {
  return `expected no import of what only tests use, found ${specifier}`;
}

/** package.json, tsconfig.json and the imports must name the same workspaces. */
function judgeManifest(workspace: Workspace, directoryOf: ReadonlyMap<string, string>): string[] {
  const specifiers = workspace.files.flatMap(({ text }) => findImports(text)).map(({ specifier }) => specifier);
  const imported = new Set(
    specifiers.map((specifier) => directoryOf.get(packageNameOf(specifier))).filter((each) => each !== undefined),
  );
  const declared = new Set(
    workspace.declared.map((name) => directoryOf.get(name)).filter((each) => each !== undefined),
  );
  const referenced = new Set(workspace.references);
  return [
    ...[...declared.difference(imported)].map((each) => `package.json: declares ${each}, which nothing here imports`),
    ...[...declared.difference(referenced)].map((each) => `tsconfig.json: expected a reference to ${each}`),
    ...[...referenced.difference(declared)].map((each) => `tsconfig.json: refers to ${each}, not in package.json`),
  ].map((message) => `${workspace.directory}/${message}`);
}

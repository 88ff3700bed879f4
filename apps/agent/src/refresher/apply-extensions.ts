import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@ashlar/base";
import { withLock } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import type { DeclaredExtension } from "@ashlar/declaration";
import { EXTENSION_KINDS, type ExtensionKind, type ExtensionWord, foldExtensionWords } from "@ashlar/protocol";
import type { NodePaths } from "../shared/node-paths.ts";
import { type AcceptedImage, readNodeHost } from "../extensions/accept-image.ts";
import { chooseCandidates } from "./choose-candidates.ts";
import { readComponentStates } from "../extensions/component-state.ts";
import { readDebugSessions } from "../extensions/debug-sessions.ts";
import { lookUpIn } from "./find-conflict.ts";
import {
  beginMerge,
  EMPTY_RECORD,
  endMerge,
  type MergeRecord,
  readMergeRecord,
  writeMergeRecord,
  type Setting,
  SETTINGS,
} from "../extensions/merge-record.ts";
import { readDeclared } from "../extensions/read-declared.ts";
import { type Selection, selectImages, type WantedExtension, wantedExtensions } from "./select-images.ts";
import { settingsIn } from "./settings.ts";
import { imagePath, storedVersions } from "../extensions/store.ts";

/** What only a node can do. */
export type Machine = {
  /** Makes /usr, /opt and /etc visible below `base` as they are without extensions. */
  readonly exposeBase: () => Promise<void>;
  readonly measuredWords: () => Promise<readonly ExtensionWord[]>;
  readonly measure: (word: ExtensionWord) => Promise<void>;
  /** What is merged of a kind now, whoever did it. */
  readonly mergedNames: (kind: ExtensionKind) => Promise<ReadonlySet<string>>;
  readonly merge: (kind: ExtensionKind, images: readonly AcceptedImage[]) => Promise<void>;
  readonly reloadUnits: () => Promise<void>;
  readonly applySettings: (settings: readonly Setting[]) => Promise<void>;
};

const LOCK_WAIT_MS: number = 5 * 60_000;

export type Applied = {
  readonly record: MergeRecord;
  /** What was not merged before, by any version. */
  readonly added: MergeRecord["merged"];
};

/**
 * Makes what is merged what it should be: decides, verifies, measures, merges, in this order, and writes down the
 * outcome. What is merged already is neither measured nor merged again.
 *
 * @throws AshlarError `failed` when the TPM does not measure, or nothing can be merged at all
 */
export async function applyExtensions(paths: NodePaths, machine: Machine, bootId: string): Promise<Applied> {
  const lock = { what: "what is merged", holder: "ashlar agent extensions apply", waitMs: LOCK_WAIT_MS };
  return await withLock(join(paths.runtime, "extensions.lock"), lock, async () => {
    await machine.exposeBase();
    const isKnown = await beginMerge(paths.extensions);
    const before = isKnown ? await readMergeRecord(paths.extensions) : EMPTY_RECORD;
    const { wanted, problems } = await readWanted(paths, bootId);
    for (const problem of problems) reportText(problem);
    const selection = await mergeSelection(paths, machine, wanted, before);
    const record = recordOf(selection);
    await writeMergeRecord(paths.extensions, record);
    await writeLinks(paths, selection);
    if (needsReload(before, record)) await machine.reloadUnits();
    const settings = newSettings(before, record);
    if (settings.length > 0) await machine.applySettings(settings);
    await endMerge(paths.extensions);
    const known = new Set(before.merged.map(keyOf));
    return { record, added: record.merged.filter((each) => !known.has(keyOf(each))) };
  });
}

/** Reads and checks what a refresh would, and changes nothing: what is read and loaded now need not be then. */
export async function lookAhead(paths: NodePaths, bootId: string): Promise<void> {
  const { wanted } = await readWanted(paths, bootId);
  selectImages(wanted, readNodeHost(paths.extensions), lookUpIn(paths.extensions.base), new Map());
}

type Wanted = { readonly wanted: readonly WantedExtension[]; readonly problems: readonly string[] };

async function readWanted({ extensions }: NodePaths, bootId: string): Promise<Wanted> {
  const { declared, problems } = await readDeclared(extensions);
  const states = await readComponentStates(extensions);
  const candidates = new Map<string, WantedExtension["images"]>();
  const due: DeclaredExtension[] = [];
  for (const extension of declared) {
    const stored = await storedVersions(extensions, extension.name);
    const versions = chooseCandidates(extension, stored, states, bootId);
    // Of a track nothing has come yet: that is no fault.
    if (versions.length > 0 || extension.source.type !== "track") due.push(extension);
    candidates.set(
      extension.name,
      versions.map((version) => ({ version, path: imagePath(extensions, extension.name, version) })),
    );
  }
  const sessions = await readDebugSessions(extensions, Date.now());
  return { wanted: wantedExtensions(due, ({ name }) => candidates.get(name) ?? [], sessions), problems };
}

/** Merges; when that fails with images that were found good, finds out with which, and goes on without them. */
async function mergeSelection(
  paths: NodePaths,
  machine: Machine,
  wanted: readonly WantedExtension[],
  before: MergeRecord,
): Promise<Selection> {
  const host = readNodeHost(paths.extensions);
  const refused = new Map<string, string>();
  const merged = new Map<ExtensionKind, string>();
  for (const kind of EXTENSION_KINDS) {
    const recorded = before.merged.filter((each) => each.kind === kind);
    const names = await machine.mergedNames(kind);
    // Somebody may have merged or unmerged by hand.
    const isSo = names.size === recorded.length && recorded.every(({ name }) => names.has(name));
    if (isSo) merged.set(kind, signatureOf(recorded));
  }
  for (;;) {
    const selection = selectImages(wanted, host, lookUpIn(paths.extensions.base), refused);
    const culprits = await mergeKinds(machine, selection, merged);
    if (culprits.size === 0) {
      await measureRemoved(machine, selection);
      return selection;
    }
    for (const [path, reason] of culprits) refused.set(path, reason);
  }
}

/** Gives the images that cannot be merged, by their paths, with why. */
async function mergeKinds(
  machine: Machine,
  { chosen }: Selection,
  merged: Map<ExtensionKind, string>,
): Promise<ReadonlyMap<string, string>> {
  for (const kind of EXTENSION_KINDS) {
    const images = chosen.filter((image) => image.kind === kind);
    if (merged.get(kind) === signatureOf(images)) continue;
    await measureNew(machine, images);
    try {
      await machine.merge(kind, images);
      merged.set(kind, signatureOf(images));
    } catch (error) {
      reportText(messageOf(error));
      // Whatever is merged now, it is not what was.
      merged.delete(kind);
      const culprits = await findCulprits(machine, kind, images);
      if (culprits.size > 0) return culprits;
      if (images.length === 0) throw error;
      // It went well now, image by image: what went wrong before has passed.
      merged.set(kind, signatureOf(images));
    }
  }
  return new Map();
}

/**
 * Gives the images with which merging fails: of a part that cannot be merged its halves are tried, so that one of twenty
 * is found with six merges or seven.
 */
async function findCulprits(
  machine: Machine,
  kind: ExtensionKind,
  images: readonly AcceptedImage[],
): Promise<ReadonlyMap<string, string>> {
  const culprits = new Map<string, string>();
  let good: readonly AcceptedImage[] = [];
  const add = async (part: readonly AcceptedImage[]): Promise<void> => {
    const [first] = part;
    if (first === undefined) return;
    try {
      await machine.merge(kind, [...good, ...part]);
      good = [...good, ...part];
    } catch (error) {
      if (part.length === 1) culprits.set(first.path, `it cannot be merged: ${messageOf(error)}`);
      else await addHalves(part);
    }
  };
  const addHalves = async (part: readonly AcceptedImage[]): Promise<void> => {
    const half = Math.ceil(part.length / 2);
    await add(part.slice(0, half));
    await add(part.slice(half));
  };
  // All of them together have failed just now; one alone is tried again.
  await (images.length > 1 ? addHalves(images) : add(images));
  return culprits;
}

async function measureNew(machine: Machine, images: readonly AcceptedImage[]): Promise<void> {
  const { merged } = foldExtensionWords(await machine.measuredWords());
  const known = new Map(merged.map((each) => [keyOf(each), each.rootHash]));
  for (const { kind, name, rootHash } of images) {
    if (known.get(keyOf({ kind, name })) !== rootHash) await machine.measure({ kind, name, rootHash });
  }
}

/** After the fact: until then it was merged. */
async function measureRemoved(machine: Machine, { chosen }: Selection): Promise<void> {
  const { merged } = foldExtensionWords(await machine.measuredWords());
  const now = new Set(chosen.map(keyOf));
  for (const { kind, name } of merged) {
    if (!now.has(keyOf({ kind, name }))) await machine.measure({ kind, name, rootHash: null });
  }
}

function recordOf({ chosen, setAside, missing }: Selection): MergeRecord {
  const merged = chosen.map(({ kind, name, version, rootHash, until, path, behaviour, entries }) => {
    const inUnits = entries.flatMap((entry) => UNIT_PATH.exec(entry.path)?.groups?.["rest"] ?? []);
    const units = inUnits.filter((each) => !each.includes("/"));
    const settings = settingsIn(entries);
    return { kind, name, version, rootHash, until, path, behaviour, hasUnits: inUnits.length > 0, units, settings };
  });
  return { merged: merged.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)), setAside, missing };
}

const UNIT_PATH = /^\/(?:usr\/lib|etc)\/systemd\/system\/(?<rest>.+)$/u;

function needsReload(before: MergeRecord, after: MergeRecord): boolean {
  const units = ({ merged }: MergeRecord): string => signatureOf(merged.filter(({ hasUnits }) => hasUnits));
  return units(before) !== units(after);
}

/** Of what was not merged before in this version. */
function newSettings(before: MergeRecord, after: MergeRecord): Setting[] {
  const known = new Set(before.merged.map(({ rootHash }) => rootHash));
  const found = new Set(after.merged.flatMap(({ rootHash, settings }) => (known.has(rootHash) ? [] : settings)));
  return SETTINGS.filter((setting) => found.has(setting));
}

/** Links to what is merged, where systemd-sysupdate keeps one to the newest version. */
async function writeLinks({ extensions }: NodePaths, { chosen }: Selection): Promise<void> {
  for (const kind of EXTENSION_KINDS) {
    const directory = extensions.links[kind];
    const images = chosen.filter((image) => image.kind === kind);
    if (images.length > 0) await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory).catch(() => [])) {
      if (name.endsWith(".raw")) await rm(join(directory, name), { recursive: true, force: true });
    }
    for (const { name, path } of images) await symlink(path, join(directory, `${name}.raw`));
  }
}

function signatureOf(images: readonly Pick<AcceptedImage, "kind" | "name" | "rootHash">[]): string {
  return images
    .map((image) => `${keyOf(image)}:${image.rootHash}`)
    .toSorted()
    .join("\n");
}

function keyOf({ kind, name }: Pick<AcceptedImage, "kind" | "name">): string {
  return `${kind}:${name}`;
}

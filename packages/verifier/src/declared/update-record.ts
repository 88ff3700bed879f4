import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { listDirectory, readLimited, readOptional, withLock, writeFileAtomically } from "@ashlar/host";
import { parseOwnDocument, parseManifest, versionSchema, type ReleaseManifest } from "@ashlar/protocol/answers";
import { z } from "zod";
import { nodeNameSchema } from "../node-name.ts";

/**
 * What updates from the outside have changed: which release each node is declared to run since, and whose turn it is
 * now. While it is a node's turn, the old and the new release are both right for that node and for no other. The record
 * is written before a node is asked to change, and outlives an interrupted update.
 */
export type UpdateRecord = {
  /** Versions by node name. Nodes that nobody has updated are not in it. */
  readonly declared: ReadonlyMap<string, string>;
  readonly turn: Turn | undefined;
};

export type Turn = {
  readonly node: string;
  /** Versions. */
  readonly from: string;
  readonly to: string;
  /** What was ordered: it says where a rollback goes that is next. Undefined in files of earlier versions. */
  readonly order?: "update" | "rollback" | undefined;
  /** RFC 3339. */
  readonly since: string;
};

export const UPDATE_RECORD_SCHEMA = "ashlar.update-record/v1";

const recordSchema = z.strictObject({
  schema: z.literal(UPDATE_RECORD_SCHEMA),
  declared: z.record(nodeNameSchema, versionSchema).describe("The version that each node is declared to run, by name"),
  turn: z
    .strictObject({
      node: nodeNameSchema,
      from: versionSchema,
      to: versionSchema,
      order: z.enum(["update", "rollback"]).optional(),
      since: z.iso.datetime(),
    })
    .nullable(),
});

const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const LOCK_WAIT_MS = 10_000;

/** The record belongs to the pins: both say what is known about nodes by their names. */
export function updateRecordPath(pinsPath: string): string {
  return join(dirname(pinsPath), "updates.json");
}

/** The JSON Schema of the file. */
export function updateRecordJsonSchema(): object {
  return {
    $id: "urn:ashlar:update-record:v1",
    title: "updates.json beside the pins: what `ashlar update` has changed, version 1",
    ...z.toJSONSchema(recordSchema),
  };
}

/** An empty record when there is no file. */
export async function readUpdateRecord(path: string): Promise<UpdateRecord> {
  const bytes = await readOptional(path, MAX_RECORD_BYTES, { links: "follow" });
  if (bytes === undefined) return { declared: new Map(), turn: undefined };
  const { declared, turn } = parseOwnDocument(bytes.toString("utf8"), recordSchema, path, MAX_RECORD_BYTES);
  return { declared: new Map(Object.entries(declared)), turn: turn ?? undefined };
}

/**
 * Gives a node its turn, or goes on with the turn that it has.
 *
 * @throws AshlarError `conflict` when another node's turn has not ended
 */
export async function beginTurn(path: string, turn: Omit<Turn, "since">, now: Date = new Date()): Promise<void> {
  await change(path, (record) => {
    const other = record.turn?.node;
    if (other !== undefined && other !== turn.node) {
      throw new AshlarError("conflict", `an update of ${other} is still in progress`, {
        hint: `finish it first: repeat the update or rollback of ${other}`,
      });
    }
    return { ...record, turn: { ...turn, since: now.toISOString() } };
  });
}

/** Ends a node's turn: from now on `version` is what it is declared to run. */
export async function endTurn(path: string, node: string, version: string): Promise<void> {
  await change(path, ({ declared, turn }) => ({
    declared: new Map(declared).set(node, version),
    turn: turn?.node === node ? undefined : turn,
  }));
}

/**
 * The versions that are right for a node: first the declared one (`given` when it is given, else what the record says;
 * undefined when neither knows), then another one while it is the node's turn.
 */
export function allowedVersions(
  { declared, turn }: UpdateRecord,
  node: string,
  { given, made }: { readonly given?: string | undefined; readonly made?: string | undefined } = {},
): readonly string[] {
  const own = turn?.node === node ? turn : undefined;
  const version = given ?? declared.get(node) ?? own?.from ?? made;
  const pair = own === undefined ? [] : [own.from, own.to];
  if (version === undefined) return [];
  return [version, ...(pair.includes(version) ? pair.filter((each) => each !== version).slice(0, 1) : [])];
}

/** Keeps a release's manifest beside the record, for whoever judges the nodes later. */
export async function keepRelease(path: string, manifestText: string): Promise<void> {
  const { version } = parseManifest(manifestText);
  await mkdir(releasesDirectory(path), { recursive: true, mode: 0o700 });
  await writeFileAtomically(join(releasesDirectory(path), `ashlar_${version}.manifest.json`), manifestText);
}

/** The releases kept beside the record. */
export async function readKeptReleases(path: string): Promise<ReleaseManifest[]> {
  const directory = releasesDirectory(path);
  const manifests: ReleaseManifest[] = [];
  for (const { name } of await listDirectory(directory, MAX_KEPT_FILES)) {
    if (!name.endsWith(".manifest.json")) continue;
    const bytes = await readLimited(join(directory, name), MAX_MANIFEST_BYTES, { what: "a release that was kept" });
    manifests.push(parseManifest(bytes.toString("utf8")));
  }
  return manifests;
}

/** A real manifest is about 3 MB. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MAX_KEPT_FILES = 1000;

function releasesDirectory(path: string): string {
  return join(dirname(path), "releases");
}

async function change(path: string, make: (record: UpdateRecord) => UpdateRecord): Promise<void> {
  const lock = { what: `the record ${path}`, holder: "ashlar", waitMs: LOCK_WAIT_MS };
  await withLock(`${path}.lock`, lock, async () => {
    const { declared, turn } = make(await readUpdateRecord(path));
    const document = {
      schema: UPDATE_RECORD_SCHEMA,
      declared: Object.fromEntries([...declared].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      turn: turn ?? null,
    };
    await writeFileAtomically(path, `${JSON.stringify(document, undefined, 2)}\n`, 0o600);
  });
}

import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readOptional, withLock, writeFileAtomically } from "@ashlar/host";
import { parseOwnDocument } from "@ashlar/protocol/answers";
import type { DebugException, ExtensionKnowledge } from "@ashlar/identity";
import type { MeasuredExtension } from "@ashlar/protocol";
import { z } from "zod";
import {
  debugExceptionSchema,
  extensionNameSchema,
  extensionVersionSchema,
  MAX_EXCEPTIONS,
  measuredExtensionSchema,
} from "./extension-schemas.ts";
import { nodeNameSchema } from "../node-name.ts";

/**
 * What is right about nodes' extensions for a while only: whose turn it is in a component's update, and which debug
 * sessions were allowed. It is written before a node is asked to change.
 */
export type ExtensionRecord = {
  readonly turn: ComponentTurn | undefined;
  /** By node name, those that are over too: what they merged stays in the node's log until it restarts. */
  readonly exceptions: ReadonlyMap<string, readonly DebugException[]>;
};

export type ComponentTurn = {
  readonly node: string;
  readonly component: string;
  /** The version that it goes to. */
  readonly to: string;
  /** The images that are right meanwhile: the former and the new one. */
  readonly right: readonly MeasuredExtension[];
  /** RFC 3339. */
  readonly since: string;
};

export const EXTENSION_RECORD_SCHEMA = "ashlar.extension-record/v1";

/** A turn that was interrupted, and goes on to another version. */
const MAX_RIGHT = 4;
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const LOCK_WAIT_MS = 10_000;

const recordSchema = z.strictObject({
  schema: z.literal(EXTENSION_RECORD_SCHEMA),
  turn: z
    .strictObject({
      node: nodeNameSchema,
      component: extensionNameSchema,
      to: extensionVersionSchema,
      right: z.array(measuredExtensionSchema).max(MAX_RIGHT).describe("The images that are right meanwhile"),
      since: z.iso.datetime(),
    })
    .nullable(),
  exceptions: z
    .record(nodeNameSchema, z.array(debugExceptionSchema).max(MAX_EXCEPTIONS))
    .describe("The debug sessions that were allowed, by node"),
});

/** The record belongs to the pins, like the one of updates. */
export function extensionRecordPath(pinsPath: string): string {
  return join(dirname(pinsPath), "extensions.json");
}

/** The JSON Schema of the file. */
export function extensionRecordJsonSchema(): object {
  return {
    $id: "urn:ashlar:extension-record:v1",
    title: "extensions.json beside the pins: debug sessions, and whose turn it is in a component's update, version 1",
    ...z.toJSONSchema(recordSchema),
  };
}

/** An empty record when there is no file. */
export async function readExtensionRecord(path: string): Promise<ExtensionRecord> {
  const bytes = await readOptional(path, MAX_RECORD_BYTES, { links: "follow" });
  if (bytes === undefined) return { turn: undefined, exceptions: new Map() };
  const text = bytes.toString("utf8");
  const { turn, exceptions } = parseOwnDocument(text, recordSchema, path, MAX_RECORD_BYTES);
  return { turn: turn ?? undefined, exceptions: new Map(Object.entries(exceptions)) };
}

/** What the record says about one node. */
export function rightOfNode(
  { turn, exceptions }: ExtensionRecord,
  node: string,
): Pick<ExtensionKnowledge, "exceptions" | "alsoAllowed"> {
  return { exceptions: exceptions.get(node) ?? [], alsoAllowed: turn?.node === node ? turn.right : [] };
}

/**
 * Gives a node its turn, or goes on with the one that it has: what was right then is right still.
 *
 * @throws AshlarError `conflict` when another node's turn, or another component's, has not ended
 */
export async function beginComponentTurn(
  path: string,
  turn: Omit<ComponentTurn, "since">,
  now: Date = new Date(),
): Promise<void> {
  await change(path, (record) => {
    const { turn: former } = record;
    if (former !== undefined && (former.node !== turn.node || former.component !== turn.component)) {
      throw new AshlarError("conflict", `an update of ${former.component} on ${former.node} is still in progress`, {
        hint: `finish it first: repeat the update of ${former.component} on ${former.node}`,
      });
    }
    const all = [...turn.right, ...(former?.right ?? [])];
    const right = all.filter(({ rootHash }, index) => all.findIndex((each) => each.rootHash === rootHash) === index);
    return { ...record, turn: { ...turn, right: right.slice(0, MAX_RIGHT), since: now.toISOString() } };
  });
}

/** Ends a node's turn: from now on only what its configs declare is right. */
export async function endComponentTurn(path: string, node: string): Promise<void> {
  await change(path, (record) => (record.turn?.node === node ? { ...record, turn: undefined } : record));
}

/** Allows a node an undeclared extension. Of very many the oldest are forgotten. */
export async function allowDebugging(path: string, node: string, exception: DebugException): Promise<void> {
  await change(path, ({ turn, exceptions }) => {
    const all = [...(exceptions.get(node) ?? []), exception].slice(-MAX_EXCEPTIONS);
    return { turn, exceptions: new Map(exceptions).set(node, all) };
  });
}

/** Ends all sessions with an extension on a node, if they last. */
export async function endDebugging(path: string, node: string, name: string, now: Date = new Date()): Promise<void> {
  const until = now.toISOString();
  await change(path, ({ turn, exceptions }) => {
    const own = (exceptions.get(node) ?? []).map((each) =>
      each.name === name && Date.parse(each.until) > now.getTime() ? Object.assign({}, each, { until }) : each,
    );
    return { turn, exceptions: new Map(exceptions).set(node, own) };
  });
}

async function change(path: string, make: (record: ExtensionRecord) => ExtensionRecord): Promise<void> {
  const lock = { what: `the record ${path}`, holder: "ashlar", waitMs: LOCK_WAIT_MS };
  await withLock(`${path}.lock`, lock, async () => {
    const { turn, exceptions } = make(await readExtensionRecord(path));
    const sorted = [...exceptions].filter(([, own]) => own.length > 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const document = { schema: EXTENSION_RECORD_SCHEMA, turn: turn ?? null, exceptions: Object.fromEntries(sorted) };
    await writeFileAtomically(path, `${JSON.stringify(document, undefined, 2)}\n`, 0o600);
  });
}

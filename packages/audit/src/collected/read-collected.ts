/**
 * What collect.sh writes: fields that each end with a NUL. The first is `ashlar-audit/2`, the last `end`; between them are records,
 * of which the first field is the kind:
 *
 *     text NAME CONTENT                      what a program on the node has printed
 *     piece LIST CONTENT                     lines of a long list, which has as many pieces as it takes
 *     same LIST DIGEST                       a piece that this node has sent before: 32 letters of its SHA-256
 *     unread PATH                            a directory that could not be entered
 *     changed PATH                           a file that is newer than the beginning
 */
import { AshlarError } from "@ashlar/base";
import { Fields } from "../snapshot/fields.ts";
import { MAX_PATH_BYTES, MAX_TEXT_BYTES } from "../snapshot/snapshot.ts";
import { LISTS, type List, type Piece } from "./piece.ts";
import type { SentPieces } from "./sent-pieces.ts";

export const COLLECTED_MAGIC = "ashlar-audit/2";
const MAX_TEXTS = 64;
const MAX_PIECES = 100_000;

/** All texts have a character for each byte. */
export type Collected = {
  readonly texts: ReadonlyMap<string, string>;
  readonly pieces: readonly Piece[];
  readonly unread: readonly string[];
  readonly changed: readonly string[];
};

/**
 * @param sent what the node has sent before
 * @throws AshlarError `malformed` also for what has no end and for a piece that was not sent before, `limit`
 */
export function readCollected(bytes: Buffer, sent?: SentPieces): Collected {
  const fields = new Fields(bytes);
  fields.word(/^ashlar-audit\/2$/u, `what the collector writes, which begins with ${COLLECTED_MAGIC}`);
  const texts = new Map<string, string>();
  const pieces: Piece[] = [];
  const unread: string[] = [];
  const changed: string[] = [];
  for (;;) {
    const kind = fields.word(/^(?:text|piece|same|unread|changed|end)$/u, "the kind of a record");
    if (kind === "end") break;
    if (kind === "text") {
      const name = fields.word(/^[a-z0-9-]{1,32}$/u, "the name of a text");
      const before = texts.get(name);
      const text = fields.next(MAX_TEXT_BYTES).toString("latin1");
      // Several programs may be missing.
      texts.set(name, before === undefined ? text : `${before}\n${text}`);
      if (texts.size > MAX_TEXTS) throw new AshlarError("limit", `expected at most ${MAX_TEXTS} texts`);
    } else if (kind === "piece" || kind === "same") {
      pieces.push(readPiece(fields, kind, sent));
      if (pieces.length > MAX_PIECES) throw new AshlarError("limit", `expected at most ${MAX_PIECES} pieces`);
    } else (kind === "unread" ? unread : changed).push(fields.next(MAX_PATH_BYTES).toString("latin1"));
  }
  if (!fields.isAtEnd) throw new AshlarError("malformed", "expected nothing after the end of the snapshot, found more");
  return { texts, pieces, unread, changed };
}

function readPiece(fields: Fields, kind: "piece" | "same", sent: SentPieces | undefined): Piece {
  const list = listOf(fields.word(/^[a-z0-9-]{1,32}$/u, "the name of a list"));
  if (kind === "piece") return { list, content: fields.next(MAX_TEXT_BYTES).toString("latin1") };
  const digest = fields.word(/^[0-9a-f]{32}$/u, "32 letters of a digest");
  const content = sent?.content(digest);
  if (content !== undefined) return { list, content };
  throw new AshlarError(
    "malformed",
    `expected a piece that the node has sent before, found ${digest}, which it has not`,
  );
}

function listOf(name: string): List {
  const list = LISTS.find((each) => each === name);
  if (list !== undefined) return list;
  throw new AshlarError("malformed", `expected one of the lists ${LISTS.join(", ")}, found ${name}`);
}

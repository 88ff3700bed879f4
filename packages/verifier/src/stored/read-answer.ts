import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { Difference } from "@ashlar/identity";
import { MAX_LOG_BYTES, MAX_NEXT_BOOT_BYTES, nextBootQualifyingData, qualifyingData } from "@ashlar/protocol";
import { MAX_CERTIFICATE_BYTES, MAX_TPM_STRUCTURE_BYTES } from "@ashlar/protocol/answers";
import { MAX_ANSWER_BYTES, parseAnswerDocument, type AnswerDocument } from "./answer-document.ts";
import type { NextBootReply, ReadFile, StoredAnswer } from "./answer.ts";
import { ANSWER, EVIDENCE_FILES, NEXT_BOOT_FILES, QUALIFYING_DATA } from "./layout.ts";
import { filesOfNode, pathOf, type EvidencePlace } from "./place.ts";

export type ReadAnswer = {
  readonly answer: StoredAnswer;
  /** Files that say something else than the others beside them. */
  readonly contradictions: readonly Difference[];
  /** The bytes of all of it, by the names of files. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** In an archive, the bytes that all of it was read from. */
  readonly entries?: Uint8Array;
};

/**
 * The node's stored answer, or undefined when there is none. Only regular files are read, and no links followed.
 *
 * @throws AshlarError `failed` when a file cannot be read, another code when it is not what it has to be
 */
export function readStoredAnswer(place: EvidencePlace, name: string): ReadAnswer | undefined {
  const found = filesOfNode(place, name);
  const read = found && assembleAnswer(join(pathOf(place), name), found.readFile);
  return read && found?.entries !== undefined ? { ...read, entries: found.entries } : read;
}

/**
 * An answer out of its files, wherever they are kept.
 *
 * @param place where that is, for messages
 * @throws AshlarError when they are not what they have to be
 */
export function assembleAnswer(place: string, readFile: ReadFile): ReadAnswer | undefined {
  const files = new Map<string, Uint8Array>();
  const read: ReadFile = (file, maxBytes) => {
    const bytes = readFile(file, maxBytes);
    if (bytes !== undefined) files.set(file, bytes);
    return bytes;
  };
  const text = read(ANSWER, MAX_ANSWER_BYTES);
  if (text === undefined) return undefined;
  const document = parseAnswerDocument(textOf(text), join(place, ANSWER));
  const required = (file: string, maxBytes: number): Uint8Array => {
    const found = read(file, maxBytes);
    if (found === undefined) throw new AshlarError("not-found", `expected ${join(place, file)}, found no such file`);
    return found;
  };
  const evidence = {
    ...document.evidence,
    ak: required(EVIDENCE_FILES.ak, MAX_TPM_STRUCTURE_BYTES),
    quoteMessage: required(EVIDENCE_FILES.quoteMessage, MAX_TPM_STRUCTURE_BYTES),
    quoteSignature: required(EVIDENCE_FILES.quoteSignature, MAX_TPM_STRUCTURE_BYTES),
    ...readEk(place, read),
    firmwareLog: required(EVIDENCE_FILES.firmwareLog, MAX_LOG_BYTES),
    userspaceLog: required(EVIDENCE_FILES.userspaceLog, MAX_LOG_BYTES),
  };
  const { nonce, tlsPublicKey } = document;
  const contradictions = compareFile(place, read, QUALIFYING_DATA, qualifyingData(nonce, tlsPublicKey));
  const { nextBoot, ...more } = readNextBoot(place, read, document);
  const answer = { ...document, evidence, nextBoot };
  return { answer, contradictions: [...contradictions, ...more.contradictions], files };
}

type Shown = Pick<StoredAnswer["evidence"], "akCertificate" | "ekCertificate" | "ekPublic">;

/** What the node has shown for its TPM: one of three files. */
function readEk(place: string, read: ReadFile): Shown {
  const { akCertificate, ekCertificate, ekPublic } = EVIDENCE_FILES;
  const shown: [keyof Shown, Uint8Array][] = [];
  for (const [member, file, maxBytes] of [
    ["akCertificate", akCertificate, MAX_CERTIFICATE_BYTES],
    ["ekCertificate", ekCertificate, MAX_CERTIFICATE_BYTES],
    ["ekPublic", ekPublic, MAX_TPM_STRUCTURE_BYTES],
  ] as const) {
    const bytes = read(file, maxBytes);
    if (bytes !== undefined) shown.push([member, bytes]);
  }
  const [only, more] = shown;
  if (only !== undefined && more === undefined) return { [only[0]]: only[1] };
  const found = more === undefined ? "no such file" : shown.map(([member]) => EVIDENCE_FILES[member]).join(" and ");
  throw new AshlarError(
    "not-found",
    `expected ${join(place, ekCertificate)}, ${ekPublic} or ${akCertificate}, found ${found}`,
  );
}

/** The parts of the answer about the next boot are all there, or none of them is, and the reason for that. */
function readNextBoot(
  place: string,
  read: ReadFile,
  { nonce, tlsPublicKey, noNextBoot }: AnswerDocument,
): { readonly nextBoot: NextBootReply; readonly contradictions: readonly Difference[] } {
  const { report, quoteMessage, quoteSignature, qualifyingData: extraData } = NEXT_BOOT_FILES;
  const text = read(report, MAX_NEXT_BOOT_BYTES);
  const message = read(quoteMessage, MAX_TPM_STRUCTURE_BYTES);
  const signature = read(quoteSignature, MAX_TPM_STRUCTURE_BYTES);
  const bound = read(extraData, MAX_TPM_STRUCTURE_BYTES);
  const parts = [text, message, signature, bound];
  if (parts.every((part) => part === undefined)) return { nextBoot: noNextBoot ?? TAKEN_OUT, contradictions: [] };
  const contradictions: Difference[] = [];
  if (noNextBoot !== undefined) {
    contradictions.push({
      code: "stored-evidence",
      what: join(place, ANSWER),
      expected: "an answer about the next boot, whose files are there",
      found: "that there was none",
    });
  }
  for (const [index, file] of [report, quoteMessage, quoteSignature].entries()) {
    if (parts[index] !== undefined) continue;
    contradictions.push({
      code: "stored-evidence",
      what: join(place, file),
      expected: "a file, since others of its answer are there",
      found: "none",
    });
  }
  if (text === undefined || message === undefined || signature === undefined) {
    return { nextBoot: noNextBoot ?? TAKEN_OUT, contradictions };
  }
  const reportText = textOf(text);
  if (bound !== undefined) {
    const expected = nextBootQualifyingData(nonce, tlsPublicKey, reportText);
    contradictions.push(...compareBytes(join(place, extraData), expected, bound));
  }
  const answer = { reportText, quoteMessage: message, quoteSignature: signature };
  return { nextBoot: noNextBoot ?? { answer }, contradictions };
}

/** What a node said about its next boot can speak against it: it must not be enough to remove it. */
const TAKEN_OUT: NextBootReply = { level: "mismatch", found: "neither its files nor a reason why there are none" };

/** A file that follows from others: when it is there, it must be what they make it. */
function compareFile(place: string, read: ReadFile, file: string, expected: Uint8Array): Difference[] {
  const found = read(file, MAX_TPM_STRUCTURE_BYTES);
  return found === undefined ? [] : compareBytes(join(place, file), expected, found);
}

function compareBytes(what: string, expected: Uint8Array, found: Uint8Array): Difference[] {
  if (Buffer.from(expected).equals(found)) return [];
  const shown = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString("hex");
  return [
    {
      code: "stored-evidence",
      what,
      expected: `${shown(expected)}, from nonce and TLS key`,
      found: found.length === 0 ? "nothing" : shown(found),
    },
  ];
}

const MAX_SHOWN_BYTES = 64;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

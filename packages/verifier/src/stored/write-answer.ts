import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nextBootQualifyingData, qualifyingData } from "@ashlar/protocol";
import { formatAnswerDocument } from "./answer-document.ts";
import type { StoredAnswer } from "./answer.ts";
import { ANSWER, EVIDENCE_FILES, NEXT_BOOT_FILES, QUALIFYING_DATA } from "./layout.ts";
import { removeNode } from "./write-fleet.ts";

/** Replaces what the directory holds of this node, all of it or nothing. */
export async function writeStoredAnswer(directory: string, name: string, answer: StoredAnswer): Promise<void> {
  await mkdir(directory, { recursive: true });
  const temporary = await mkdtemp(join(directory, `.${name}.`));
  try {
    for (const [file, bytes] of filesOf(answer)) await writeFile(join(temporary, file), bytes, { flag: "wx" });
    await removeNode(join(directory, name));
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** What is stored of an answer, by the names of files. */
export function filesOf(answer: StoredAnswer): ReadonlyMap<string, Uint8Array | string> {
  const { evidence, nonce, tlsPublicKey, nextBoot } = answer;
  const files = new Map<string, Uint8Array | string>([
    [EVIDENCE_FILES.ak, evidence.ak],
    [EVIDENCE_FILES.quoteMessage, evidence.quoteMessage],
    [EVIDENCE_FILES.quoteSignature, evidence.quoteSignature],
    [EVIDENCE_FILES.firmwareLog, evidence.firmwareLog],
    [EVIDENCE_FILES.userspaceLog, evidence.userspaceLog],
    [QUALIFYING_DATA, qualifyingData(nonce, tlsPublicKey)],
    [ANSWER, formatAnswerDocument(answer)],
  ]);
  if (evidence.akCertificate !== undefined) files.set(EVIDENCE_FILES.akCertificate, evidence.akCertificate);
  else if (evidence.ekCertificate !== undefined) files.set(EVIDENCE_FILES.ekCertificate, evidence.ekCertificate);
  else if (evidence.ekPublic !== undefined) files.set(EVIDENCE_FILES.ekPublic, evidence.ekPublic);
  if ("answer" in nextBoot) {
    const { reportText, quoteMessage, quoteSignature } = nextBoot.answer;
    files.set(NEXT_BOOT_FILES.report, reportText);
    files.set(NEXT_BOOT_FILES.quoteMessage, quoteMessage);
    files.set(NEXT_BOOT_FILES.quoteSignature, quoteSignature);
    files.set(NEXT_BOOT_FILES.qualifyingData, nextBootQualifyingData(nonce, tlsPublicKey, reportText));
  }
  return files;
}

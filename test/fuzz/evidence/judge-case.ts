/** One case: evidence of an honest node, changed by structure, judged among a fleet. */
import { AshlarError } from "@ashlar/base";
import { judgeFleet, levelWithNextBoot, verifyEvidence, verifyNextBoot, type Verification } from "@ashlar/identity";
import { NONCE_BYTES, qualifyingData } from "@ashlar/protocol";
import { parseKnownRelease, type Evidence, type KnownRelease } from "@ashlar/protocol/answers";
import { seededRandom, type Random } from "../random.ts";
import { EVIDENCE_CHANGES } from "./change-evidence.ts";
import { extend, LOG_CHANGES } from "./change-logs.ts";
import { draftOf, evidenceOf, pick, type Change, type Draft } from "./draft.ts";
import { assertHonest } from "./expected-value.ts";
import { makeFleet, OTHER_RELEASE, RELEASE, type HonestNode } from "./honest-fleet.ts";
import { replay } from "./log-records.ts";

const MAX_CHANGES = 4;

let fleet: readonly [HonestNode, HonestNode] | undefined;

/**
 * Judges the case that these bytes stand for.
 *
 * @returns the verdict on the changed node
 * @throws AshlarError when it is not proven, or the case is no input; any other error is a fault
 */
export function judgeCase(bytes: Uint8Array): void {
  fleet ??= makeFleet();
  const random = seededRandom(
    Buffer.from(Uint8Array.from({ length: 4 }, (_, index) => bytes[index] ?? 0)).readUInt32LE(),
  );
  const [self, other] = random(2) === 0 ? fleet : ([fleet[1], fleet[0]] as const);
  const draft = draftOf(self, other);
  if (bytes.some((byte) => byte !== 0)) change(draft, random);
  judgeDraft(draft, sign(draft, random));
}

/** None, as an attacker who has only the files; or root, whose TPM quotes whatever has been extended. */
function change(draft: Draft, random: Random): void {
  if (random(3) === 0) for (let count = 1 + random(2); count > 0; count -= 1) extend(draft, random);
  const changes: readonly Change[] = pick([LOG_CHANGES, LOG_CHANGES, EVIDENCE_CHANGES], random);
  for (let count = random(MAX_CHANGES + 1); count > 0; count -= 1) pick(changes, random)(draft, random);
}

/** Half of the cases are quoted again over what their logs lead to: the TPM has measured just that. */
function sign(draft: Draft, random: Random): Evidence {
  const evidence = evidenceOf(draft);
  if (random(2) === 0) return evidence;
  const pcrs = replay(evidence.firmwareLog, evidence.userspaceLog);
  const { nonce, tlsPublicKey } = draft.challenge;
  return { ...evidence, pcrs: { sha256: pcrs }, ...draft.self.tpm.quote(pcrs, qualifyingData(nonce, tlsPublicKey)) };
}

/** Exported for the test of the check itself. */
export function judgeDraft(draft: Draft, evidence: Evidence): void {
  const { self, other, challenge } = draft;
  if (challenge.nonce.length !== NONCE_BYTES) throw new AshlarError("malformed", "no nonce of a challenge");
  const release = parsed(draft.release);
  const candidates = draft.candidates.map(parsed);
  const input = { ...self.input, challenge, candidates, expectations: { ...self.expectations, release } };
  const verification = verifyEvidence(evidence, input);
  if (verification.verdict.level !== "proven") throw new AshlarError("untrusted", verification.verdict.level);
  const releases = [release, ...candidates];
  const nextBoot = verifyNextBoot(draft.nextBoot, { evidence, verification, challenge, releases });
  const { nodes, identities, verdict } = judgeFleet([
    { name: self.name, ...verification, verdict: { ...verification.verdict, nextBoot } },
    { name: other.name, ...verificationOf(other) },
  ]);
  const [found, second] = nodes;
  if (found === undefined || second === undefined) throw new Error("two nodes were judged");
  const level = levelWithNextBoot(found);
  if (level !== "proven") throw new AshlarError("untrusted", level);
  assertHonest(found, evidence, self, release);
  const expected = new Set([found.identity, second.identity]).size;
  if (levelWithNextBoot(second) !== "proven") throw new Error(`the other node is ${second.level}`);
  const whole = nextBoot.level === "proven" ? "proven" : "unknown";
  if (verdict !== whole) throw new Error(`expected the fleet to be ${whole}, found ${verdict}`);
  if (identities !== expected) throw new Error(`expected ${expected} identities, found ${identities}`);
}

/** What two honest manifests were put together to is for the parser to refuse. */
function parsed(release: KnownRelease): KnownRelease {
  return release === RELEASE || release === OTHER_RELEASE ? release : parseKnownRelease(JSON.stringify(release));
}

const verifications = new Map<string, Verification>();

function verificationOf(node: HonestNode): Verification {
  const found = verifications.get(node.name);
  if (found !== undefined) return found;
  const { evidence, challenge } = node;
  const verification = verifyEvidence(evidence, node.input);
  const releases = [RELEASE, OTHER_RELEASE];
  const nextBoot = verifyNextBoot(node.nextBoot, { evidence, verification, challenge, releases });
  const judged = { ...verification, verdict: { ...verification.verdict, nextBoot } };
  verifications.set(node.name, judged);
  return judged;
}

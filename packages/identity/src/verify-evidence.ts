import type { Attest } from "@ashlar/formats";
import { checkAttestationKey, checkPin, type PinnedKeys } from "./check/check-keys.ts";
import { checkLogs, type MeasuredEvent, type Measurements } from "./check/check-logs.ts";
import { checkQuote, type Challenge } from "./check/check-quote.ts";
import type { Difference } from "./check/difference.ts";
import { checkVouching, type TpmTrust, type Vouching } from "./check/vouching.ts";
import type { KnownReadings } from "./check/known-readings.ts";
import { COMMON_DIGESTS, digestsOf, type KnownDigests } from "./check/known-digests.ts";
import type { Evidence, KnownRelease } from "@ashlar/protocol/answers";
import type { Expectations } from "./expected/expectations.ts";
import { eventsAs, findRelease, noteUnjudged, type FoundRelease } from "./judge/find-release.ts";
import { configWord, foldExtensionWords } from "@ashlar/protocol";
import { noteBootLoader } from "./judge/judge-boot.ts";
import { judgeExtensions, type JudgedExtensions } from "./judge/judge-extensions.ts";
import {
  judgeBanks,
  judgeFirmware,
  judgeHandOver,
  noteFirmware,
  type KnownFirmware,
  type PinnedFirmware,
  findKnownFirmware,
} from "./judge/judge-firmware.ts";
import {
  judgeConfig,
  judgeMachineWords,
  judgePhases,
  judgeZeroPcrs,
  measuredConfig,
  measuredMachineId,
  measuredExtensionWords,
} from "./judge/judge-words.ts";
import { judgeSecureBoot } from "./judge/judge-secure-boot.ts";
import { secureBootState } from "./judge/secure-boot-state.ts";
import { compareReleases, describeUnknownRelease } from "./judge/name-release.ts";
import { nodeIdentity } from "./expected/node-identity.ts";
import { EMPTY_VERDICT, type NodeVerdict } from "./verdict.ts";

export type VerificationInput = TpmTrust & {
  readonly expectations: Expectations;
  /** As it was at enrolment; `resetCount` when known. */
  readonly pin: PinnedKeys & { readonly firmware: PinnedFirmware; readonly resetCount?: number };
  readonly challenge: Challenge;
  /** When the challenge was sent (the quote is younger), and now: milliseconds since 1970. */
  readonly challengedAtMs: number;
  readonly nowMs: number;
  readonly maxAgeMs: number;
  /** Firmware that nodes may have other than at enrolment. */
  readonly knownFirmware?: readonly KnownFirmware[] | undefined;
  /** Other releases that are known, to name what a node runs instead. */
  readonly candidates?: readonly KnownRelease[];
  /** For many nodes: what was read of others. */
  readonly readings?: KnownReadings | undefined;
};

/** The TPM that has signed the evidence. */
export type QuotingTpm = PinnedKeys & {
  readonly resetCount: number;
  /** What systemd has measured as the machine's ID, proved by the quote; undefined when it has not. */
  readonly machineId: string | undefined;
};

export type Verification = {
  readonly verdict: NodeVerdict;
  /** Undefined when the evidence does not hold. */
  readonly tpm: QuotingTpm | undefined;
  /** The release that the node is proven to run; undefined when that is none that is known. */
  readonly running: KnownRelease | undefined;
  /** Whether TPM and firmware may be pinned: the evidence holds, and nothing came in after the firmware handed over. */
  readonly pinnable: boolean;
};

/**
 * Judges one node's evidence. Whatever the node sent, the result is a verdict: `proven` only when every obligation below
 * held. Decisions rest on digests that the TPM signed, their order and fixed lists; texts that a node merely reports can
 * make a verdict worse, never better.
 */
export function verifyEvidence(evidence: Evidence, input: VerificationInput): Verification {
  const untrusted: Difference[] = [];
  const { quote, vouching } = checkTrust(evidence, input, untrusted);
  const measurements =
    quote === undefined
      ? undefined
      : checkLogs(evidence, untrusted, knownDigests(evidence, input.expectations), input.readings);
  if (quote === undefined || measurements === undefined) {
    return {
      verdict: { level: "mismatch", ...EMPTY_VERDICT, differences: untrusted },
      tpm: undefined,
      running: undefined,
      pinnable: false,
    };
  }
  const { ekSha256, akName } = input.pin;
  const known = findKnownFirmware(measurements, input.knownFirmware ?? []);
  const accepted = new Set([...(input.pin.firmware.accepted ?? []), ...(known?.firmware.accepted ?? [])]);
  const found = findRelease(measurements, input.expectations, input.candidates ?? [], accepted);
  const verdict = judge(measurements, found, evidence, input, vouching);
  return {
    verdict: { ...verdict, notes: [...vouching.notes, ...verdict.notes] },
    tpm: {
      ekSha256,
      akName,
      resetCount: quote.resetCount,
      machineId: measuredMachineId(measurements.events.get(15) ?? []),
    },
    running: found.running,
    pinnable: judgeHandOver(measurements.events, accepted).length === 0,
  };
}

function judge(
  measurements: Measurements,
  found: FoundRelease,
  evidence: Evidence,
  input: VerificationInput,
  { missing }: Vouching,
): NodeVerdict {
  const { undecided, ...judged } = judgeMeasurements(measurements, found, evidence, input);
  const right = found.isRight ? found.running : undefined;
  const differences = [...judged.differences, ...judgeReports(evidence, right ?? input.expectations.release)];
  if (differences.length > 0) return { level: "mismatch", ...judged, differences };
  const stale = judgeAge(input);
  if (stale !== undefined) return { level: "unknown", ...judged, differences: [stale] };
  if (undecided.length > 0) return { level: "unknown", ...judged, differences: undecided };
  if (missing !== undefined) return { level: "reported", ...judged, differences: [missing] };
  return { level: "proven", ...judged, differences: [] };
}

/** The quote, when a genuine TPM, the enrolled one, made it in answer to our challenge. */
function checkTrust(
  evidence: Evidence,
  input: VerificationInput,
  differences: Difference[],
): { readonly quote: Attest | undefined; readonly vouching: Vouching } {
  const at = new Date(input.challengedAtMs);
  const between = (input.pin.ekIntermediates ?? []).map((each) => Buffer.from(each, "base64"));
  const ofKey: Difference[] = [];
  const ak = checkAttestationKey(evidence.ak, evidence.akCertificate !== undefined, ofKey);
  const vouching = checkVouching(ak, evidence, input, at, between, differences);
  differences.push(...ofKey);
  if (ak === undefined) return { quote: undefined, vouching };
  checkPin(ak, evidence, input.pin, differences);
  const quote = checkQuote(ak, evidence, input.challenge, differences);
  if (quote !== undefined) checkResetCount(quote, input.pin.resetCount, differences);
  return { quote: differences.length === 0 ? quote : undefined, vouching };
}

/**
 * Each reboot counts up. A lower count is an old copy of a software TPM's state, run once more. To quotes by a key in the
 * storage hierarchy a TPM adds a number to the counts, always the same one for a key (TPM 2.0 Library Part 2, 10.12.12), so that the
 * sum may pass 2^32 at any time: lower is what is nearer from below.
 */
function checkResetCount(quote: Attest, atEnrolment: number | undefined, differences: Difference[]): void {
  if (atEnrolment === undefined || (quote.resetCount - atEnrolment) >>> 0 < HALF_OF_COUNTS) return;
  differences.push({
    code: "reset-count",
    what: "TPM's reset count",
    expected: `at least ${atEnrolment}, as it was at enrolment`,
    found: String(quote.resetCount),
  });
}

const HALF_OF_COUNTS = 2 ** 31;

/** Beside what means the same everywhere: the words that the declared configurations lead to. */
function knownDigests({ pcrs }: Evidence, { classConfigSha256, nodeConfigSha256 }: Expectations): KnownDigests {
  if (pcrs.sha384 === undefined) return COMMON_DIGESTS;
  const words = [configWord("class", classConfigSha256), configWord("node", nodeConfigSha256)];
  return new Map([...COMMON_DIGESTS, ...digestsOf(words)]);
}

type Judged = Omit<NodeVerdict, "level"> & Pick<JudgedExtensions, "undecided">;

function judgeMeasurements(
  measurements: Measurements,
  { running, isRight, differences }: FoundRelease,
  evidence: Evidence,
  input: VerificationInput,
): Judged {
  const { release, classConfigSha256, nodeConfigSha256, extensions } = input.expectations;
  const eventsOf = (pcr: number): readonly MeasuredEvent[] => measurements.events.get(pcr) ?? [];
  const irregular = [
    ...judgeBanks(measurements, input.pin.firmware),
    ...judgeFirmware(measurements, input.pin.firmware, input.knownFirmware),
    ...judgePhases(eventsOf(11)),
    ...judgeZeroPcrs(measurements),
    ...judgeMachineWords(eventsOf(15)),
  ];
  const known = [release, ...(input.expectations.alsoAllowed ?? []), ...(input.candidates ?? [])];
  const loaderNotes =
    running === undefined
      ? []
      : noteBootLoader(eventsAs(running, known, measurements, 4), running, known, input.pin.firmware);
  const declared = { class: classConfigSha256, node: nodeConfigSha256 };
  const config = measuredConfig(eventsOf(13), declared);
  const measured = foldExtensionWords(measuredExtensionWords(eventsOf(13)));
  const isRequired = input.expectations.requiresSecureBoot === true;
  const secureBoot = judgeSecureBoot(secureBootState(eventsOf(7)), running ?? release, isRequired);
  const judged = judgeExtensions(measured, extensions, input.challengedAtMs);
  return {
    release: running?.version ?? null,
    // A node that measured anything irregular is no value that an identity could name.
    identity: running && config && irregular.length === 0 ? nodeIdentity(running, config.class, measured.merged) : null,
    config: config?.class ?? null,
    nodeConfig: config?.node ?? null,
    extensions: judged.extensions,
    notes: [
      ...noteFirmware(measurements, input.pin.firmware, input.knownFirmware ?? []),
      ...noteUnjudged(measurements, running),
      ...loaderNotes,
      ...secureBoot.notes,
      ...judged.notes,
    ],
    nextBoot: null,
    undecided: judged.undecided,
    differences: [
      ...(isRight ? [] : nameRelease(running, eventsOf(11), evidence, release)),
      ...differences,
      ...irregular,
      ...secureBoot.differences,
      ...judgeConfig(eventsOf(13), declared),
      ...judged.differences,
    ],
  };
}

/** What the node runs instead of the declared release. */
function nameRelease(
  running: KnownRelease | undefined,
  pcr11: readonly MeasuredEvent[],
  evidence: Evidence,
  declared: KnownRelease,
): Difference[] {
  return running === undefined ? describeUnknownRelease(pcr11, evidence, declared) : compareReleases(declared, running);
}

/** What software on the node says against itself. */
function judgeReports({ verity }: Evidence, release: KnownRelease): Difference[] {
  const differences: Difference[] = [];
  if (verity.status === "C") {
    differences.push({
      code: "dm-verity",
      what: "reported dm-verity status of /usr",
      expected: "V: every block read so far held",
      found: "C: a corrupted block was read",
    });
  }
  if (verity.rootHash !== undefined && verity.rootHash !== release.usr.rootHash) {
    differences.push({
      code: "root-hash",
      what: "reported root hash of /usr",
      expected: release.usr.rootHash,
      found: verity.rootHash,
    });
  }
  return differences;
}

/** The only obligation that depends on when it is judged. */
export function judgeAge({
  challengedAtMs,
  nowMs,
  maxAgeMs,
}: Pick<VerificationInput, "challengedAtMs" | "nowMs" | "maxAgeMs">): Difference | undefined {
  const ageMs = nowMs - challengedAtMs;
  if (ageMs >= -MAX_CLOCK_STEP_MS && ageMs <= maxAgeMs) return undefined;
  const found = ageMs < 0 ? "evidence from the future" : `${Math.round(ageMs / 1000)} s`;
  return {
    code: "evidence-age",
    what: "age of the evidence",
    expected: `at most ${Math.round(maxAgeMs / 1000)} s`,
    found,
  };
}

/** The verifier's own clock may have been set back a little between two readings. */
const MAX_CLOCK_STEP_MS = 60_000;

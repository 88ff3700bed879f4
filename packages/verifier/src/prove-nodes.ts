import { randomBytes } from "node:crypto";
import { AshlarError, mapLimited, messageOf } from "@ashlar/base";
import { parseAttest } from "@ashlar/formats";
import {
  describeNode,
  enrolCertifiedKey,
  finishEnrolment,
  firmwareDigests,
  firmwareToPin,
  judgeFleet,
  makerCertificates,
  prepareEnrolment,
  refusePinned,
  type Expectations,
  type FleetVerdict,
  type PinnedKeys,
  type TpmTrust,
  type Verification,
} from "@ashlar/identity";
import { NONCE_BYTES } from "@ashlar/protocol";
import { MAX_INTERMEDIATES, type Evidence, type Keys } from "@ashlar/protocol/answers";
import { AgentClient, type ProvenPeer } from "./agent-client.ts";
import type { ProveOptions } from "./prove-options.ts";
import { judgeAnswer, receiveNextBoot, unanswered } from "./judge-answer.ts";
import { fetchIntermediates } from "./fetch-intermediates.ts";
import { endsTheCommand, failureText } from "./failed-node.ts";
import { refuseNodeName } from "./node-name.ts";
import { addPins, readPins, type Pin } from "./pin-store.ts";
import { reportWaiting } from "./report-waiting.ts";
import { findSharer, type Machine } from "./shared-tpm.ts";
import type { StoredAnswer } from "./stored/answer.ts";
import type { EvidenceKeeper } from "./stored/keep-evidence.ts";

export type NodeTarget = {
  readonly name: string;
  /** The agent's https URL. */
  readonly url: string;
  readonly expectations: Expectations;
  /** Asked when the node does not answer: why that may be, in a few words. */
  readonly explainSilence?: () => Promise<string | undefined>;
  /** Who is trusted for this node's TPM, instead of whom the options name. */
  readonly trust?: Pick<TpmTrust, "ekRoots" | "cloudRoots">;
  /** Why there is nothing to judge it by. It is not asked then, and unknown. */
  readonly fault?: string;
};

export type ProveNodesOptions = ProveNodeOptions & {
  /** The file of pins. Nodes that it does not know are enrolled. */
  readonly pinsPath: string;
  /** Nodes that get a new pin instead of the one that they have, if they have one. */
  readonly enrolAgain?: ReadonlySet<string>;
};

export type ProveNodeOptions = ProveOptions & {
  /**
   * By node: digests of what its firmware starts or measures where only a known machine may, accepted by the operator. Those
   * that the node has not measured are left out.
   */
  readonly acceptFirmware?: ReadonlyMap<string, readonly string[]>;
  /** What each node is asked to quote over, 32 bytes. Default: random ones. */
  readonly nonceFor?: ((name: string) => Uint8Array) | undefined;
  /** At enrolment, ask the URLs in the TPMs' certificates for what leads to a root. */
  readonly fetchIntermediates?: boolean;
  /** Where to keep each node's evidence. */
  readonly evidence?: EvidenceKeeper;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
};

export type FleetProof = {
  readonly fleet: FleetVerdict;
  /** How old each node's evidence is, by name; nothing for nodes without any. */
  readonly agesMs: ReadonlyMap<string, number>;
  /** Whom evidence that holds is of, by name. Who gives a node orders should give them to no other peer. */
  readonly peers: ReadonlyMap<string, ProvenPeer>;
};

/** More nodes at once would only make each answer older when it is judged. */
const NODES_AT_ONCE = 32;

/** Challenges all nodes and judges their answers. A node that does not answer is `unknown`; that is no error. */
export async function proveNodes(targets: readonly NodeTarget[], options: ProveNodesOptions): Promise<FleetProof> {
  for (const { name } of targets) refuseNodeName(name);
  const pins = await readPins(options.pinsPath);
  const { enrolAgain = new Set<string>() } = options;
  const findOther: FindOther = (name, machine) => findSharer(pins, name, machine, enrolAgain);
  const asked = new Set<string>();
  using _waiting = reportWaiting(asked, (line) => options.onProgress?.(line));
  const results = await mapLimited(targets, NODES_AT_ONCE, async (target) => {
    const pin = enrolAgain.has(target.name) ? undefined : pins.get(target.name);
    asked.add(target.name);
    const result = await proveNode(target, pin, findOther, { ...options, ...target.trust });
    asked.delete(target.name);
    options.onProgress?.(`${target.name}: ${describeNode(result.verification.verdict)}`);
    return result;
  });
  const newPins = new Map(results.flatMap(({ name, newPin }) => (newPin ? [[name, newPin]] : [])));
  const replaced = new Set([...enrolAgain, ...(options.acceptFirmware?.keys() ?? [])]);
  const refused = await addPins(options.pinsPath, newPins, replaced);
  const members = results.map(({ name, verification }) => {
    const other = refused.get(name);
    // Of two in this run the fleet's verdict tells.
    const isElsewhere = other !== undefined && !newPins.has(other);
    return { name, ...(isElsewhere ? refusePinned(verification, other) : verification) };
  });
  return {
    fleet: judgeFleet(members),
    agesMs: new Map(results.flatMap(({ name, ageMs }) => (ageMs === undefined ? [] : [[name, ageMs]]))),
    peers: new Map(results.flatMap(({ name, peer }) => (peer === undefined ? [] : [[name, peer]]))),
  };
}

export type ProvedNode = {
  readonly name: string;
  readonly verification: Verification;
  readonly ageMs?: number;
  readonly peer?: ProvenPeer | undefined;
  /** What is to be kept of it, before another node is found to be this machine: it was not known, and has proved who it is. */
  readonly newPin?: Pin;
};

/** The other name under which a machine has been pinned. */
export type FindOther = (name: string, machine: Machine) => string | undefined;

/** Challenges one node, which is enrolled when it has no pin. Nothing is kept. */
export async function proveNode(
  target: NodeTarget,
  pin: Pin | undefined,
  findOther: FindOther,
  options: ProveNodeOptions,
): Promise<ProvedNode> {
  const { name, fault } = target;
  if (fault !== undefined) return { name, verification: unanswered("unknown", "declaration", "declaration", fault) };
  try {
    using client = new AgentClient(target.url, { signal: options.signal });
    const keys = pin ?? (await enrol(client, options, (enrolled) => findOther(name, enrolled)));
    const accepted = options.acceptFirmware?.get(name) ?? [];
    const nonce = options.nonceFor?.(name) ?? randomBytes(NONCE_BYTES);
    const answer = await ask(client, keys, target, nonce, accepted);
    await options.evidence?.keep(name, answer);
    options.onAnswer?.(name, answer);
    const nowMs = Date.now();
    const judged = judgeAnswer(answer, target.expectations, nowMs, options);
    const machine = { ...answer.pin, ...machineIdOf(judged) };
    const other = findOther(name, machine);
    const verification = other === undefined ? judged : refusePinned(judged, other);
    const machineId = verification.tpm?.machineId;
    const peer = machineId === undefined ? undefined : { tlsPublicKey: answer.tlsPublicKey, machineId };
    const result = { name, verification, ageMs: nowMs - answer.challengedAtMs, peer };
    // Enrolled is only who has also answered a challenge with the key, from a boot whose firmware can be pinned.
    const isNew = (pin === undefined || accepted.length > 0) && verification.pinnable && other === undefined;
    return isNew ? { ...result, newPin: machine } : result;
  } catch (error) {
    if (endsTheCommand(error) || options.signal?.aborted === true) throw error;
    return { name, verification: await judgeFailure(error, target) };
  }
}

function machineIdOf({ tpm }: Verification): { readonly machineId?: string } {
  return tpm?.machineId === undefined ? {} : { machineId: tpm.machineId };
}

/**
 * Finds out whether the node's attestation key lives in the TPM that its EK certificate names; for a key that a cloud has certified
 * the certificate says it.
 */
async function enrol(
  client: AgentClient,
  options: ProveNodeOptions,
  findOther: (keys: PinnedKeys) => string | undefined,
): Promise<PinnedKeys> {
  const keys = await withFetched(await client.keys(), options);
  if (keys.akCertificate !== undefined) {
    const pinned = enrolCertifiedKey(keys, options, new Date());
    refuseShared(findOther(pinned));
    return pinned;
  }
  const enrolment = prepareEnrolment(keys, options, new Date(), randomBytes);
  refuseShared(findOther(enrolment.keys));
  return finishEnrolment(enrolment, await client.activate(enrolment.request));
}

function refuseShared(other: string | undefined): void {
  if (other !== undefined) {
    const wayOut = `if it was renamed: ashlar prove --enrol-again with both names, or remove the pin of ${other}`;
    throw new AshlarError("untrusted", `enrolment: expected a TPM of its own, found the one of ${other} (${wayOut})`);
  }
}

/** The node's own intermediates, with those that its certificates' URLs give where the user has asked for them. */
async function withFetched(
  keys: Keys,
  { fetchIntermediates: isWanted, onProgress, signal }: ProveNodeOptions,
): Promise<Keys> {
  const { ekCertificate, akCertificate, ekIntermediates = [] } = keys;
  const certificate = akCertificate ?? ekCertificate;
  if (isWanted !== true || certificate === undefined) return keys;
  const [leaf] = makerCertificates(certificate, "the TPM's certificate");
  const fetched = leaf === undefined ? [] : await fetchIntermediates(leaf, (line) => onProgress?.(line), signal);
  const all = [...ekIntermediates, ...fetched.map(({ x509 }) => x509.raw)].slice(0, MAX_INTERMEDIATES);
  return { ...keys, ekIntermediates: all };
}

async function ask(
  client: AgentClient,
  keys: Pin | PinnedKeys,
  target: NodeTarget,
  nonce: Uint8Array,
  accepted: readonly string[],
): Promise<StoredAnswer> {
  // The quote is made after this: counted from here, evidence never looks younger than it is.
  const challengedAtMs = Date.now();
  const { evidence, tlsPublicKey } = await client.evidence(nonce);
  const nextBoot = await receiveNextBoot(async () => client.nextBoot(nonce));
  // What the operator accepts is what this node has measured, and nothing that it might measure one day.
  const seen = accepted.length === 0 ? [] : accepted.filter((digest) => firmwareDigests(evidence).has(digest));
  const pin = "enrolledAt" in keys ? withAccepted(keys, seen) : pinOf(keys, evidence, challengedAtMs, seen);
  const { classConfigSha256, nodeConfigSha256, release, alsoAllowed = [], extensions } = target.expectations;
  const releases = [release, ...alsoAllowed].map(({ uki }) => uki.sha256);
  const expected = { classConfigSha256, nodeConfigSha256, releases, extensions };
  return { evidence, nonce, tlsPublicKey, challengedAtMs, pin, expected, nextBoot };
}

function pinOf(keys: PinnedKeys, evidence: Evidence, nowMs: number, accepted: readonly string[]): Pin {
  const firmware = firmwareToPin(evidence, accepted);
  const enrolledAt = new Date(nowMs).toISOString();
  return { ...keys, enrolledAt, resetCount: parseAttest(evidence.quoteMessage).resetCount, firmware };
}

function withAccepted(pin: Pin, accepted: readonly string[]): Pin {
  if (accepted.length === 0) return pin;
  return {
    ...pin,
    firmware: { ...pin.firmware, accepted: [...new Set([...(pin.firmware.accepted ?? []), ...accepted])] },
  };
}

/**
 * No answer leaves a node unknown; an answer that is none, or keys that do not hold, are a mismatch. So are bytes that
 * this program fails on: a node that could end the command with them would take all others' verdicts away.
 */
async function judgeFailure(error: unknown, target: NodeTarget): Promise<Verification> {
  if (!(error instanceof AshlarError) || error.code !== "unavailable")
    return unanswered("mismatch", "agent-answer", "answer of the node's agent", failureText(error));
  const reason = await explainSilence(target);
  return unanswered(
    "unknown",
    "agent-answer",
    "answer of the node's agent",
    `${error.message}${reason === undefined ? "" : `; ${reason}`}`,
  );
}

/** A disk that cannot be looked at leaves the node as silent as it was. */
async function explainSilence(target: NodeTarget): Promise<string | undefined> {
  try {
    return await target.explainSilence?.();
  } catch (error) {
    if (endsTheCommand(error)) throw error;
    return `why is not known either: ${messageOf(error)}`;
  }
}

/** A certificate to measure with: many nodes of five identities, three of which are not proven. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import {
  checkCertificate,
  makeCertificate,
  makeNodeCertificate,
  parseCertificate,
  type ProvedNode,
} from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";

export const NODES = 10_000;
const IDENTITIES = 5;
const NOW = Date.parse("2026-03-04T05:06:07Z");
const HOUR_MS = 3_600_000;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

const RUNNING = Array.from({ length: IDENTITIES }, (_, index) => ({
  identity: digest(`identity ${index}`),
  release: `1.${index}.0`,
  config: digest(`config ${index}`),
  extensions: ["kubernetes", "zfs"].map((name) => {
    return { kind: "sysext", name, version: "v1.33.5", rootHash: digest(`${name} ${index}`) } as const;
  }),
}));

function provedNode(index: number): ProvedNode {
  const running = RUNNING[index % IDENTITIES];
  if (running === undefined) throw new TypeError("there is one for each remainder");
  const name = `node-${index}.rack-${index % 40}.example.org`;
  const isWrong = index % 3333 === 1;
  return {
    name,
    level: isWrong ? "mismatch" : "proven",
    nextBoot: "proven",
    running,
    policy: 0,
    challengedAt: new Date(NOW - index).toISOString(),
    evidence: digest(name),
    differences: isWrong ? ["release", "extension-missing"] : [],
  };
}

/** Processor time: other programs on the machine do not count. */
export type MeasuredCertificate = {
  readonly madeMs: number;
  /** Parsed and checked: signature, dates, each node. */
  readonly verifiedMs: number;
  readonly bytes: number;
  readonly proofBytes: number;
};

export function measureCertificate(): MeasuredCertificate {
  const keys = generateKeyPairSync("ed25519");
  const nodes = Array.from({ length: NODES }, (_, index) => provedNode(index));
  const roots = { count: 60, sha256: digest("makers") };
  const policy = { ekRoots: roots, cloudRoots: null, acceptExpiredEk: false, vouchedBy: null, firmwarePolicy: null };
  const input = {
    nodes,
    verdict: "mismatch",
    fleet: { name: "fleet.yaml", sha256: digest("fleet") },
    policies: [{ ...policy, maxAgeSeconds: 86_400 }],
    challenge: "the auditor's challenge of this quarter",
    verifier: "ashlar",
    issuedAtMs: NOW,
    validForMs: 24 * HOUR_MS,
  } as const;
  const started = process.cpuUsage();
  const text = makeCertificate(input, signerOf(keys), () => randomBytes(16));
  const made = process.cpuUsage();
  const certificate = parseCertificate(text);
  const { refusals } = checkCertificate(certificate, { publicKey: keys.publicKey, nowMs: NOW + HOUR_MS });
  const verified = process.cpuUsage();
  if (refusals.length > 0 || certificate.kind !== "fleet") throw new Error(JSON.stringify(refusals));
  // The longest path, and a name of the usual length.
  const proof = makeNodeCertificate(certificate, "node-0.rack-0.example.org");
  return {
    madeMs: millisecondsOf(made) - millisecondsOf(started),
    verifiedMs: millisecondsOf(verified) - millisecondsOf(made),
    bytes: Buffer.byteLength(text),
    proofBytes: Buffer.byteLength(proof),
  };
}

function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import {
  checkCertificate,
  cosign,
  entryOf,
  formatEntry,
  formatInclusionProof,
  leavesOf,
  makeCertificate,
  makeNodeCertificate,
  parseCertificate,
  signCheckpoint,
  treeRoot,
  type NoteKey,
} from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** RFC 8410, 10.3: any key would do, and this one gives the same bytes in each run. */
const privateKey = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${digest("seed")}`, "hex"),
  format: "der",
  type: "pkcs8",
});
const SIGNER = signerOf({ privateKey, publicKey: createPublicKey(privateKey) });
const RUNNING = {
  identity: digest("identity"),
  release: "1.0.0",
  config: digest("config"),
  extensions: [{ kind: "sysext", name: "kubernetes", version: "v1.33.5", rootHash: digest("root") }],
} as const;
const POLICY = { ekRoots: { count: 2, sha256: digest("makers") }, cloudRoots: null, acceptExpiredEk: false };

/** A certificate of three nodes. */
export function fleetCertificate(): string {
  const nodes = ["a", "b", "c"].map((name) => {
    return {
      name,
      level: "proven" as const,
      nextBoot: "proven" as const,
      differences: [],
      running: RUNNING,
      policy: 0,
      challengedAt: "1970-01-01T00:00:00Z",
      evidence: digest(name),
    };
  });
  const input = {
    nodes,
    verdict: "proven",
    fleet: { name: "fleet.yaml", sha256: digest("fleet") },
    policies: [{ ...POLICY, vouchedBy: null, firmwarePolicy: null, maxAgeSeconds: 60 }],
    challenge: "audit",
    verifier: "ashlar",
    issuedAtMs: 0,
    validForMs: 60_000,
  } as const;
  return makeCertificate(input, SIGNER, () => Buffer.alloc(16, 1));
}

/** A proof for one of them. */
export function nodeCertificate(): string {
  const certificate = parseCertificate(fleetCertificate());
  if (certificate.kind !== "fleet") throw new TypeError("it has nodes");
  return makeNodeCertificate(certificate, "b");
}

/** Whose log {@link historyProof} is about. */
export const HISTORY_KEY: NoteKey = { name: "example.org/log", publicKey: createPublicKey(privateKey) };

/** Who has seen that log: the same key, by another name. */
export const HISTORY_WITNESS: NoteKey = { ...HISTORY_KEY, name: "example.org/witness", type: "cosignature" };

/** That this certificate was issued. */
export function historyEntry(): string {
  const text = fleetCertificate();
  const { predicate } = checkCertificate(parseCertificate(text), { nowMs: 0 });
  if (predicate === undefined) throw new TypeError("it has a statement");
  return formatEntry(entryOf(text, predicate, 0)).toString();
}

/** That this entry is in a log of three. */
export function historyProof(): string {
  const entry = Buffer.from(historyEntry());
  const leaves = leavesOf([entry, Buffer.from("b"), Buffer.from("c")]);
  const note = signCheckpoint({ origin: HISTORY_KEY.name, size: 3, root: treeRoot(leaves) }, SIGNER);
  return formatInclusionProof(0, entry, leaves, cosign(note, HISTORY_WITNESS.name, SIGNER, 1));
}

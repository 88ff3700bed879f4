import type { Difference, DifferenceCode, Level, NodeVerdict } from "@ashlar/identity";

/** What stands on what: the TPM signs, then each link has measured the next one before it started it. */
const LINKS = ["tpm", "firmware", "loader", "uki", "usr", "configuration", "extensions"] as const;
export type LinkName = (typeof LINKS)[number];

/** A level, or `unproven`: nothing is wrong with it that is known, but what it rests on is wrong. */
export type LinkState = Level | "unproven";

export type ChainLink = {
  readonly name: LinkName;
  readonly state: LinkState;
  /** In what the node runs. */
  readonly differences: readonly Difference[];
};

/** Which link a difference is about. Those of the next boot are shown with the next boot. */
const LINK_OF_CODE: Readonly<Record<DifferenceCode, LinkName | "next-boot">> = {
  "ak-chain": "tpm",
  "agent-answer": "tpm",
  "attestation-key": "tpm",
  "boot-count": "next-boot",
  "boot-entry": "next-boot",
  "boot-loader": "next-boot",
  "boot-loader-settings": "next-boot",
  "boot-phase": "uki",
  "boot-program": "loader",
  "class-config": "configuration",
  "config-word": "configuration",
  declaration: "tpm",
  "dm-verity": "usr",
  "ek-chain": "tpm",
  "esp-file": "next-boot",
  "event-log": "tpm",
  "evidence-age": "tpm",
  "extension-kind": "extensions",
  "extension-missing": "extensions",
  "extension-session": "extensions",
  "extension-tier": "extensions",
  "extension-undeclared": "extensions",
  "extension-unknown": "extensions",
  "extension-unpublished": "extensions",
  "extension-version": "extensions",
  "extension-withdrawn": "extensions",
  "extensions-too-many": "extensions",
  file: "usr",
  "firmware-handover": "firmware",
  "firmware-pin": "firmware",
  "secure-boot": "firmware",
  "secure-boot-keys": "firmware",
  "firmware-program": "firmware",
  "firmware-variable": "next-boot",
  identity: "tpm",
  "log-replay": "tpm",
  "machine-word": "configuration",
  "next-boot-answer": "next-boot",
  "node-config": "configuration",
  "no-pin": "tpm",
  "pcr-bank": "firmware",
  "pcr-not-zero": "uki",
  "pcr-selection": "tpm",
  "pcr-values": "tpm",
  pin: "tpm",
  "qualifying-data": "tpm",
  quote: "tpm",
  "quote-signature": "tpm",
  release: "uki",
  reporter: "next-boot",
  "reset-count": "tpm",
  "root-hash": "usr",
  slot: "next-boot",
  "stored-evidence": "tpm",
  "tls-key": "tpm",
  "tpm-shared": "tpm",
  "uki-section": "uki",
};

const LINK_BY_CODE: ReadonlyMap<string, LinkName | "next-boot"> = new Map(Object.entries(LINK_OF_CODE));

export function isKnownCode(code: string): code is DifferenceCode {
  return LINK_BY_CODE.has(code);
}

/** An unknown code, of a newer server, counts against the foundation: then nothing is called proven because of it. */
export function linkOf(code: string): LinkName | "next-boot" {
  return LINK_BY_CODE.get(code) ?? "tpm";
}

/** Why nobody trusts a TPM does not make what it has signed a mismatch. */
const ONLY_UNTRUSTED: ReadonlySet<string> = new Set(["ek-chain", "ak-chain"] satisfies DifferenceCode[]);
/** Each of these starts the next: what a wrong one has measured proves nothing. A configuration starts nothing. */
const STARTS_THE_NEXT: ReadonlySet<LinkName> = new Set(["tpm", "firmware", "loader", "uki", "usr"]);

/**
 * The links of a node's chain, the foundation first.
 *
 * @param level what the verdict's level is by now: see `levelNow`
 */
export function chainOf({ level: judged, differences }: NodeVerdict, level: Level): readonly ChainLink[] {
  const about = Map.groupBy(differences, ({ code }) => linkOf(code));
  const isTrusted = !differences.some(({ code }) => ONLY_UNTRUSTED.has(code));
  let rests = true;
  return LINKS.map((name) => {
    const own = about.get(name) ?? [];
    const isWrong = judged === "mismatch" && own.some(({ code }) => !ONLY_UNTRUSTED.has(code));
    const state =
      level === "unknown" ? "unknown" : isWrong ? "mismatch" : rests ? undisputed(level, isTrusted) : "unproven";
    if (isWrong && STARTS_THE_NEXT.has(name)) rests = false;
    return { name, state, differences: own };
  });
}

/** Of a link with which nothing is wrong, in a node where something else may be. */
function undisputed(level: Level, isTrusted: boolean): LinkState {
  if (level !== "mismatch") return level;
  return isTrusted ? "proven" : "reported";
}

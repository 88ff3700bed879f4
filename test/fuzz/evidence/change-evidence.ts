/** Changes to everything but the logs: fields of two honest nodes swapped, challenges, claimed values, manifests. */
import { sha256 } from "@ashlar/formats";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { pick, type Change } from "./draft.ts";
import { OTHER_RELEASE, RELEASE } from "./honest-fleet.ts";

const FIELDS = [
  "quoteMessage",
  "quoteSignature",
  "pcrs",
  "ak",
  "ekCertificate",
  "tlsPublicKey",
  "firmwareLog",
  "userspaceLog",
  "osRelease",
  "commandLine",
  "verity",
] as const;

/** One field, some, or all of the other node's. */
const swapFields: Change = (draft, random) => {
  const count = pick([1, 1, 2, 3, FIELDS.length], random);
  for (let index = 0; index < count; index++) {
    const field = count === FIELDS.length ? (FIELDS[index] ?? "ak") : pick(FIELDS, random);
    draft.evidence = { ...draft.evidence, [field]: draft.other.evidence[field] };
  }
};
/** The quote about the next boot in place of the other one, or the other way round. */
const swapQuestion: Change = (draft, random) => {
  const { evidence, nextBoot } = draft;
  const { quoteMessage, quoteSignature } = evidence;
  if (random(2) === 0) {
    draft.evidence = {
      ...evidence,
      quoteMessage: nextBoot.quoteMessage,
      quoteSignature: nextBoot.quoteSignature,
    };
  } else draft.nextBoot = { ...nextBoot, quoteMessage, quoteSignature };
};
const swapNextBoot: Change = (draft, random) => {
  const field = pick(["reportText", "quoteMessage", "quoteSignature"] as const, random);
  draft.nextBoot = random(2) === 0 ? draft.other.nextBoot : { ...draft.nextBoot, [field]: draft.other.nextBoot[field] };
};
const editReport: Change = (draft, random) => {
  const { reportText } = draft.nextBoot;
  const texts = [`${reportText} `, reportText.replace(OTHER_RELEASE.uki.sha256, sha256("evil")), "{}", ""];
  draft.nextBoot = { ...draft.nextBoot, reportText: pick(texts, random) };
};
/** Bytes moved from the nonce to the key or back, or another challenge. */
const changeChallenge: Change = (draft, random) => {
  const { nonce, tlsPublicKey } = draft.challenge;
  const whole = Buffer.concat([nonce, tlsPublicKey]);
  const border = random(whole.length + 1);
  const moved = { nonce: whole.subarray(0, border), tlsPublicKey: whole.subarray(border) };
  draft.challenge = pick(
    [moved, moved, draft.other.challenge, { nonce: draft.other.challenge.nonce, tlsPublicKey }],
    random,
  );
  if (random(2) === 0) draft.evidence = { ...draft.evidence, tlsPublicKey: draft.challenge.tlsPublicKey };
};
const changePcrs: Change = (draft, random) => {
  const pcrs = new Map(draft.evidence.pcrs.sha256);
  const pcr = pick([random(16), 10, 13, 16], random);
  const value = pick(
    [sha256("x"), "00".repeat(32), draft.other.evidence.pcrs.sha256?.get(pcr) ?? "", "", "zz"],
    random,
  );
  if (random(4) === 0) pcrs.delete(pcr);
  else pcrs.set(pcr, value);
  const other = new Map([...pcrs].map(([each, digest]) => [each, digest.padEnd(96, "0")]));
  const banks = pick(
    [{ sha256: pcrs }, { sha256: pcrs }, { sha256: pcrs, sha384: other }, { sha384: other }, {}],
    random,
  );
  draft.evidence = { ...draft.evidence, pcrs: banks };
};
const changeTexts: Change = (draft, random) => {
  const text = pick(["", OTHER_RELEASE.osRelease, OTHER_RELEASE.commandLine, "usrhash=", "\0"], random);
  const status = pick(["V", "C", "", "X"], random);
  draft.evidence = pick(
    [
      { ...draft.evidence, osRelease: text },
      { ...draft.evidence, commandLine: text },
      { ...draft.evidence, verity: { device: "usr", status } },
      { ...draft.evidence, verity: { device: "usr", status: "V", rootHash: OTHER_RELEASE.usr.rootHash } },
    ] as const,
    random,
  );
};
const MEMBERS = [
  "version",
  "commandLine",
  "osRelease",
  "usr",
  "uki",
  "bootLoader",
  "pcrs",
  "pcr11Sections",
  "sha384",
] as const;
/** The other release's manifest, or one that is put together from both: what cannot be parsed never gets here. */
const swapManifests: Change = (draft, random) => {
  const [base, donor] = random(2) === 0 ? [RELEASE, OTHER_RELEASE] : [OTHER_RELEASE, RELEASE];
  const members = Array.from({ length: random(MEMBERS.length) }, () => pick(MEMBERS, random));
  const taken = Object.fromEntries(members.map((member) => [member, donor[member]]));
  const release: KnownRelease = members.length === 0 ? base : { ...base, ...taken };
  if (random(2) === 0) draft.candidates = [release, ...draft.candidates].slice(random(2));
  else draft.release = release;
};

export const EVIDENCE_CHANGES: readonly Change[] = [
  swapFields,
  swapFields,
  swapQuestion,
  swapNextBoot,
  editReport,
  changeChallenge,
  changePcrs,
  changeTexts,
  swapManifests,
  swapManifests,
];

/** Changes to the event logs, record by record. */
import { sha256 } from "@ashlar/formats";
import type { Random } from "../random.ts";
import { pick, type Change } from "./draft.ts";
import { EXTENSIONS } from "./honest-fleet.ts";
import {
  DIGEST_BYTES,
  SHA1,
  SHA256,
  SHA384,
  userspaceRecord,
  type FirmwareRecord,
  type UserspaceRecord,
} from "./log-records.ts";

/** Words that mean something to a verifier, and some that nearly do. */
export const WORDS: readonly string[] = [
  ...EXTENSIONS.flatMap(({ kind, name, image }) => [`${kind}:${name}:${image.rootHash}`, `${kind}:${name}:removed`]),
  `confext:kubernetes:${"ab".repeat(32)}`,
  "sysext:kubernetes:",
  "enter-initrd",
  "leave-initrd",
  "sysinit",
  "ready",
  "shutdown",
  "",
  `ashlar-config-class:sha256:${"00".repeat(32)}`,
  `ashlar-config-node:sha256:${"00".repeat(32)}`,
  `machine-id:${"0".repeat(32)}`,
  "file-system:/:ext4:",
  "Calling EFI Application from Boot Option",
  "\0\0\0\0",
];

const drop: Change = ({ firmware, userspace }, random) => {
  const list: unknown[] = pick([firmware, userspace], random);
  edit(list, random, () => []);
};
const double: Change = ({ firmware, userspace }, random) => {
  if (random(2) === 0) edit(firmware, random, (record) => [record, record]);
  else edit(userspace, random, (record) => [record, record]);
};
const swap: Change = ({ firmware, userspace }, random) => {
  const list: unknown[] = pick([firmware, userspace], random);
  const [a, b] = [random(list.length), random(list.length)];
  [list[a], list[b]] = [list[b], list[a]];
};
/** Records of different PCRs have no order among each other: the replay holds. */
const swapNeighbours: Change = ({ firmware, userspace }, random) => {
  const list: unknown[] = pick([firmware, userspace], random);
  const index = random(Math.max(1, list.length - 1));
  [list[index], list[index + 1]] = [list[index + 1] ?? list[index], list[index]];
};
const take: Change = ({ other, firmware, userspace }, random) => {
  const theirs = other.logs;
  if (random(2) === 0) firmware.splice(random(firmware.length + 1), random(2), pick(theirs.firmware, random));
  else userspace.splice(random(userspace.length + 1), random(2), pick(theirs.userspace, random));
};
/** The last of a PCR in the firmware's log, or the first in the other one: from there the replay goes on as before. */
const moveAcross: Change = ({ firmware, userspace }, random) => {
  if (random(2) === 0) {
    const pcr = pick([4, 11, 13, 15, random(16)], random);
    const index = userspace.findIndex((record) => partsOf(record)?.pcr === pcr);
    const parts = partsOf(userspace[index] ?? "");
    if (parts === undefined) return;
    userspace.splice(index, 1);
    firmware.push({ pcr, type: 0x0d, digests: [[SHA256, parts.digest]], data: Buffer.from(parts.text) });
  } else {
    const index = firmware.findLastIndex((record) => record.pcr === pick([4, 11, 11, 13, random(16)], random));
    const record = firmware[index];
    if (record === undefined) return;
    firmware.splice(index, 1);
    const digest = record.digests.find(([algorithm]) => algorithm === SHA256)?.[1] ?? "";
    userspace.unshift(userspaceRecord(record.pcr, digest, Buffer.from(record.data).toString("utf8")));
  }
};
const changePcr: Change = ({ firmware, userspace }, random) => {
  const pcr = pick([random(16), 16, 17, 23, 24, 10], random);
  if (random(2) === 0) edit(firmware, random, (record) => [{ ...record, pcr }]);
  else edit(userspace, random, (record) => [record.replace(/"pcr":\d+/u, `"pcr":${pcr}`)]);
};
/** The digest is as it was measured. */
const changeText: Change = ({ self, firmware, userspace }, random) => {
  const { classConfigSha256, nodeConfigSha256 } = self.expectations;
  const configs = [`ashlar-config-class:sha256:${classConfigSha256}`, `ashlar-config-node:sha256:${nodeConfigSha256}`];
  const text = pick([...WORDS, ...configs], random);
  if (random(4) === 0) {
    const type = pick([0, 1, 3, 4, 6, 7, 8, 0x0d, 0x80000001, 0x80000003, 0x800000e0], random);
    edit(firmware, random, (record) => [{ ...record, type, data: Buffer.from(text) }]);
  } else editJson(userspace, random, (parts) => ({ ...parts, content: { ...parts.content, string: text } }));
};
const changeDigest: Change = ({ firmware, userspace }, random) => {
  const digest = sha256(pick(WORDS, random));
  const digests: FirmwareRecord["digests"] = [[SHA256, digest]];
  if (random(2) === 0) edit(firmware, random, (record) => [{ ...record, digests }]);
  else editJson(userspace, random, (parts) => ({ ...parts, digests: [{ hashAlg: "sha256", digest }] }));
};
/** A digest of another bank beside the right one, or in its place: no quote covers it. */
const otherBank: Change = ({ firmware, userspace }, random) => {
  const algorithm = pick([SHA1, SHA384], random);
  const digest = Buffer.alloc(DIGEST_BYTES.get(algorithm) ?? 0, random(256)).toString("hex");
  const extra: Digest = [algorithm, digest];
  const place = random(3);
  if (random(2) === 0) {
    edit(firmware, random, (record) => [{ ...record, digests: beside<Digest>(record.digests, extra, place) }]);
  } else {
    const more = { hashAlg: pick([algorithm === SHA1 ? "sha1" : "sha384", "sm3_256", "sha256"], random), digest };
    editJson(userspace, random, (parts) => ({ ...parts, digests: beside(parts.digests, more, place) }));
  }
};

type Digest = FirmwareRecord["digests"][number];

/** In place of all others, before or after them. */
function beside<T>(own: readonly T[], more: T, place: number): T[] {
  if (place === 0) return [more];
  return place === 1 ? [more, ...own] : [...own, more];
}

/** The same record in other letters. */
const otherEncoding: Change = ({ userspace }, random) => {
  if (random(8) === 0) {
    editJson(userspace, random, (parts) => Object.fromEntries(Object.entries(parts).toReversed()));
  } else edit(userspace, random, (record) => [pick(ENCODINGS, random)(record)]);
};
const ENCODINGS: readonly ((record: UserspaceRecord) => UserspaceRecord)[] = [
  (record) =>
    record.replace(/(?<="string":")./u, (letter) => `\\u00${letter.charCodeAt(0).toString(16).padStart(2, "0")}`),
  (record) => record.replaceAll(",", " ,\t"),
  (record) => record.replace(/^\{/u, '{"pcr":13,"digests":[],'),
  (record) => record.replace(/\}$/u, ',"pcr":13}'),
  (record) => record.replace(/\}$/u, ',"__proto__":{"content_type":"x"},"constructor":1}'),
  (record) => record.replace('"string":', '"string":"ready","string":'),
  (record) => record.replace(/(?<="digest":")[0-9a-f]+/u, (digest) => digest.toUpperCase()),
  (record) => `\ufeff${record}`,
  (record) => record.replace(/(?<="string":"[^"]*)"/u, '\\ud800"'),
  (record) => record.replace('"systemd"', '"pcclient_std"'),
];
/** Records that extend nothing may stand anywhere. */
const noAction: Change = ({ firmware }, random) => {
  const locality = Buffer.concat([Buffer.from("StartupLocality\0"), Buffer.of(pick([0, 3, 4, 9], random))]);
  const data = pick([locality, Buffer.from("anything"), Buffer.alloc(0)], random);
  const digests = [[SHA256, sha256(pick(WORDS, random))]] as const;
  const record: FirmwareRecord = { pcr: pick([0, 13, 11], random), type: 3, digests, data };
  if (random(2) === 0) firmware.splice(random(firmware.length + 1), 0, record);
  else edit(firmware, random, (own) => [{ ...own, type: 3 }]);
};
/** What root on a running node can do to PCRs: extend them, by a word or anything else, and write the record. */
export const extend: Change = ({ firmware, userspace }, random) => {
  const word = pick(WORDS, random);
  const pcr = pick([13, 13, 13, 11, 15, random(16)], random);
  if (random(4) === 0) {
    firmware.push({ pcr, type: 0x0d, digests: [[SHA256, sha256(word)]], data: Buffer.from(word) });
  } else userspace.push(userspaceRecord(pcr, sha256(word), word));
};

export const LOG_CHANGES: readonly Change[] = [
  drop,
  double,
  swap,
  swapNeighbours,
  swapNeighbours,
  take,
  moveAcross,
  moveAcross,
  changePcr,
  changeText,
  changeText,
  changeText,
  changeDigest,
  otherBank,
  otherEncoding,
  otherEncoding,
  noAction,
];

function edit<T>(list: T[], random: Random, change: (record: T) => readonly T[]): void {
  if (list.length === 0) return;
  const index = random(list.length);
  const record = list[index];
  if (record !== undefined) list.splice(index, 1, ...change(record));
}

type JsonParts = {
  readonly digests: readonly { readonly hashAlg: string; readonly digest: string }[];
  readonly content: object;
};

/** A record that an earlier change has made unreadable stays as it is. */
function editJson(list: string[], random: Random, change: (parts: JsonParts) => object): void {
  edit(list, random, (record) => {
    try {
      const parts: JsonParts = JSON.parse(record);
      return [JSON.stringify(change(parts))];
    } catch {
      return [record];
    }
  });
}

function partsOf(record: string): { readonly pcr: number; readonly digest: string; readonly text: string } | undefined {
  try {
    const { pcr, digests, content }: { pcr: number; digests: { digest: string }[]; content: { string: string } } =
      JSON.parse(record);
    return { pcr, digest: digests[0]?.digest ?? "", text: content.string };
  } catch {
    return undefined;
  }
}

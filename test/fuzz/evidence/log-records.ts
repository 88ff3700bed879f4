/** Both logs as lists of records that a case drops, moves and edits. */
import { parseFirmwareLog, parseUserspaceLog, replayPcrs } from "@ashlar/formats";

/** A TCG_PCR_EVENT2 whose digests are kept by algorithm. */
export type FirmwareRecord = {
  readonly pcr: number;
  readonly type: number;
  readonly digests: readonly (readonly [algorithm: number, digest: string])[];
  readonly data: Uint8Array;
};

/** A record's JSON text: how it is written is part of a case. */
export type UserspaceRecord = string;

export type Logs = { readonly firmware: readonly FirmwareRecord[]; readonly userspace: readonly UserspaceRecord[] };

export const SHA1 = 0x0004;
export const SHA256 = 0x000b;
export const SHA384 = 0x000c;
export const DIGEST_BYTES: ReadonlyMap<number, number> = new Map([
  [SHA1, 20],
  [SHA256, 32],
  [SHA384, 48],
]);
const EV_NO_ACTION = 3;

export function decodeLogs(firmwareLog: Uint8Array, userspaceLog: Uint8Array): Logs {
  const firmware = parseFirmwareLog(firmwareLog).events.map(({ pcr, type, digests, data }) => ({
    pcr,
    type,
    digests: [[SHA256, Buffer.from(digests.sha256 ?? []).toString("hex")] as const],
    data,
  }));
  const userspace = Buffer.from(userspaceLog).toString("utf8").split("\u001e").slice(1);
  return { firmware, userspace: userspace.map((record) => record.trimEnd()) };
}

/** The header names the banks that occur (TCG PC Client PFP, 10.4.5.1). */
export function encodeFirmwareLog(records: readonly FirmwareRecord[]): Uint8Array {
  const banks = new Set([SHA256, ...records.flatMap(({ digests }) => digests.map(([algorithm]) => algorithm))]);
  const sizes = [...banks].flatMap((algorithm) => [u16(algorithm), u16(DIGEST_BYTES.get(algorithm) ?? 32)]);
  const versions = Buffer.from([0, 0, 0, 0, 0, 2, 0, 2]);
  const specId = Buffer.concat([
    Buffer.from("Spec ID Event03\0"),
    versions,
    u32(banks.size),
    ...sizes,
    Buffer.alloc(1),
  ]);
  const header = Buffer.concat([u32(0), u32(EV_NO_ACTION), Buffer.alloc(20), u32(specId.length), specId]);
  const events = records.map(({ pcr, type, digests, data }) =>
    Buffer.concat([
      u32(pcr),
      u32(type),
      u32(digests.length),
      ...digests.flatMap(([algorithm, digest]) => [u16(algorithm), Buffer.from(digest, "hex")]),
      u32(data.length),
      data,
    ]),
  );
  return Buffer.concat([header, ...events]);
}

export function encodeUserspaceLog(records: readonly UserspaceRecord[]): Uint8Array {
  return Buffer.from(records.map((record) => `\u001e${record}\n`).join(""));
}

/** As systemd writes it. */
export function userspaceRecord(pcr: number, digest: string, text: string): UserspaceRecord {
  return JSON.stringify({
    pcr,
    digests: [{ hashAlg: "sha256", digest }],
    content_type: "systemd",
    content: { string: text, bootId: "0".repeat(32), timestamp: 1, eventType: "phase" },
  });
}

/** PCR values that a TPM has which has measured what the logs say, by PCR. */
export function replay(firmwareLog: Uint8Array, userspaceLog: Uint8Array): Map<number, string> {
  const values = replayPcrs(parseFirmwareLog(firmwareLog), parseUserspaceLog(userspaceLog), "sha256");
  return new Map([...values].map(([pcr, value]) => [pcr, Buffer.from(value).toString("hex")]));
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

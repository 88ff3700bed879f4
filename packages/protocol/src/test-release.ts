/** Releases and boot logs for tests: the events of a real boot (test/vectors), with a made-up release's digests in them. */
import { readFileSync } from "node:fs";
import {
  parseFirmwareLog,
  BOOT_PHASES,
  expectedPcr11,
  expectedPcr4,
  sha256,
  sha384,
  type FirmwareEvent,
} from "@ashlar/formats";
import type { PcrBank } from "./agent/agent-api.ts";
import { configWord } from "./words/config-words.ts";
import { MANIFEST_SCHEMA, type ManifestFile, type ReleaseManifest } from "./manifests/manifest.ts";

const VECTOR = readFileSync(
  new URL("../../../test/vectors/tpm/firmware-log-no-secure-boot/binary_bios_measurements", import.meta.url),
);

/** The first record, which names the hash algorithms: 32 bytes of TCG_PCR_EVENT and 33 of its event. */
const HEADER = VECTOR.subarray(0, 65);

/** An event of a log that a test is about to change. Words are text, everything else is a digest in hexadecimal. */
export type TestEvent = {
  readonly pcr: number;
  readonly type: number;
  readonly digest: string;
  /** In the other bank; without it that of the data when they are what was measured, otherwise a made-up one. */
  readonly sha384?: string;
  readonly data: Uint8Array;
};
export type TestWord = { readonly pcr: number; readonly word: string };
export type TestLogs = { readonly firmware: readonly TestEvent[]; readonly words: readonly TestWord[] };

const EV_IPL = 0x0d;
const SECTION_NAMES = [".linux", ".osrel", ".cmdline", ".initrd", ".uname", ".sbat"];

/** What a machine reports beside its quote. */
export function osReleaseOf(version: string): string {
  return `ID=ashlar\nIMAGE_ID=ashlar\nIMAGE_VERSION=${version}\nSYSEXT_LEVEL=1\n`;
}

/** `contents` stands for everything in the image: another text makes another image. */
export function testRelease(
  version: string,
  contents: string = version,
  files: readonly ManifestFile[] = [],
  rootHash: string = sha256(`${contents} root hash`),
): ReleaseManifest {
  const commandLine = `console=ttyS0 root=tmpfs usrhash=${rootHash}`;
  const osRelease = osReleaseOf(version);
  const text: Readonly<Record<string, string>> = { ".cmdline": commandLine, ".osrel": osRelease };
  const sectionOf = (name: string): string => text[name] ?? `section ${name}`;
  const sections = SECTION_NAMES.map((name) => ({ name, sha256: sha256(sectionOf(name)) }));
  const programs = { bootLoader: sha256("systemd-boot"), uki: sha256(`${contents} UKI`), linux: sha256("kernel") };
  const pcr11 = (count: number): string => expectedPcr11(sections, BOOT_PHASES.slice(0, count));
  return {
    schema: MANIFEST_SCHEMA,
    version,
    architecture: "x86-64",
    sysextLevel: "1",
    commandLine,
    osRelease,
    usr: {
      rootHash,
      salt: "",
      uuid: uuidOf(sha256("uuid")),
      dataSizeBytes: 4096,
      sha256: sha256("usr"),
      verity: { sha256: sha256("verity"), sizeBytes: 8192 },
      dataPartitionUuid: uuidOf(rootHash),
      hashPartitionUuid: uuidOf(rootHash.slice(32)),
    },
    uki: {
      sha256: sha256(`${contents} UKI file`),
      sizeBytes: 4096,
      authenticode: programs.uki,
      linuxAuthenticode: programs.linux,
      sections,
    },
    bootLoader: { sha256: sha256("systemd-boot file"), authenticode: programs.bootLoader },
    pcrs: {
      "4": expectedPcr4(programs),
      "11": { "enter-initrd": pcr11(1), "leave-initrd": pcr11(2), sysinit: pcr11(3), ready: pcr11(4) },
    },
    pcr11Sections: pcr11(0),
    sha384: {
      bootLoader: sha384("systemd-boot"),
      uki: sha384(`${contents} UKI`),
      linux: sha384("kernel"),
      sections: SECTION_NAMES.map((name) => ({ name, sha384: sha384(sectionOf(name)) })),
    },
    packages: [{ name: "systemd", version: "257", architecture: "amd64" }],
    files,
  };
}

function uuidOf(hex: string): string {
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

/** Test machines put their own in its place. */
export const TEST_MACHINE_ID: string = "0123456789abcdef".repeat(2);

/** What a machine logs that boots this release with these configs: the real boot's firmware events around the release's own. */
export function testLogs(release: ReleaseManifest, classConfigSha256: string, nodeConfigSha256: string): TestLogs {
  const { bootLoader, uki, sha384: other } = release;
  const programs = [
    { digest: bootLoader.authenticode, sha384: other?.bootLoader },
    { digest: uki.authenticode, sha384: other?.uki },
    { digest: uki.linuxAuthenticode, sha384: other?.linux },
  ];
  const real = parseFirmwareLog(VECTOR).events.map(toTestEvent);
  const lastOfPcr4 = real.filter(({ pcr }) => pcr === 4).slice(-programs.length);
  const replaced = new Map(lastOfPcr4.map((event, index) => [event, programs[index]]));
  const firmware = real
    // This boot also had a command line and an initrd from beside its UKI.
    .filter(({ pcr }) => pcr !== 11 && pcr !== 12 && pcr !== 13)
    .map((event) => Object.assign(event, replaced.get(event)));
  const sections = uki.sections.flatMap(({ name, sha256: digest }, index): TestEvent[] => {
    const event = { pcr: 11, type: EV_IPL, data: Buffer.from(name) };
    const inSha384 = other?.sections[index]?.sha384;
    return [
      { ...event, digest: sha256(`${name}\0`), sha384: sha384(`${name}\0`) },
      { ...event, digest, ...(inSha384 === undefined ? {} : { sha384: inSha384 }) },
    ];
  });
  const words = [
    { pcr: 11, word: "enter-initrd" },
    { pcr: 13, word: configWord("class", classConfigSha256) },
    { pcr: 13, word: configWord("node", nodeConfigSha256) },
    { pcr: 11, word: "leave-initrd" },
    { pcr: 15, word: `machine-id:${TEST_MACHINE_ID}` },
    { pcr: 15, word: "file-system:/var:ext4:0f0e0d0c-0b0a-0908-0706-050403020100:var:::var" },
    { pcr: 11, word: "sysinit" },
    { pcr: 11, word: "ready" },
  ];
  return { firmware: [...firmware, ...sections], words };
}

function toTestEvent({ pcr, type, digests, data }: FirmwareEvent): TestEvent {
  return { pcr, type, digest: Buffer.from(digests.sha256 ?? []).toString("hex"), data };
}

/** What an event extends in a bank. */
export function testDigest(event: TestEvent, bank: PcrBank): string {
  const { digest, data } = event;
  if (bank === "sha256") return digest;
  return event.sha384 ?? sha384(sha256(data) === digest ? data : `of ${digest}`);
}

const ALGORITHMS: Readonly<Record<PcrBank, readonly [id: number, sizeBytes: number]>> = {
  sha256: [0x000b, 32],
  sha384: [0x000c, 48],
};

/** TCG_PCR_EVENT2 records with one digest for each bank. */
export function firmwareLogBytes(events: readonly TestEvent[], banks: readonly PcrBank[] = ["sha256"]): Uint8Array {
  const records = events.map((event) => {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(event.pcr, 0);
    head.writeUInt32LE(event.type, 4);
    head.writeUInt32LE(banks.length, 8);
    const digests = banks.flatMap((bank) => [u16(ALGORITHMS[bank][0]), Buffer.from(testDigest(event, bank), "hex")]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(event.data.length);
    return Buffer.concat([head, ...digests, size, event.data]);
  });
  return Buffer.concat([headerOf(banks), ...records]);
}

/** The vector's header, with these banks in place of its one: 24 bytes of its event come before their number (PFP, 10.4.5.1). */
function headerOf(banks: readonly PcrBank[]): Buffer {
  const header = Buffer.from(HEADER.subarray(0, 60));
  const algorithms = banks.flatMap((bank) => ALGORITHMS[bank].map((value) => u16(value)));
  header.writeUInt32LE(24 + 4 + algorithms.length * 2 + 1, 28);
  header.writeUInt32LE(banks.length, 56);
  return Buffer.concat([header, ...algorithms, Buffer.alloc(1)]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** As systemd-pcrextend writes it. */
export function userspaceLogBytes(words: readonly TestWord[], banks: readonly PcrBank[] = ["sha256"]): Uint8Array {
  const records = words.map(({ pcr, word }) =>
    JSON.stringify({
      pcr,
      digests: banks.map((bank) => ({ hashAlg: bank, digest: (bank === "sha256" ? sha256 : sha384)(word) })),
      content_type: "systemd",
      content: { string: word, bootId: "0".repeat(32), timestamp: 1, eventType: "phase" },
    }),
  );
  return Buffer.from(records.map((record) => `\u001e${record}\n`).join(""));
}

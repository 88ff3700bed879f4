/** Valid inputs for the fuzz targets, from test/vectors or written by our own writers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  guidFromBytes,
  PARTITION_TYPES,
  parseGpt,
  writeGpt,
  writeVeritySuperblock,
  BOOT_PHASES,
  expectedPcr11,
  expectedPcr4,
  parseFirmwareLog,
  sha256,
  TAR_END,
  tarEntry,
  type Gpt,
} from "@ashlar/formats";
import { EVIDENCE_SCHEMA, QUOTED_PCRS } from "@ashlar/protocol";
import { MANIFEST_SCHEMA } from "@ashlar/protocol/answers";

const VECTORS = join(import.meta.dirname, "../vectors");

export function vector(path: string): Uint8Array {
  return readFileSync(join(VECTORS, path));
}

export function text(value: string): Uint8Array {
  return Buffer.from(value);
}

/** The variables of Secure Boot that a firmware's log has. */
export function variablesIn(log: Uint8Array): Uint8Array[] {
  const { events } = parseFirmwareLog(log);
  return events.filter(({ pcr, data }) => pcr === 7 && data.length > 4).map(({ data }) => data);
}

const DISK_BYTES = 64 * 1024 * 1024;

/** Both ends of a disk with two partitions, one after the other. */
export function gptEnds(): Uint8Array {
  const guid = (fill: number) => guidFromBytes(Buffer.alloc(16, fill));
  const partition = { attributes: 0n, type: PARTITION_TYPES.esp };
  const { primary, backup } = writeGpt({
    diskGuid: guid(1),
    sizeBytes: DISK_BYTES,
    partitions: [
      { ...partition, uuid: guid(2), firstLba: 2048, lastLba: 4095, label: "first" },
      { ...partition, uuid: guid(3), firstLba: 4096, lastLba: 8191, label: "second" },
    ],
  });
  return Buffer.concat([primary, backup]);
}

/** The reverse of {@link gptEnds}: whatever is missing or too much is at the end of the disk. */
export function parseGptEnds(bytes: Uint8Array): Gpt {
  return parseGpt({
    primary: bytes.subarray(0, GPT_PRIMARY_BYTES),
    backup: bytes.subarray(GPT_PRIMARY_BYTES),
    sizeBytes: DISK_BYTES + Math.max(0, bytes.length - GPT_PRIMARY_BYTES - GPT_BACKUP_BYTES),
  });
}

/** A manifest that agrees with itself, with two files and a package. */
export function manifestText(): Uint8Array {
  const digest = "ab".repeat(32);
  const commandLine = `usrhash=${digest}`;
  const osRelease = "IMAGE_VERSION=1.0.0\nSYSEXT_LEVEL=1.0\n";
  const sections = [
    { name: ".linux", sha256: digest },
    { name: ".osrel", sha256: sha256(osRelease) },
    { name: ".cmdline", sha256: sha256(commandLine) },
  ];
  const uuid = "abababab-abab-abab-abab-abababababab";
  const phases = BOOT_PHASES.map((phase, index) => [phase, expectedPcr11(sections, BOOT_PHASES.slice(0, index + 1))]);
  return text(
    JSON.stringify({
      schema: MANIFEST_SCHEMA,
      version: "1.0.0",
      architecture: "x86-64",
      sysextLevel: "1.0",
      commandLine,
      osRelease,
      usr: {
        rootHash: digest,
        salt: "00ff",
        uuid,
        dataSizeBytes: 4096,
        sha256: digest,
        verity: { sha256: digest, sizeBytes: 8192 },
        dataPartitionUuid: uuid,
        hashPartitionUuid: uuid,
      },
      uki: { sha256: digest, sizeBytes: 1024, authenticode: digest, linuxAuthenticode: digest, sections },
      bootLoader: { sha256: digest, authenticode: digest },
      pcrs: {
        "4": expectedPcr4({ bootLoader: digest, uki: digest, linux: digest }),
        "11": Object.fromEntries(phases),
      },
      pcr11Sections: expectedPcr11(sections, []),
      packages: [{ name: "systemd", version: "257.7-1", architecture: "amd64" }],
      files: [
        { type: "file", path: "/usr/bin/true", sizeBytes: 1, sha256: digest },
        { type: "link", path: "/usr/bin/yes", target: "true" },
      ],
    }),
  );
}

export function evidenceText(): Uint8Array {
  const base64 = (path: string): string => Buffer.from(vector(path)).toString("base64");
  return text(
    JSON.stringify({
      schema: EVIDENCE_SCHEMA,
      quote: { message: base64("tpm/quotes/quote_ecc.msg"), signature: base64("tpm/quotes/quote_ecc.sig") },
      pcrs: Object.fromEntries(QUOTED_PCRS.map((pcr) => [String(pcr), "00".repeat(32)])),
      ak: base64("tpm/quotes/ak_ecc.pub"),
      ekCertificate: base64("tpm/quotes/ek_rsa_cert.der"),
      tlsPublicKey: "MAA=",
      firmwareLog: "AAAA",
      userspaceLog: "",
      osRelease: "ID=ashlar\n",
      commandLine: "quiet",
      verity: { device: "usr", status: "V", rootHash: "00".repeat(32) },
    }),
  );
}

export function keysText(): Uint8Array {
  return text(JSON.stringify({ ak: "AAAA", ekCertificate: "AAAA", ekPublic: "AAAA" }));
}

export function veritySuperblock(): Uint8Array {
  return writeVeritySuperblock({
    algorithm: "sha256",
    dataBlockSizeBytes: 4096,
    hashBlockSizeBytes: 4096,
    dataBlocks: 1000,
    salt: Buffer.alloc(32, 7),
    uuid: "01234567-89ab-cdef-0123-456789abcdef",
  });
}

/** Of an image of three blocks: header, the leaf's digest, three prefixes, two segment sizes. */
export function blocksIndex(): Uint8Array {
  const index = Buffer.alloc(64 + 32 + 3 * 4 + 2 * 2, 7);
  index.fill(0, 0, 64);
  index.write("ASHLRBLK", "latin1");
  for (const [place, value] of [1, 4096, 2, 4, 3].entries()) index.writeUInt32LE(value, 8 + place * 4);
  return index;
}

export function butaneConfigs(): Uint8Array[] {
  const config = `variant: flatcar
version: 1.1.0
passwd:
  users:
    - name: core
      ssh_authorized_keys: [ssh-ed25519 AAAA]
storage:
  directories: [{ path: /opt/bin, mode: 0755 }]
  files:
    - path: /etc/hostname
      mode: 0644
      contents: { inline: "node1", compression: "" }
    - path: /etc/motd
      contents:
        source: https://example.org/motd
        verification: { hash: sha256-${"ab".repeat(32)} }
systemd:
  units:
    - name: hello.service
      enabled: true
      contents: |
        [Service]
        ExecStart=/usr/bin/true
`;
  const withAlias =
    "variant: &name flatcar\nversion: 1.0.0\nstorage: { files: [{ path: /a, user: { name: *name } }] }\n";
  return [config, config.replace("1.1.0", "1.0.0"), withAlias].map(text);
}

export function ignitionConfigs(): Uint8Array[] {
  const file = { path: "/a", contents: { source: "https://example.org/a" } };
  const inner = JSON.stringify({ ignition: { version: "3.3.0" }, storage: { files: [file] } });
  const source = `data:;base64,${Buffer.from(inner).toString("base64")}`;
  return [inner, JSON.stringify({ ignition: { version: "3.3.0", config: { merge: [{ source }] } } })].map(text);
}

/** A signed system extension. */
export function ddi(): Uint8Array {
  return gunzipSync(vector("ddi/hello-v1.2.3-x86-64.raw.gz"));
}

/** A directory, a program with a long name, and a link to it. */
export function tar(): Uint8Array {
  const header = (path: string, flag: string, size: number, target = ""): Buffer => {
    const bytes = Buffer.alloc(512);
    bytes.write(path);
    bytes.write("0000755\0", 100);
    bytes.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    bytes.fill(" ", 148, 156);
    bytes.write(flag, 156);
    bytes.write(target, 157);
    bytes.write("ustar\x0000", 257);
    bytes.write(
      `${bytes
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return bytes;
  };
  const block = (content: string): Buffer => Buffer.concat([Buffer.from(content)], 512);
  return Buffer.concat([
    header("usr/", "5", 0),
    header("PaxHeaders/a", "x", 24),
    block("24 path=usr/bin/program\n"),
    header("usr/a", "0", 5),
    block("hello"),
    header("usr/link", "2", 0, "bin/program"),
    Buffer.alloc(1024),
  ]);
}

export function recipes(): Uint8Array[] {
  const directory = join(import.meta.dirname, "../../recipes");
  return ["kubernetes", "debug-tools"].map((name) => readFileSync(join(directory, name, "recipe.yaml")));
}

/** An archive of evidence of two nodes that share a log. */
export function evidenceArchive(): Uint8Array {
  const log = Buffer.from("a log");
  const shared = `_shared/${sha256(log)}`;
  const files: readonly (readonly [string, Uint8Array | { readonly sameAs: string }])[] = [
    ["fleet.json", text('{"schema":"ashlar.evidence-directory/v1","nodes":["a","b"]}')],
    [shared, log],
    ...["a", "b"].flatMap((node) => [
      [`${node}/answer.json`, text("{}")] as const,
      [`${node}/firmware-log.bin`, { sameAs: shared }] as const,
    ]),
  ];
  return Buffer.concat([...files.map(([path, content]) => tarEntry({ path, content, modifiedAt: 0 })), TAR_END]);
}

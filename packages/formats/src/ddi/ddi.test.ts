import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import fc from "fast-check";
import { parseGpt } from "../gpt/parse-gpt.ts";
import {
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  type GptPartition,
  PARTITION_ATTRIBUTES,
} from "../gpt/partition-table.ts";
import { writeGpt } from "../gpt/write-gpt.ts";
import { refuses } from "../tpm/test-malformed.ts";
import { openDdiData } from "./ddi-data.ts";
import { readExtensionFiles, readExtensionText } from "./extension-files.ts";
import { type Ddi, MAX_DDI_BYTES, parseDdi } from "./parse-ddi.ts";
import { verifyRootHashSignature } from "./verify-signature.ts";

/** A system extension made by systemd-repart 257. */
const VECTORS = join(import.meta.dirname, "../../../../test/vectors/ddi");
const IMAGE = gunzipSync(readFileSync(join(VECTORS, "hello-v1.2.3-x86-64.raw.gz")));
const SIGNER = new X509Certificate(readFileSync(join(VECTORS, "signer.crt")));
const DDI = parse(IMAGE);
const skip = needs("mkfs.erofs");
const directory = mkdtempSync(join(tmpdir(), "ashlar-ddi-"));
after(() => rmSync(directory, { recursive: true }));

type Read = (offset: number, size: number) => Uint8Array;

function reader(bytes: Uint8Array): Read {
  return (offset, size) => bytes.subarray(offset, offset + size);
}

function parse(bytes: Uint8Array): Ddi {
  return parseDdi(reader(bytes), bytes.length);
}

/** The image with some bytes changed. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(IMAGE);
  change(bytes);
  return bytes;
}

/** The image with another partition table. */
function withPartitions(change: (partitions: readonly GptPartition[]) => readonly GptPartition[]): Buffer {
  const ends = {
    primary: IMAGE.subarray(0, GPT_PRIMARY_BYTES),
    backup: IMAGE.subarray(-GPT_BACKUP_BYTES),
    sizeBytes: IMAGE.length,
  };
  const { diskGuid, partitions } = parseGpt(ends);
  const { primary, backup } = writeGpt({ diskGuid, sizeBytes: IMAGE.length, partitions: change(partitions) });
  return changed((bytes) => {
    bytes.set(primary, 0);
    bytes.set(backup, bytes.length - backup.length);
  });
}

function withPartition(index: number, fields: Partial<GptPartition>): Buffer {
  return withPartitions((partitions) => partitions.with(index, { ...only(partitions, index), ...fields }));
}

function only(partitions: readonly GptPartition[], index: number): GptPartition {
  const partition = partitions[index];
  assert.ok(partition !== undefined);
  return partition;
}

test("systemd-repart's image: partitions, signature, every block, content", () => {
  assert.equal(DDI.designator, "root");
  assert.deepEqual(
    [DDI.data, DDI.tree].map(({ number }) => number),
    [1, 2],
  );
  assert.equal(verifyRootHashSignature(DDI.signed, [SIGNER]), SIGNER);
  const data = openDdiData(DDI, reader(IMAGE));
  assert.deepEqual(data.findDamagedBlocks(10), []);
  const files = readExtensionFiles(data.read, data.sizeBytes);
  assert.deepEqual([files.kind, files.name], ["sysext", "hello"]);
  assert.deepEqual([files.release.get("ID"), files.release.get("IMAGE_VERSION")], ["ashlar", "v1.2.3"]);
  const paths = files.entries.map(({ path, type }) => `${type} ${path}`);
  assert.ok(paths.includes("link /opt/hello/run") && paths.includes("file /usr/bin/hello"), paths.join(", "));
  assert.equal(readExtensionText(files, "/usr/bin/hello", 100), "#!/bin/sh\necho hello\n");
  assert.equal(readExtensionText(files, "/usr/bin/nothing", 100), undefined);
  refuses(() => readExtensionText(files, "/usr/bin/hello", 10), /at most 10 bytes, found 21/u, "limit");
  refuses(() => readExtensionText(files, "/opt/hello/run", 100), /to be a file, found a link/u, "invalid");
});

test("an image with /usr as its file system is known as such", () => {
  const types = [
    "8484680c-9521-48c6-9c11-b0720656f69e",
    "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
  ];
  const usr = withPartitions((all) => all.map((each, index) => ({ ...each, type: types[index] ?? "" })));
  assert.equal(parse(usr).designator, "usr");
});

const SIGNATURE_OFFSET = IMAGE.indexOf('{"rootHash"');
const ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const MALFORMED: readonly [string, Uint8Array, RegExp][] = [
  ["nothing", new Uint8Array(), /room for a partition table/u],
  ["truncated", IMAGE.subarray(0, -4096), /SizeInLBA/u],
  ["trailing bytes", Buffer.concat([IMAGE, Buffer.alloc(512)]), /SizeInLBA/u],
  ["no data partition", withPartition(0, { type: ESP }), /expected a root or usr partition/u],
  ["no tree partition", withPartition(1, { type: ESP }), /one root tree partition/u],
  ["no signature partition", withPartitions((all) => all.slice(0, 2)), /expected 3 partitions, found 2/u],
  ["another kind's tree", withPartition(1, { type: "77ff5f63-e7b6-4633-acf4-1565b864c0e6" }), /one root tree/u],
  ["two trees", withPartition(2, { type: "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5" }), /one root tree/u],
  [
    "a fourth partition",
    withPartitions((all) => [...all, { type: ESP, uuid: ESP, label: "", firstLba: 34, lastLba: 34, attributes: 0n }]),
    /expected 3 partitions, found 4/u,
  ],
  ["a partition passed over", withPartition(0, { attributes: PARTITION_ATTRIBUTES.noAuto }), /no "noauto" flag/u],
  [
    "larger data",
    withPartition(0, { firstLba: only(parsedPartitions(), 0).firstLba - 1 }),
    /hash tree: expected one over/u,
  ],
  [
    "smaller tree",
    withPartition(1, { lastLba: only(parsedPartitions(), 1).firstLba + 8 }),
    /hash tree: expected room/u,
  ],
  [
    "tree without superblock",
    changed((bytes) => bytes.fill(0, DDI.tree.offsetBytes, DDI.tree.offsetBytes + 8)),
    /superblock/u,
  ],
  ["hash algorithm", changed((bytes) => bytes.write("sha512", DDI.tree.offsetBytes + 32)), /expected sha256/u],
  ["data block size", changed((bytes) => bytes.writeUInt32LE(512, DDI.tree.offsetBytes + 64)), /blocks of 4096/u],
  ["hash block size", changed((bytes) => bytes.writeUInt32LE(8192, DDI.tree.offsetBytes + 68)), /blocks of 4096/u],
  ["data blocks", changed((bytes) => bytes.writeUInt32LE(6, DDI.tree.offsetBytes + 72)), /expected one over/u],
  ["no signature", changed((bytes) => bytes.fill(0, SIGNATURE_OFFSET, SIGNATURE_OFFSET + 4096)), /JSON object/u],
];

function parsedPartitions(): readonly GptPartition[] {
  return [DDI.data, DDI.tree].map(({ offsetBytes, sizeBytes }) => ({
    type: ESP,
    uuid: ESP,
    label: "",
    firstLba: offsetBytes / 512,
    lastLba: (offsetBytes + sizeBytes) / 512 - 1,
    attributes: 0n,
  }));
}

for (const [what, bytes, message] of MALFORMED) {
  test(`malformed image: ${what}`, () => refuses(() => parse(bytes), message));
}

test("an image that does not belong to its signature, or is too large", () => {
  const other = "01234567-89ab-4cde-8f01-23456789abcd";
  refuses(() => parse(withPartition(0, { uuid: other })), /UUID .* of the data partition/u, "invalid");
  refuses(() => parse(withPartition(1, { uuid: other })), /UUID .* of the hash tree partition/u, "invalid");
  const rootHash = changed((bytes) => bytes.write("00000000", SIGNATURE_OFFSET + 13));
  refuses(() => parse(rootHash), /of the data partition/u, "invalid");
  refuses(() => parseDdi(reader(IMAGE), MAX_DDI_BYTES + 512), /at most/u, "limit");
  const long = withPartitions(([data, tree, signature]) => {
    assert.ok(data !== undefined && tree !== undefined && signature !== undefined);
    const firstLba = signature.firstLba - 200;
    return [data, { ...tree, lastLba: firstLba - 1 }, { ...signature, firstLba }];
  });
  refuses(() => parse(long), /at most 65536/u, "limit");
});

test("damage is found where it is, and damaged bytes are not given", () => {
  const block = 2;
  const damaged = changed((bytes) => {
    const offset = DDI.data.offsetBytes + block * 4096 + 5;
    bytes.writeUInt8((bytes[offset] ?? 0) ^ 1, offset);
  });
  const data = openDdiData(parse(damaged), reader(damaged));
  assert.deepEqual(data.findDamagedBlocks(10), [block]);
  refuses(() => data.read(block * 4096 - 1, 2), /block 2 of the data is damaged/u, "untrusted");
  assert.equal(data.read(0, block * 4096).length, block * 4096);
  refuses(() => data.read(data.sizeBytes - 1, 2), /bytes of data, found/u);
  const tree = changed((bytes) => bytes.writeUInt8(1, DDI.tree.offsetBytes + 4096 + 4095));
  refuses(() => openDdiData(parse(tree), reader(tree)), /block 1 of the hash tree is damaged/u, "untrusted");
});

/** An erofs image of these files; a content of undefined makes a link. */
function erofs(
  files: Readonly<Record<string, string | null>>,
  prepare: (tree: string) => void = () => undefined,
): Buffer {
  const tree = mkdtempSync(join(directory, "tree-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    if (content === null) symlinkSync("elsewhere", join(tree, path));
    else writeFileSync(join(tree, path), content);
  }
  prepare(tree);
  execFileSync("mkfs.erofs", ["--quiet", "-T0", `${tree}.erofs`, tree], { stdio: "pipe" });
  return readFileSync(`${tree}.erofs`);
}

const RELEASE = "usr/lib/extension-release.d/extension-release.a";
const CONFEXT_RELEASE = "etc/extension-release.d/extension-release.a";

function readFiles(...args: Parameters<typeof erofs>): ReturnType<typeof readExtensionFiles> {
  const bytes = erofs(...args);
  return readExtensionFiles(reader(bytes), bytes.length);
}

test("what has no business in an extension is named", { skip }, () => {
  assert.equal(readFiles({ [CONFEXT_RELEASE]: "ID=a\n" }).kind, "confext");
  const cases: readonly [Parameters<typeof erofs>, RegExp][] = [
    [[{}], /expected an extension-release file, found none/u],
    [[{ [RELEASE]: "ID=a\n", [CONFEXT_RELEASE]: "ID=a\n" }], /one extension-release file/u],
    [[{ [RELEASE]: "ID=a\n", "usr/lib/extension-release.d/other": "" }], /one extension-release file/u],
    [[{ [RELEASE]: null }], /expected a file extension-release.NAME/u],
    [[{ [RELEASE]: "ID=a\n", "etc/passwd": "" }], /only files below \/usr and \/opt in a sysext, found \/etc/u],
    [[{ [CONFEXT_RELEASE]: "ID=a\n", "usr/bin/sh": "" }], /only files below \/etc in a confext, found \/usr/u],
    [
      [{ [RELEASE]: "ID=a\n" }, (tree) => void execFileSync("mkfifo", [join(tree, "usr/pipe")])],
      /pipe at \/usr\/pipe/u,
    ],
    [[{ [RELEASE]: "ID=a\n", "usr/su": "" }, (tree) => chmodSync(join(tree, "usr/su"), 0o4755)], /found \/usr\/su/u],
  ];
  for (const [args, message] of cases) refuses(() => readFiles(...args), message, "invalid");
});

test("extended attributes are refused: in an overlay they may hide what lies below", { skip }, () => {
  const bytes = erofs({ [RELEASE]: "ID=a\n", "usr/empty": "" });
  const { inode } =
    readExtensionFiles(reader(bytes), bytes.length).entries.find(({ path }) => path === "/usr/empty") ?? {};
  assert.ok(inode !== undefined);
  bytes.writeUInt16LE(1, inode.offsetBytes + 2);
  refuses(() => readExtensionFiles(reader(bytes), bytes.length), /attributes, found some at \/usr\/empty/u, "invalid");
});

test("malformed extension-release files", { skip }, () => {
  const fields = readFiles({ [RELEASE]: 'ID=_any\nPRETTY="a b"\nEMPTY=\n' }).release;
  assert.deepEqual(
    [...fields],
    [
      ["ID", "_any"],
      ["PRETTY", "a b"],
      ["EMPTY", ""],
    ],
  );
  refuses(() => readFiles({ [RELEASE]: "ID=a\nID=b\n" }), /one ID, found two/u);
  refuses(() => readFiles({ [RELEASE]: "id=a\n" }), /NAME=value in line 1/u);
  refuses(() => readFiles({ [RELEASE]: "ID=a\n\n" }), /NAME=value in line 2/u);
  refuses(() => readFiles({ [RELEASE]: 'ID="a\n' }), /line 1/u);
  refuses(() => readFiles({ [RELEASE]: "ID=$(x)\n" }), /line 1/u);
  refuses(() => readFiles({ [RELEASE]: "A".repeat(5000) }), /at most 4096 bytes/u, "limit");
});

test("fuzz: a changed image gives a value or an AshlarError", () => {
  const places = [
    0,
    512,
    1024,
    DDI.data.offsetBytes + 1024,
    DDI.tree.offsetBytes,
    SIGNATURE_OFFSET,
    IMAGE.length - 512,
  ];
  const edit = fc.tuple(fc.constantFrom(...places), fc.nat(600), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const bytes = changed((copy) => {
        for (const [place, distance, value] of edits) copy[(place + distance) % copy.length] = value;
      });
      try {
        const ddi = parse(bytes);
        readExtensionFiles((offset, size) => bytes.subarray(ddi.data.offsetBytes + offset).subarray(0, size), 28_672);
        openDdiData(ddi, reader(bytes)).findDamagedBlocks(4);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { partitionUuidsOf, signingCertificatePem, verifyPe } from "@ashlar/formats";
import { formatVerity } from "@ashlar/volumes";
import { makeDiskImage } from "./disk-image.ts";
import { describeRelease } from "./release-manifest.ts";
import { expectSectors, readDisk } from "./verify-disk.ts";
import { type ImageSecureBoot, signProgram } from "./secure-boot.ts";
import { verifyImage } from "./verify-image.ts";

const TOOLS = ["mkfs.erofs", "mkfs.vfat", "mcopy"];
const skip = needs(...TOOLS);

test("a disk with other sectors than an image's is named as such", () => {
  expectSectors("disk.raw", undefined);
  expectSectors("/dev/nvme0n1", 512);
  assert.throws(() => expectSectors("/dev/nvme0n1", 4096), { code: "invalid", message: /with sectors of 4096 bytes/u });
});

const directory = mkdtempSync(join(tmpdir(), "ashlar-verify-"));
after(() => rmSync(directory, { recursive: true }));
const whole = join(directory, "whole");
const image = join(directory, "image");
const pathOf = (name: string): string => join(image, name);

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const certificate = new X509Certificate(signingCertificatePem(privateKey, "Secure Boot", Buffer.alloc(16, 1)));
const SECURE_BOOT: ImageSecureBoot = {
  signer: { privateKey, certificate },
  parts: {
    PK: { certificate, variable: Buffer.from("PK") },
    KEK: { certificate, variable: Buffer.from("KEK") },
    db: { certificate, variable: Buffer.from("db") },
  },
  enrolment: "if-safe",
};

/** A PE32+ file with these sections, each filled up to 512 bytes. */
function makePe(sections: Readonly<Record<string, Uint8Array>>): Buffer {
  const names = Object.keys(sections);
  const header = Buffer.alloc(1024);
  header.write("MZ");
  header.writeUInt32LE(64, 0x3c);
  header.write("PE\0\0", 64);
  header.writeUInt16LE(names.length, 70);
  header.writeUInt16LE(240, 84);
  header.writeUInt16LE(0x20b, 88);
  header.writeUInt32LE(1024, 88 + 60);
  header.writeUInt32LE(16, 88 + 108);
  const parts = [header];
  let offset = 1024;
  for (const [index, name] of names.entries()) {
    const data = sections[name]!;
    const raw = Buffer.alloc(Math.ceil(data.length / 512) * 512);
    raw.set(data);
    header.write(name, 328 + index * 40);
    for (const [field, value] of [data.length, 4096 * index, raw.length, offset].entries()) {
      header.writeUInt32LE(value, 336 + index * 40 + field * 4);
    }
    parts.push(raw);
    offset += raw.length;
  }
  return Buffer.concat(parts);
}

async function makeImage(): Promise<void> {
  const tree = join(directory, "usr");
  mkdirSync(join(tree, "lib"), { recursive: true });
  mkdirSync(join(tree, "bin"));
  const numbers = Array.from({ length: 60_000 }, (_, index) => `${index}\n`).join("");
  writeFileSync(join(tree, "lib/numbers"), numbers);
  writeFileSync(
    join(tree, "bin/program"),
    Buffer.from(numbers).map((byte, index) => byte ^ (index * index)),
  );
  writeFileSync(join(tree, ".hidden"), "hidden");
  const [path, verityPath] = [join(whole, "usr.erofs"), join(whole, "usr.verity")];
  mkdirSync(whole);
  execFileSync("mkfs.erofs", ["--quiet", "-zlz4hc,9", "-C65536", "-T0", path, tree]);
  const salt = Buffer.alloc(32, 1);
  const verityUuid = "01234567-89ab-4def-8123-456789abcdef";
  const { rootHash, hashSizeBytes } = await formatVerity({ data: path, hash: verityPath, salt, uuid: verityUuid });
  const dataSizeBytes = statSync(path).size;
  const usr = { path, verityPath, rootHash, salt: salt.toString("hex"), verityUuid, dataSizeBytes, hashSizeBytes };

  const [ukiPath, bootLoaderPath] = [join(whole, "uki.efi"), join(whole, "systemd-boot.efi")];
  const commandLine = `quiet usrhash=${rootHash}`;
  const linux = makePe({ ".text": Buffer.from("kernel") });
  const osRelease = "ID=ashlar\nIMAGE_VERSION=1.0.0\nSYSEXT_LEVEL=1\n";
  const texts = { ".osrel": Buffer.from(osRelease), ".cmdline": Buffer.from(commandLine) };
  const unsigned = join(directory, "unsigned.efi");
  writeFileSync(unsigned, makePe({ ".linux": linux, ...texts, ".initrd": Buffer.alloc(2000, 3) }));
  await signProgram(unsigned, ukiPath, SECURE_BOOT);
  writeFileSync(unsigned, makePe({ ".text": Buffer.from("boot loader") }));
  await signProgram(unsigned, bootLoaderPath, SECURE_BOOT);
  const version = "1.0.0";
  const stated = { version, sysextLevel: "1", commandLine, osRelease };
  const release = { ...stated, usr, usrTree: tree, ukiPath, bootLoaderPath, secureBoot: SECURE_BOOT, packages: [] };
  writeFileSync(join(whole, "manifest.json"), JSON.stringify(await describeRelease(release)));
  const uuids = partitionUuidsOf(Buffer.from(rootHash, "hex"));
  const parts = { version, usr, dataPartitionUuid: uuids.data, hashPartitionUuid: uuids.hash, ukiPath, bootLoaderPath };
  await makeDiskImage({ ...parts, secureBoot: SECURE_BOOT, sourceDateEpoch: 0 }, join(whole, "disk.raw"), directory);
}

function flip(name: string, offset: number): void {
  const file = openSync(pathOf(name), "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.of(byte[0]! ^ 1), 0, 1, offset);
}

async function messagesOf(target: string): Promise<string[]> {
  const { problems, unchecked } = await verifyImage(target);
  assert.deepEqual(unchecked, []);
  return problems.map(({ message }) => message);
}

suite("verifying an image", { skip }, () => {
  before(makeImage);

  const fresh = (): void => {
    rmSync(image, { recursive: true, force: true });
    execFileSync("cp", ["-a", "--sparse=always", whole, image]);
  };

  test("a whole image and its disk alone have no problems", async () => {
    fresh();
    const { problems, unchecked, manifest, rootHashes } = await verifyImage(image);
    assert.deepEqual([problems, unchecked], [[], []]);
    assert.deepEqual(rootHashes, [manifest?.usr.rootHash]);
    const alone = await verifyImage(pathOf("disk.raw"));
    assert.deepEqual([alone.problems, alone.manifest, alone.rootHashes], [[], undefined, rootHashes]);
  });

  test("its programs are signed, and what would enrol other keys is named", async () => {
    fresh();
    for (const name of ["systemd-boot.efi", "uki.efi"]) {
      assert.equal(verifyPe(readFileSync(pathOf(name)), [certificate]), certificate);
    }
    const other = join(directory, "other.auth");
    writeFileSync(other, "another key");
    const esp = `${pathOf("disk.raw")}@@1048576`;
    execFileSync("mcopy", ["-o", "-i", esp, other, "::loader/keys/auto/db.auth"], { env: { MTOOLSRC: "/dev/null" } });
    const [first, ...more] = await messagesOf(image);
    assert.match(first ?? "", /loader\/keys\/auto\/db\.auth SHA-256: expected/u);
    assert.deepEqual(more, []);
    execFileSync("mdel", ["-i", esp, "::loader/keys/auto/PK.auth"], { env: { MTOOLSRC: "/dev/null" } });
    assert.match((await messagesOf(image)).join("\n"), /PK\.auth/u);
  });

  test("a damaged block is named with its file, in the image and on the disk", async () => {
    fresh();
    const usr = readFileSync(pathOf("usr.erofs"));
    // The random-looking program is the larger part of the image: its end is the image's end or near it.
    const block = Math.floor(usr.length / 4096) - 3;
    flip("usr.erofs", block * 4096 + 5);
    const gpt = await readDisk(pathOf("disk.raw"));
    flip("disk.raw", gpt.partitions[1]!.firstLba * 512 + block * 4096 + 5);
    const { problems } = await verifyImage(image);
    const messages = problems.map(({ message }) => message);
    assert.equal(messages.length, 3);
    assert.match(messages[0]!, /^usr\.erofs SHA-256: expected [0-9a-f]{64}, found [0-9a-f]{64}$/u);
    assert.match(
      messages[1]!,
      new RegExp(`^usr\\.erofs: block ${block} is not as released \\(/usr/(?:bin/program|lib/numbers)\\)$`, "u"),
    );
    assert.match(
      messages[2]!,
      new RegExp(`^disk\\.raw partition 2 \\(ashlar_1\\.0\\.0\\): block ${block} is not`, "u"),
    );
    assert.deepEqual(problems[1]!.block?.offsetBytes, block * 4096);
    const alone = await verifyImage(pathOf("disk.raw"));
    assert.equal(alone.problems[0]!.message, messages[2]);
  });

  test("a damaged superblock leaves files without names", async () => {
    fresh();
    flip("usr.erofs", 1024);
    assert.match((await messagesOf(image))[1]!, /block 0 is not as released \(file unknown: .*block 0 is damaged\)/u);
  });

  test("a damaged hash tree and superblock are named", async () => {
    fresh();
    flip("usr.verity", 4096 + 7);
    const messages = await messagesOf(image);
    assert.match(messages[0]!, /^usr\.verity SHA-256/u);
    assert.match(messages[1]!, /^usr\.verity: expected root hash [0-9a-f]{64}, found/u);
    flip("usr.verity", 0);
    assert.ok((await messagesOf(image)).some((message) => /usr\.verity: verity superblock.*signature/u.test(message)));
  });

  test("the partition table is checked in both copies", async () => {
    fresh();
    flip("disk.raw", statSync(pathOf("disk.raw")).size - 500);
    const messages = await messagesOf(image);
    assert.equal(messages.length, 1);
    assert.match(messages[0]!, /^disk\.raw: backup GPT header.*HeaderSize/u);
  });

  test("a changed UKI and boot loader are found, in the directory and in the ESP", async () => {
    fresh();
    // In the middle of the last section: the signature comes after it.
    flip("uki.efi", readFileSync(pathOf("uki.efi")).lastIndexOf(Buffer.alloc(2000, 3)) + 1000);
    flip("systemd-boot.efi", 1030);
    const esp = `${pathOf("disk.raw")}@@${1024 * 1024}`;
    execFileSync("mcopy", ["-o", "-i", esp, pathOf("uki.efi"), "::EFI/Linux/ashlar_1.0.0.efi"]);
    execFileSync("mdel", ["-i", esp, "::EFI/systemd/systemd-bootx64.efi"]);
    const messages = await messagesOf(image);
    for (const expected of [
      /^uki\.efi SHA-256/u,
      /^uki\.efi Authenticode digest/u,
      /^uki\.efi section 4: expected \.initrd/u,
      /^systemd-boot\.efi SHA-256/u,
      /^disk\.raw partition 1 \(ashlar-esp\): mcopy .*File ".*systemd-bootx64\.efi" not found/u,
    ]) {
      assert.ok(
        messages.some((message) => expected.test(message)),
        `${expected} in\n${messages.join("\n")}`,
      );
    }
  });

  test("files that the manifest states otherwise are named", async () => {
    fresh();
    const manifest = JSON.parse(readFileSync(pathOf("manifest.json"), "utf8"));
    manifest.files = manifest.files.filter(({ path }: { path: string }) => path !== "/usr/.hidden");
    manifest.files.find(({ path }: { path: string }) => path === "/usr/bin/program").sha256 = "0".repeat(64);
    manifest.files.push({ type: "link", path: "/usr/zzz", target: "nowhere" });
    writeFileSync(pathOf("manifest.json"), JSON.stringify(manifest));
    const messages = await messagesOf(image);
    assert.deepEqual(
      messages.map((message) => message.slice(0, 48)),
      [
        "usr.erofs: /usr/.hidden: unexpected file",
        "usr.erofs: /usr/bin/program: expected SHA-256 00",
        "usr.erofs: /usr/zzz: expected as in the manifest",
      ],
    );
  });

  test("SHA-384 digests that the manifest states otherwise are named", async () => {
    fresh();
    const manifest = JSON.parse(readFileSync(pathOf("manifest.json"), "utf8"));
    for (const name of ["bootLoader", "uki", "linux"]) manifest.sha384[name] = "0".repeat(96);
    manifest.sha384.sections.find(({ name }: { name: string }) => name === ".initrd").sha384 = "0".repeat(96);
    writeFileSync(pathOf("manifest.json"), JSON.stringify(manifest));
    const messages = (await messagesOf(image)).filter((message) => !message.startsWith("disk.raw"));
    assert.deepEqual(
      messages.map((message) => message.slice(0, message.indexOf(":"))),
      [
        "uki.efi Authenticode SHA-384",
        "uki.efi kernel's Authenticode SHA-384",
        "uki.efi SHA-384 of the sections",
        "systemd-boot.efi Authenticode SHA-384",
      ],
    );
  });

  test("missing files are named", async () => {
    fresh();
    for (const name of ["usr.verity", "uki.efi", "disk.raw"]) rmSync(pathOf(name));
    const messages = await messagesOf(image);
    assert.ok(messages.includes("usr.verity: is missing"));
    assert.ok(messages.includes("uki.efi: is missing"));
    assert.ok(messages.some((message) => message.startsWith("disk.raw: cannot open")));
  });
});

test("what is no image is refused", async () => {
  await assert.rejects(verifyImage(join(directory, "none")), { code: "not-found" });
  await assert.rejects(verifyImage(directory), { code: "not-found", message: /manifest/u });
  writeFileSync(join(directory, "small.raw"), "x");
  assert.match((await verifyImage(join(directory, "small.raw"))).problems[0]!.message, /expected a disk/u);
  cpSync(join(directory, "small.raw"), join(directory, "zeros.raw"));
  writeFileSync(join(directory, "zeros.raw"), Buffer.alloc(1024 * 1024));
  assert.match((await verifyImage(join(directory, "zeros.raw"))).problems[0]!.message, /protective MBR/u);
});

/** Secure Boot with the owner's keys: one virtual machine enrols them, is proven, and then starts nothing that they have not signed. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { signPe, verifyPe } from "@ashlar/formats";
import { run } from "@ashlar/host";
import { KeyDirectory, type SecureBootKeys } from "@ashlar/keys";
import { openLab, plainText, type Lab } from "@ashlar/lab";
import { differencesOf, EXAMPLE, NODE } from "../e2e/node-lab.ts";
import { ashlar, ashlarWithStatus, OUT, prove, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const NAME = "faults-secure-boot";
const directory = join(OUT, "secure-boot");
const image = join(directory, "image");
const config = join(directory, "required.bu");
/** Where the ESP begins on a disk of ours. */
const ESP_OFFSET_BYTES = 1024 * 1024;
const LOADER = "EFI/BOOT/BOOTX64.EFI";
const UKI = "EFI/Linux/ashlar_1.0.0.efi";
const SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

let lab: Lab;
let owner: SecureBootKeys;
let other: SecureBootKeys;

removeLabOnSignal(NAME);

before(
  async () => {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    owner = await makeKeys("keys");
    other = await makeKeys("other-keys");
    const keys = ["--release-keys", join(directory, "keys"), "--secure-boot-keys", join(directory, "keys")];
    await ashlar("image", "build", "--version", "1.0.0", "--out", image, ...keys);
    const text = await readFile(EXAMPLE, "utf8");
    const policy =
      "    - path: /etc/ashlar/boot.yaml\n      contents:\n        inline: |\n          secureBoot: required\n";
    await writeFile(config, text.trimEnd().concat("\n", policy));
    await ashlar("lab", "down", "--name", NAME);
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  await ashlar("lab", "down", "--name", NAME);
  await rm(directory, { recursive: true, force: true });
});

async function makeKeys(name: string): Promise<SecureBootKeys> {
  const path = join(directory, name);
  await ashlar("release", "init", "--repo", join(directory, `${name}-repository`), "--keys", path);
  return await new KeyDirectory(
    path,
    async () => await Promise.reject(new TypeError("no passphrase")),
  ).secureBootKeys();
}

test("the signed image verifies, and sbverify finds the owner's signature on both programs", async () => {
  await ashlar("image", "verify", image);
  const certificate = join(directory, "keys/secure-boot-db.crt");
  for (const name of ["systemd-boot.efi", "uki.efi"]) {
    await run("sbverify", ["--cert", certificate, join(image, name)]);
    verifyPe(await readFile(join(image, name)), [new X509Certificate(await readFile(certificate))]);
  }
});

test(
  "a class that requires Secure Boot: a machine in set-up mode enrols the keys and is proven",
  { timeout: 60 * MINUTES },
  async () => {
    const options = ["--nodes", "1", "--image", image, "--config", config, "--name", NAME, "--secure-boot", "on"];
    await ashlar("lab", "up", ...options);
    lab = await openLab(NAME);
    assert.match(await consoleOf(), /Custom Secure Boot keys successfully enrolled/u);
    await assertProven();
    assert.equal((await lab.root(NODE, `od -An -tu1 -j4 ${SECURE_BOOT} | tr -d ' '`)).output, "1");
    const explained = await ashlarWithStatus("prove", "--lab", NAME, "--show-firmware", NODE);
    assert.match(explained.stdout.toString("utf8"), /variable SecureBoot/u);
  },
);

for (const [what, path, made, refusal] of [
  ["a boot loader without a signature", LOADER, unsigned, /BdsDxe: failed to load .*Access Denied/u],
  ["a boot loader that another db key has signed", LOADER, signedByOther, /BdsDxe: failed to load .*Access Denied/u],
  ["a UKI without a signature", UKI, unsigned, /Error loading \\EFI\\Linux\\ashlar_1\.0\.0\.efi: Access denied/u],
  [
    "a UKI that another db key has signed",
    UKI,
    signedByOther,
    /Error loading \\EFI\\Linux\\ashlar_1\.0\.0\.efi: Access denied/u,
  ],
] as const) {
  test(`${what} does not start, and the console says so`, { timeout: 60 * MINUTES }, async () => {
    await lab.stop(NODE);
    const original = await readEsp(path);
    await writeEsp(path, made(original));
    await lab.start(NODE, { wait: false });
    await untilConsole(refusal);
    // No kernel has come out of it.
    await sleep(15_000);
    assert.doesNotMatch(await consoleOf(), /Linux version|EFI stub/u);
    await lab.stop(NODE, { force: true });
    await writeEsp(path, original);
  });
}

test(
  "with what the owner has signed back in its place the node starts, and is proven",
  { timeout: 60 * MINUTES },
  async () => {
    await lab.start(NODE, { timeoutMs: 20 * MINUTES });
    await assertProven();
  },
);

test("other keys than those of the release are a mismatch where the class requires Secure Boot", async () => {
  const manifest = JSON.parse(await readFile(join(image, "manifest.json"), "utf8"));
  const db = { certificateSha256: "0".repeat(64), variableSha256: manifest.secureBoot.db.variableSha256 };
  await writeFile(
    join(directory, "manifest.json"),
    JSON.stringify({ ...manifest, secureBoot: { ...manifest.secureBoot, db } }),
  );
  const { status, fleet } = await prove("--lab", NAME, "--image", join(directory, "manifest.json"));
  assert.equal(status, 1);
  assert.match(differencesOf(fleet).join("\n"), /^PCR 7, keys of Secure Boot in db: the owner's alone/mu);
});

test("an image that is not signed is refused for a lab with Secure Boot", async () => {
  const manifest = JSON.parse(await readFile(join(image, "manifest.json"), "utf8"));
  delete manifest.secureBoot;
  const plain = join(directory, "plain");
  await mkdir(plain);
  await writeFile(join(plain, "manifest.json"), JSON.stringify(manifest));
  await writeFile(join(plain, "disk.raw"), "");
  const options = [
    "--nodes",
    "1",
    "--image",
    plain,
    "--config",
    config,
    "--name",
    "faults-unsigned",
    "--secure-boot",
    "on",
  ];
  const { status, stderr } = await ashlarWithStatus("lab", "up", ...options);
  assert.notEqual(status, 0);
  assert.match(stderr, /expected an image that is signed for Secure Boot/u);
});

async function assertProven(): Promise<void> {
  const { status, fleet } = await prove("--lab", NAME);
  assert.deepEqual([differencesOf(fleet), status, fleet.verdict], [[], 0, "proven"]);
  assert.match(fleet.nodes[0]?.notes.join("\n") ?? "", /^Secure Boot is on, with the owner's keys alone: db /mu);
}

/** The same program as nobody has signed it: the certificate table is the end of the file. */
function unsigned(bytes: Buffer): Uint8Array {
  const entry = bytes.readUInt32LE(0x3c) + 24 + 112 + 32;
  const plain = Buffer.from(bytes.subarray(0, bytes.readUInt32LE(entry)));
  plain.fill(0, entry, entry + 8);
  return plain;
}

function signedByOther(bytes: Buffer): Uint8Array {
  const signed = signPe(unsigned(bytes), other.signer);
  assert.throws(() => verifyPe(signed, [owner.parts.db.certificate]), { code: "untrusted" });
  return signed;
}

function espOf(): string {
  return `${lab.nodes[0]?.diskPath}@@${ESP_OFFSET_BYTES}`;
}

async function readEsp(path: string): Promise<Buffer> {
  const { stdout } = await run("mcopy", ["-n", "-i", espOf(), `::${path}`, "-"], { env: { MTOOLSRC: "/dev/null" } });
  return Buffer.from(stdout);
}

async function writeEsp(path: string, bytes: Uint8Array): Promise<void> {
  const source = join(directory, "esp-file");
  await writeFile(source, bytes);
  await run("mcopy", ["-o", "-i", espOf(), source, `::${path}`], { env: { MTOOLSRC: "/dev/null" } });
}

async function consoleOf(): Promise<string> {
  return plainText(await readFile(lab.nodes[0]?.consolePath ?? "", "utf8"));
}

/** The machine is slow when others run beside it, and it says nothing while its firmware looks for a boot option. */
async function untilConsole(pattern: RegExp): Promise<void> {
  const deadline = performance.now() + 20 * MINUTES;
  while (!pattern.test(await consoleOf())) {
    if (performance.now() > deadline)
      assert.fail(`expected ${pattern} on the console, found\n${(await consoleOf()).slice(-2000)}`);
    await sleep(2000);
  }
}

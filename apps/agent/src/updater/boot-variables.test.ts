import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readBootVariables } from "./boot-variables.ts";

const LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const SYSTEMD = "8cf2644b-4b0b-428f-9387-6d876050dc67";
const SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23";

/** What is reported of a firmware that has these variables. */
async function report(variables: Readonly<Record<string, Uint8Array>>): Promise<Record<string, string>> {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-efivars-"));
  try {
    for (const [file, value] of Object.entries(variables)) {
      writeFileSync(join(directory, file), Buffer.concat([Buffer.from([7, 0, 0, 0]), value]));
    }
    return await readBootVariables(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function utf16(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf16le");
}

test("a sound node has none, although its firmware and its boot loader set many", async () => {
  const sound = ["BootOrder", "Boot0001", "Timeout", "SecureBoot"].map((name) => `${name}-${GLOBAL}`);
  const loader = ["LoaderInfo", "LoaderEntrySelected", "LoaderBootCountPath"].map((name) => `${name}-${LOADER}`);
  const files = [...sound, ...loader, `SbatLevelRT-${SHIM}`, `MokListTrusted-${SHIM}`];
  assert.deepEqual(await report(Object.fromEntries(files.map((file) => [file, utf16("x")]))), {});
  assert.deepEqual(await readBootVariables("/nowhere/efivars"), {});
});

test("what decides about a boot is named, with its value", async () => {
  const found = await report({
    [`SystemdOptions-${SYSTEMD}`]: utf16("systemd.mask=ashlar-seal.service"),
    [`HibernateLocation-${SYSTEMD.toUpperCase()}`]: utf16('{"uuid":""}'),
    [`LoaderEntryOneShot-${LOADER}`]: utf16("evil.efi"),
    [`BootNext-${GLOBAL}`]: Buffer.from([1, 0]),
    [`MokListRT-${SHIM}`]: Buffer.from([0xa1, 0x59, 0xc0, 0xa5]),
  });
  assert.deepEqual(found, {
    BootNext: "bytes 0100",
    HibernateLocation: '{"uuid":""}',
    LoaderEntryOneShot: "evil.efi",
    MokListRT: "bytes a159c0a5",
    SystemdOptions: "systemd.mask=ashlar-seal.service",
  });
});

test("a report stays within its limits, whatever names and values there are", async () => {
  const many = Array.from({ length: 40 }, (_, index) => [`A-b_${index}\u{1b}[2J-${SYSTEMD}`, utf16("x")] as const);
  const found = await report({ ...Object.fromEntries(many), [`"-${SYSTEMD}`]: utf16(`\u{1b}[2J${"x".repeat(9000)}`) });
  assert.equal(Object.keys(found).length, 16);
  for (const [name, value] of Object.entries(found)) {
    assert.match(name, /^[0-9A-Za-z]{1,64}$/u);
    assert.match(value, /^[\u{20}-\u{7e}]{1,200}$/u);
  }
  assert.match(found["unnamed"] ?? "", /^bytes 1b00/u);
});

test("the first program of the initrd removes what is reported of systemd and shim", () => {
  const script = readFileSync(join(import.meta.dirname, "../../../../os/initrd/90ashlar/ashlar-first"), "utf8");
  assert.ok(script.includes(`"$variables"/*-${SYSTEMD}`));
  assert.ok(script.includes(`"$variables"/MokList*RT-${SHIM}`));
});

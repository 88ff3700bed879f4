import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { parseFirmwareLog } from "../event-log/firmware-log.ts";
import { parseUserspaceLog } from "../event-log/userspace-log.ts";
import { BOOT_PHASES, expectedPcr11, expectedPcr4, sectionDigests, sha256, wordDigest } from "./expected-pcrs.ts";

const VECTORS = new URL("../../../../test/vectors/tpm/", import.meta.url);
const SYSTEMD_MEASURE = "/usr/lib/systemd/systemd-measure";

test("PCR 4 without Secure Boot is what a real machine had, but for a boot option that returned", () => {
  const log = parseFirmwareLog(readFileSync(new URL("firmware-log-no-secure-boot/binary_bios_measurements", VECTORS)));
  const digests = log.events
    .filter(({ pcr }) => pcr === 4)
    .map((event) => Buffer.from(event.digests.sha256 ?? []).toString("hex"));
  const [bootLoader = "", uki = "", linux = ""] = digests.slice(-3);
  const value = [...digests.slice(0, 2), bootLoader, uki, linux].reduce(
    (pcr, digest) => sha256(Buffer.from(pcr + digest, "hex")),
    "00".repeat(32),
  );
  assert.equal(expectedPcr4({ bootLoader, uki, linux }), value);
});

test("PCR 11 is what real machines had", () => {
  for (const kind of ["no-secure-boot", "secure-boot"]) {
    const read = (name: string): Buffer => readFileSync(new URL(`firmware-log-${kind}/${name}`, VECTORS));
    const firmware = parseFirmwareLog(read("binary_bios_measurements")).events.filter(({ pcr }) => pcr === 11);
    const words = parseUserspaceLog(read("tpm2-measure.log")).events.filter(({ pcr }) => pcr === 11);
    const names = [".linux", ".osrel", ".cmdline", ".initrd", ".uname", ".sbat", ".pcrpkey", ".profile", ".splash"];
    const measured = firmware.map(({ digests }) => Buffer.from(digests.sha256 ?? []).toString("hex"));
    const sections = measured.flatMap((digest, index) => {
      const name = names.find((each) => sha256(`${each}\0`) === digest);
      return index % 2 === 0 ? [{ name: name ?? "", sha256: measured[index + 1] ?? "" }] : [];
    });
    assert.deepEqual(sectionDigests(sections), measured);
    assert.deepEqual(
      words.map(({ word }) => word),
      BOOT_PHASES,
    );
    const found = /^@@pcr 11 ([0-9A-F]+)$/mu.exec(read("pcrs.txt").toString())?.[1]?.toLowerCase();
    assert.equal(expectedPcr11(sections, BOOT_PHASES), found);
    assert.equal(wordDigest("sysinit"), Buffer.from(words[2]?.digests.sha256 ?? []).toString("hex"));
  }
});

test("PCR 11 is what systemd-measure predicts, after each phase", { skip: needs(SYSTEMD_MEASURE) }, () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-measure-"));
  try {
    const contents = { linux: "a kernel", osrel: "ID=x\n", cmdline: "quiet usrhash=00", initrd: "an initrd" };
    const phases = BOOT_PHASES.map((_, index) => BOOT_PHASES.slice(0, index + 1));
    const args = ["calculate", "--bank=sha256", "--json=short", ...phases.map((path) => `--phase=${path.join(":")}`)];
    for (const [name, text] of Object.entries(contents)) {
      writeFileSync(join(directory, name), text);
      args.push(`--${name}=${join(directory, name)}`);
    }
    const { status, stdout, stderr } = spawnSync(SYSTEMD_MEASURE, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const predicted: { sha256: { hash: string }[] } = JSON.parse(stdout);
    const sections = Object.entries(contents).map(([name, text]) => ({ name: `.${name}`, sha256: sha256(text) }));
    assert.deepEqual(
      predicted.sha256.map(({ hash }) => hash).toSorted(),
      phases.map((path) => expectedPcr11(sections, path)).toSorted(),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

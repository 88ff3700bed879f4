import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { judgeNextBoot, type JudgedNextBoot } from "./judge-next-boot.ts";
import { testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import type { NextBootReport, SlotReport } from "@ashlar/protocol";

const OLD = testRelease("1.0.0");
const NEW = testRelease("1.1.0");
const RELEASES = [OLD, NEW];
/** As after staging 1.1.0 on a node that runs 1.0.0. */
const STAGED = testNextBootReport([
  [OLD, "ashlar_1.0.0.efi"],
  [NEW, "ashlar_1.1.0+3-0.efi"],
]);
const EVIL = sha256("evil");

function judge(change: Partial<NextBootReport> = {}, releases = RELEASES, running = OLD): JudgedNextBoot {
  return judgeNextBoot({ ...STAGED, ...change }, { releases, running });
}

const withFile = (path: string, digest: string = EVIL): Partial<NextBootReport> => ({
  espFiles: [...STAGED.espFiles, { path, sizeBytes: 1, sha256: digest }],
});
const withoutFile = (path: string): Partial<NextBootReport> => ({
  espFiles: STAGED.espFiles.filter((each) => each.path !== path),
});
const replaced = (path: string, digest: string = EVIL): Partial<NextBootReport> => ({
  espFiles: [...withoutFile(path).espFiles!, { path, sizeBytes: 1, sha256: digest }],
});
const renamed = (from: string, to: string): Partial<NextBootReport> => ({
  espFiles: STAGED.espFiles.map((each) => ({ ...each, path: each.path === from ? to : each.path })),
});
const withSlot = (version: string, change: Partial<SlotReport>): Partial<NextBootReport> => ({
  slots: STAGED.slots.map((slot) => (slot.label === `ashlar_${version}` ? { ...slot, ...change } : slot)),
});

/** Asserts the level, and that these differ: patterns for `what: expected / found`, one each, in order. */
function assertJudged(judged: JudgedNextBoot, level: JudgedNextBoot["level"], ...patterns: readonly RegExp[]): void {
  const differences = judged.differences.map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
  assert.equal(judged.level, level, differences.join("\n"));
  assert.equal(differences.length, patterns.length, differences.join("\n"));
  for (const [index, pattern] of patterns.entries()) assert.match(differences[index] ?? "", pattern);
}

test("a staged release boots next, the running one is its fallback", () => {
  assert.deepEqual(judge(), {
    release: "1.1.0",
    level: "proven",
    differences: [],
    fallback: { release: "1.0.0", state: "intact" },
    notes: [],
  });
});

test("a release with no tries left does not boot, and is no fallback", () => {
  for (const counters of ["+0-3", "+0-0"]) {
    const judged = judge(renamed("EFI/Linux/ashlar_1.1.0+3-0.efi", `EFI/Linux/ashlar_1.1.0${counters}.efi`));
    assert.deepEqual([judged.level, judged.release, judged.fallback], ["proven", "1.0.0", null]);
  }
  const neither = {
    espFiles: STAGED.espFiles.map(({ path, ...rest }) => ({
      ...rest,
      path: path.replace(/(?:\+3-0)?\.efi$/u, "+0-3.efi"),
    })),
  };
  assert.equal(judge(neither).release, "1.1.0");
});

test("each thing that decides about the next boot is named when it is wrong", () => {
  const changes: readonly (readonly [Partial<NextBootReport>, RegExp])[] = [
    [replaced("EFI/BOOT/BOOTX64.EFI"), /^EFI\/BOOT\/BOOTX64.EFI: systemd-boot of a known release \/ sha256/u],
    [withoutFile("EFI/systemd/systemd-bootx64.efi"), /^EFI\/systemd\/systemd-bootx64.efi: .* \/ no such file$/u],
    [replaced("loader/loader.conf"), /^loader\/loader.conf: "timeout 0/u],
    [{ loaderConfig: "default x\n" }, /^loader\/loader.conf: "timeout 0\\neditor no\\n" \/ "default x\\n"$/u],
    [withoutFile("loader/loader.conf"), /^loader\/loader.conf/u],
    [{ loaderVariables: { LoaderEntryOneShot: "x.efi" } }, /^EFI variable LoaderEntryOneShot: none \/ "x.efi"$/u],
    [withFile("loader/entries/x.conf"), /^file loader\/entries\/x.conf on the ESP: no such file \/ sha256/u],
    [withFile("EFI/systemd/drivers/x.efi"), /^file EFI\/systemd\/drivers/u],
    [withFile("EFI/Linux/ashlar_1.1.0.efi.extra.d/x.addon.efi"), /^file EFI\/Linux\/ashlar_1.1.0.efi.extra.d/u],
    [withFile("loader/credentials/x.cred"), /^file loader\/credentials/u],
    [withFile("loader/keys/auto/db.auth"), /^file loader\/keys/u],
    [withFile("EFI/Linux/debian.efi"), /^file EFI\/Linux\/debian.efi/u],
    [withFile("EFI/Linux/ashlar_9.0.0.EFI"), /^file EFI\/Linux\/ashlar_9.0.0.EFI/u],
    [withFile("EFI/Linux/ashlar_9.0.0.efi"), /^boot entry EFI\/Linux\/ashlar_9.0.0.efi: of a known release \/ sha256/u],
    [replaced("EFI/Linux/ashlar_1.0.0.efi"), /^boot entry EFI\/Linux\/ashlar_1.0.0.efi: sha256 .* \/ sha256/u],
    [replaced("EFI/Linux/ashlar_1.1.0+3-0.efi"), /^boot entry EFI\/Linux\/ashlar_1.1.0\+3-0.efi: sha256/u],
    [
      withFile("EFI/Linux/ashlar_0.9.0.efi", NEW.uki.sha256),
      /^boot entry EFI\/Linux\/ashlar_0.9.0.efi: the release in its name \/ 1.1.0$/u,
    ],
    [withSlot("1.1.0", { hashPartitionUuid: OLD.usr.hashPartitionUuid }), /^slot of 1.1.0: one with .* \/ none$/u],
    [{ slots: [...STAGED.slots, ...STAGED.slots] }, /^slot of 1.1.0: one with .* \/ 2 of them$/u],
    [
      withSlot("1.1.0", { rootHash: EVIL }),
      new RegExp(`^slot of 1.1.0: root hash ${NEW.usr.rootHash} / ${EVIL}$`, "u"),
    ],
    [withSlot("1.1.0", { rootHash: null }), /^slot of 1.1.0: root hash .* \/ no hash tree$/u],
    [withSlot("1.1.0", { badBlocks: 1 }), /^slot of 1.1.0: every block as released \/ 1 bad block$/u],
    [withSlot("1.1.0", { badBlocks: 7 }), /7 bad blocks$/u],
  ];
  for (const [change, pattern] of changes) assertJudged(judge(change), "mismatch", pattern);
});

test("a disk without any entry boots nothing", () => {
  const espFiles = STAGED.espFiles.filter(({ path }) => !path.startsWith("EFI/Linux/"));
  const judged = judge({ espFiles });
  assertJudged(judged, "mismatch", /^boot entry: one of a known release \/ none$/u);
  assert.deepEqual([judged.release, judged.fallback], [null, null]);
});

test("a next release that is not known is a mismatch, an old one leaves it open", () => {
  const next = judge({}, [OLD]);
  assertJudged(next, "mismatch", /^boot entry EFI\/Linux\/ashlar_1.1.0\+3-0.efi: of a known release/u);
  assert.equal(next.release, null);
  // What is in the UKI decides about its place, and only its release would tell that.
  const old = judge({}, [NEW]);
  assertJudged(old, "unknown", /^boot entry EFI\/Linux\/ashlar_1.0.0.efi: of a known release/u);
  assert.deepEqual([old.release, old.fallback], ["1.1.0", null]);
});

test("blocks that nobody has read leave a new release open, but not the running one", () => {
  for (const change of [{ badBlocks: null }, { readAt: null }]) {
    assertJudged(judge(withSlot("1.1.0", change)), "unknown", /^slot of 1.1.0: every block read .* \/ not read yet$/u);
    assertJudged(judge(withSlot("1.1.0", change), RELEASES, NEW), "proven");
    assert.equal(judge(withSlot("1.0.0", change)).fallback?.state, "unread");
  }
});

test("a damaged fallback is named, and is no mismatch of the next boot", () => {
  const judged = judge(withSlot("1.0.0", { badBlocks: 1 }));
  assertJudged(judged, "proven");
  assert.deepEqual(judged.fallback, { release: "1.0.0", state: "damaged" });
});

test("systemd-boot of any known release will do", () => {
  const other = { ...OLD, bootLoader: { ...OLD.bootLoader, sha256: sha256("another systemd-boot") } };
  assertJudged(judge(replaced("EFI/BOOT/BOOTX64.EFI", other.bootLoader.sha256), [other, NEW]), "proven");
});

test("systemd-boot of another release is named, and what becomes of it", () => {
  const withLoader = (version: string, digest: string): typeof OLD => {
    const release = testRelease(version);
    return { ...release, bootLoader: { ...release.bootLoader, sha256: digest } };
  };
  const [before, old, newer] = [withLoader("0.9.0", EVIL), withLoader("1.0.0", EVIL), withLoader("2.0.0", EVIL)];
  const [first, second] = ["EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"];
  const both = {
    espFiles: [
      ...replaced(first).espFiles!.filter(({ path }) => path !== second),
      ...replaced(second).espFiles!.slice(-1),
    ],
  };
  for (const change of [both, replaced(first), replaced(second)]) {
    const judged = judge(change, [before, old, NEW]);
    assertJudged(judged, "proven");
    assert.deepEqual(judged.notes, [
      "systemd-boot on the ESP is that of 0.9.0, 1.0.0; 1.1.0 puts its own in place once it was found healthy",
    ]);
  }
  assert.deepEqual(judge(both, [OLD, NEW, newer]).notes, [
    "systemd-boot on the ESP is that of 2.0.0, and stays when 1.1.0 runs",
  ]);
  assert.deepEqual(judge(both, [OLD, NEW]).notes, [], "nobody's is a mismatch");
});

test("a loader that a power cut has left unfinished is nobody's to start", () => {
  for (const path of ["EFI/BOOT/.loader.new", "efi/systemd/.LOADER.NEW"]) assertJudged(judge(withFile(path)), "proven");
  for (const path of ["EFI/Linux/x/.loader.new", "loader/.loader.new", "EFI/BOOT/loader.new"]) {
    assertJudged(judge(withFile(path)), "mismatch", /^file /u);
  }
});

test("files that systemd-boot passes over, and FAT's own ideas of case, change nothing", () => {
  assertJudged(judge(withFile("EFI/Linux/.#sysupdateashlar_1.2.0.efi0123")), "proven");
  assertJudged(judge(renamed("EFI/BOOT/BOOTX64.EFI", "efi/boot/bootx64.efi")), "proven");
  assertJudged(judge(withFile("loader/.hidden")), "mismatch", /^file loader\/.hidden/u);
});

test("a report full of rubbish is cut short", () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ path: `loader/${index}`, sizeBytes: 1, sha256: EVIL }));
  assert.equal(judge({ espFiles: [...STAGED.espFiles, ...many] }).differences.length, 16);
});

test("what enrols the owner's keys is right as the release has it, and nothing else is", () => {
  const key = (name: string) => ({ certificateSha256: sha256(`${name}.crt`), variableSha256: sha256(`${name}.auth`) });
  const signed = [{ ...NEW, secureBoot: { PK: key("PK"), KEK: key("KEK"), db: key("db") } }, OLD];
  const enrolling = ["PK", "KEK", "db"].map((name) =>
    withFile(`loader/keys/auto/${name}.auth`, sha256(`${name}.auth`)),
  );
  for (const change of enrolling) {
    assertJudged(judge(change, signed), "proven");
    assertJudged(judge(change), "mismatch", /^file loader\/keys\/auto\/\w+\.auth on the ESP: no such file \/ sha256/u);
  }
  for (const path of ["loader/keys/auto/PK.auth", "loader/keys/auto/dbx.auth", "loader/keys/other/db.auth"]) {
    assertJudged(judge(withFile(path, sha256("db.auth")), signed), "mismatch", /^file loader\/keys/u);
  }
  const text = "timeout 0\neditor no\nsecure-boot-enroll force\n";
  const forced = { ...replaced("loader/loader.conf", sha256(text)), loaderConfig: text };
  assertJudged(judge(forced, signed), "proven");
  assertJudged(judge(forced), "mismatch", /^loader\/loader\.conf/u);
});

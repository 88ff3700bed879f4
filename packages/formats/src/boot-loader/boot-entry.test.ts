import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bootEntryId, bootEntryVersion, formatBootEntryName, parseBootEntryName } from "./boot-entry.ts";

test("counters in names", () => {
  const id = "ashlar_1.1.0.efi";
  assert.deepEqual(parseBootEntryName("ashlar_1.1.0.efi"), { id });
  assert.deepEqual(parseBootEntryName("ashlar_1.1.0+3-0.efi"), { id, tries: { left: 3, done: 0 } });
  assert.deepEqual(parseBootEntryName("ashlar_1.1.0+2-1.efi"), { id, tries: { left: 2, done: 1 } });
  assert.deepEqual(parseBootEntryName("ashlar_1.1.0+0-3.efi"), { id, tries: { left: 0, done: 3 } });
  assert.deepEqual(parseBootEntryName("ashlar_1.1.0+3.efi"), { id, tries: { left: 3, done: 0 } });
  assert.deepEqual(parseBootEntryName("a+1+02-007.EFI"), { id: "a+1.EFI", tries: { left: 2, done: 7 } });
});

test("names without counters, or with none that systemd-boot can read", () => {
  for (const id of [
    "a+.efi",
    "a+3-.efi",
    "a+3-1x.efi",
    "a+x3.efi",
    "a+3-1-1.efi",
    "a+-1.efi",
    "+3-0efi.efi",
    "a3-0.efi",
  ]) {
    assert.deepEqual(parseBootEntryName(id), { id });
  }
  for (const id of ["a+2147483648.efi", "a+1-2147483648.efi", "a+99999999999999999999.efi"]) {
    assert.deepEqual(parseBootEntryName(id), { id });
  }
  assert.deepEqual(parseBootEntryName("a+2147483647.efi")?.tries, { left: 2_147_483_647, done: 0 });
});

test("files that are no entries", () => {
  for (const name of [
    "",
    "ashlar_1.0.0",
    ".hidden.efi",
    "auto-x.efi",
    "AUTO-x.efi",
    "a.efi.old",
    `${"a".repeat(300)}.efi`,
  ]) {
    assert.equal(parseBootEntryName(name), undefined, name);
  }
});

test("a name is found again from its parts; any text is read", () => {
  const tries = fc.option(
    fc.tuple(fc.nat(), fc.nat()).map(([left, done]) => ({ left, done })),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z.~^-]{0,20}$/u), tries, (version, counters) => {
      const name = { id: bootEntryId(version), ...(counters === undefined ? {} : { tries: counters }) };
      assert.deepEqual(parseBootEntryName(formatBootEntryName(name)), name);
      assert.equal(bootEntryVersion(name.id), version);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => (parseBootEntryName(`${text}.efi`), bootEntryVersion(text), true)));
});

test("only Ashlar's ids name a version", () => {
  for (const id of [
    "debian_1.0.0.efi",
    "ashlar_.efi",
    "ashlar_1.0.0",
    "ashlar_1_0.efi",
    "xashlar_1.efi",
    "ashlar_1.EFI",
  ]) {
    assert.equal(bootEntryVersion(id), undefined, id);
  }
});

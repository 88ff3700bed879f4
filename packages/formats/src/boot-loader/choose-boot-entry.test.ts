import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBootEntryName } from "./boot-entry.ts";
import { ashlarEntry, chooseBootEntry, renamesToBoot, sortBootEntries } from "./choose-boot-entry.ts";

const entries = (...names: readonly string[]) => names.flatMap((name) => ashlarEntry(name) ?? []);
const chosen = (...names: readonly string[]): string | undefined => chooseBootEntry(entries(...names))?.fileName;

test("the newest entry that is not bad", () => {
  assert.equal(chosen("ashlar_1.9.0.efi", "ashlar_1.10.0+3-0.efi"), "ashlar_1.10.0+3-0.efi");
  assert.equal(chosen("ashlar_1.9.0.efi", "ashlar_1.10.0+1-2.efi"), "ashlar_1.10.0+1-2.efi");
  assert.equal(chosen("ashlar_1.9.0.efi", "ashlar_1.10.0+0-3.efi"), "ashlar_1.9.0.efi");
  assert.equal(chosen("ashlar_1.9.0+0-3.efi", "ashlar_1.10.0+0-0.efi"), "ashlar_1.10.0+0-0.efi");
  assert.equal(chosen("ashlar_1.1.0~rc1.efi", "ashlar_1.1.0.efi"), "ashlar_1.1.0.efi");
  assert.equal(chosen("not an entry"), undefined);
});

test("bad entries come last; else sort key decides, then version, file name, tries", () => {
  const entry = (fileName: string, sortKey = "b", version = "2") => ({ fileName, sortKey, version });
  const ordered = [
    entry("z+1.efi", "a", "1"),
    entry("A.efi", "b", "3"),
    entry("c+1-1.efi"),
    entry("b+2-2.efi"),
    entry("B+2-3.efi"),
    entry("b+1-0.efi"),
    entry("y+0-1.efi", "a", "9"),
  ];
  assert.deepEqual(sortBootEntries(ordered.toReversed()), ordered);
  assert.deepEqual(sortBootEntries([entry(".hidden.efi"), entry("text")]), []);
});

test("as bootctl 257.13 lists UKIs with these names, sort keys and versions", () => {
  const listed = [
    { fileName: "ashlar_1.10.0+3-0.efi", sortKey: "ashlar", version: "1.10.0" },
    { fileName: "ashlar_1.9.0.efi", sortKey: "ashlar", version: "1.9.0" },
    { fileName: "zz+1.efi", sortKey: "bbb", version: "0.1" },
    { fileName: "ashlar_1.12.0+0-0.efi", sortKey: "ashlar", version: "1.12.0" },
  ];
  assert.deepEqual(sortBootEntries(listed.toReversed()), listed);
});

test("roll back, roll forward, retry", () => {
  assert.deepEqual(renamesToBoot("1.0.0", ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi"]), [
    { from: "ashlar_1.1.0.efi", to: "ashlar_1.1.0+0-0.efi" },
  ]);
  assert.deepEqual(renamesToBoot("1.1.0", ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-0.efi"]), [
    { from: "ashlar_1.1.0+0-0.efi", to: "ashlar_1.1.0+3-0.efi" },
  ]);
  assert.deepEqual(renamesToBoot("1.0.0", ["ashlar_1.0.0+0-3.efi", "ashlar_1.1.0+2-1.efi"]), [
    { from: "ashlar_1.0.0+0-3.efi", to: "ashlar_1.0.0+3-0.efi" },
    { from: "ashlar_1.1.0+2-1.efi", to: "ashlar_1.1.0+0-0.efi" },
  ]);
  assert.deepEqual(renamesToBoot("1.0.0", ["ashlar_1.0.0.efi", "ashlar_1.1.0+0-3.efi"]), []);
  assert.equal(renamesToBoot("1.2.0", ["ashlar_1.0.0.efi", "ashlar_1.1.0.efi"]), undefined);
});

test("after any rename of the way something boots, and at its end the wanted version", () => {
  const version = fc.constantFrom("1.0.0", "1.1.0", "1.1.0~rc1", "2");
  const counters = fc.constantFrom("", "+3-0", "+1-2", "+0-0", "+0-3");
  const names = fc
    .uniqueArray(fc.tuple(version, counters), { minLength: 1, maxLength: 4, selector: ([first]) => first })
    .map((all) => all.map(([name, tries]) => `ashlar_${name}${tries}.efi`));
  fc.assert(
    fc.property(names, version, (files, wanted) => {
      const renames = renamesToBoot(wanted, files);
      assert.equal(renames === undefined, !entries(...files).some((entry) => entry.version === wanted));
      let now = files;
      let hadGood = files.some(isGood);
      for (const { from, to } of renames ?? []) {
        assert.ok(now.includes(from) && !now.includes(to));
        now = now.map((name) => (name === from ? to : name));
        assert.ok(!hadGood || now.some(isGood));
        hadGood = now.some(isGood);
      }
      if (renames === undefined) return;
      const first = chooseBootEntry(entries(...now));
      assert.equal(first?.version, wanted);
      assert.ok(isGood(first?.fileName ?? ""));
      assert.deepEqual(renamesToBoot(wanted, now), []);
    }),
  );
});

function isGood(fileName: string): boolean {
  return parseBootEntryName(fileName)?.tries?.left !== 0;
}

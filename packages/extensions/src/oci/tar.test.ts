import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { Layers } from "./layers.ts";
import { entriesOf, header, tarOf } from "./test-archives.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-oci-"));
after(() => rmSync(directory, { recursive: true }));

const SCRIPT = `
mkdir -p usr/bin usr/lib/${"d".repeat(90)}; echo hello > usr/bin/hello; chmod 755 usr/bin/hello
ln usr/bin/hello usr/bin/again; ln -s ../bin/hello usr/lib/link; echo deep > usr/lib/${"d".repeat(90)}/${"f".repeat(90)}
`;

for (const format of ["ustar", "gnu", "pax"]) {
  test(`GNU tar's archives: ${format}`, () => {
    const entries = entriesOf(tarOf(SCRIPT, `--format=${format}`));
    const first = entries.find(({ type }) => type === "hard-link");
    assert.deepEqual(
      entries.map(({ path, type }) => `${type} ${path}`).toSorted(),
      [
        "directory ",
        "directory usr",
        "directory usr/bin",
        "directory usr/lib",
        `directory usr/lib/${"d".repeat(90)}`,
        "file usr/bin/again",
        `file usr/lib/${"d".repeat(90)}/${"f".repeat(90)}`,
        "hard-link usr/bin/hello",
        "link usr/lib/link",
      ].toSorted(),
    );
    assert.equal(first?.linkTarget, "./usr/bin/again");
    assert.equal(entries.find(({ type }) => type === "link")?.linkTarget, "../bin/hello");
    assert.equal(entries.find(({ path }) => path === "usr/bin/again")?.mode, 0o755);
  });
}

test("malformed archives: each field", () => {
  const end = Buffer.alloc(1024);
  assert.equal(entriesOf(Buffer.concat([header({}), end]))[0]?.path, "usr/a");
  const malformed: readonly [readonly Buffer[], RegExp][] = [
    [[header({}).subarray(0, 511)], /header of 512 bytes/u],
    [[header({ path: "usr/../../etc/passwd" })], /path inside the archive/u],
    [[header({ flag: "V" })], /known type of entry/u],
    [[header({ size: "00000001000\0" })], /512 bytes of content, found the end/u],
    [[header({ size: "9999\0" })], /octal digits/u],
    [[header({ sum: "000001\0 " })], /checksum/u],
    [[header({ flag: "x", size: "00000000010\0" }), pad("3 a=b\n")], /pax records/u],
    [[header({ flag: "x", size: "00000000011\0" }), pad("9 size=x\n")], /size: expected a decimal/u],
    [[header({ flag: "L", size: "00000000006\0" }), pad("../../x"), header({})], /path inside the archive/u],
  ];
  for (const [blocks, message] of malformed) {
    assert.throws(() => entriesOf(Buffer.concat(blocks)), { code: "malformed", message });
  }
  const long = [header({ flag: "L", size: "00010000000\0" }), Buffer.alloc(2 ** 21)];
  assert.throws(() => entriesOf(Buffer.concat(long)), { code: "limit" });
});

test("a size in base 256", () => {
  const bytes = header({ size: "\0".repeat(12) });
  bytes[124] = 0x80;
  bytes[135] = 3;
  bytes.fill(" ", 148, 156);
  bytes.write(
    `${bytes
      .reduce((total, byte) => total + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  assert.equal(entriesOf(Buffer.concat([bytes, pad("abc")]))[0]?.sizeBytes, 3);
});

test("fuzz: an archive gives entries or an AshlarError", () => {
  const seeds = ["gnu", "pax"].map((format) => tarOf(SCRIPT, `--format=${format}`));
  const edit = fc.tuple(fc.nat(8000), fc.nat(255));
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }), (seed, edits) => {
      const bytes = Buffer.from(seed);
      for (const [offset, value] of edits) bytes[offset % bytes.length] = value;
      try {
        new Layers().add(entriesOf(bytes));
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});

test("a tar archive's link targets and extended headers have limits", () => {
  const target = (bytes: number): Buffer[] => {
    const text = "a".repeat(bytes);
    return [header({ flag: "K", size: `${bytes.toString(8).padStart(11, "0")}\0` }), pad(text), header({ flag: "2" })];
  };
  assert.equal(entriesOf(Buffer.concat(target(4096)))[0]?.linkTarget.length, 4096);
  assert.throws(() => entriesOf(Buffer.concat(target(4097))), { code: "malformed", message: /link's target/u });
  const record = "27 SCHILY.xattr.user.a=bbb\n";
  const attribute = [header({ flag: "x", size: "00000000033\0" }), pad(record)];
  const entries = entriesOf(Buffer.concat([...attribute, ...attribute, header({})]));
  assert.deepEqual(entries[0]?.attributes, ["user.a"]);
});

/** Content of an archive: whole blocks. */
function pad(text: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  bytes.write(text);
  return bytes;
}

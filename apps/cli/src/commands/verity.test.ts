import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const directory = mkdtempSync(join(tmpdir(), "ashlar-verity-"));
after(() => rmSync(directory, { recursive: true }));
const [data, hash] = [join(directory, "data"), join(directory, "hash")];
const UUID = "01234567-89ab-cdef-0123-456789abcdef";
/** What `veritysetup format --salt=aa` prints for 200,000 bytes of value 7. */
const ROOT_HASH = "6c7f803690a840bafb3ef85d1698a095adf09903898aa30784b13fada4dd9fd0";

function ashlar(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../main.ts");
  return spawnSync(process.execPath, [main, "verity", ...args], { encoding: "utf8" });
}

test("format says the root hash and warns of what is not covered; verify names the first bad block", () => {
  writeFileSync(data, Buffer.alloc(200_000, 7));
  const formatted = ashlar("format", data, hash, "--salt", "aa", "--uuid", UUID.toUpperCase(), "--json");
  assert.equal(formatted.status, 0);
  const { rootHash, uuid, salt, dataBlocks } = JSON.parse(formatted.stdout);
  assert.deepEqual([rootHash, uuid, salt, dataBlocks], [ROOT_HASH, UUID, "aa", 48]);
  assert.match(formatted.stderr, /^warning: the last 3392 bytes of .* not covered\n$/u);

  const verified = ashlar("verify", data, hash, ROOT_HASH.toUpperCase());
  assert.equal(verified.stdout, "verified: 48 data blocks and their hash tree match the root hash\n");
  assert.equal(verified.status, 0);

  writeSync(openSync(data, "r+"), "x", 5 * 4096 + 1);
  const damaged = ashlar("verify", data, hash, ROOT_HASH);
  assert.equal(damaged.status, 1);
  assert.equal(
    damaged.stdout,
    "data: block 5 (offset 20480) does not match the hash tree\n" +
      "not verified: 1 of 48 data blocks do not match the hash tree\n",
  );
  const { verified: isVerified, problems } = JSON.parse(ashlar("verify", data, hash, ROOT_HASH, "--json").stdout);
  assert.deepEqual([isVerified, problems], [false, [{ kind: "data-block", block: 5, offsetBytes: 20_480 }]]);
});

test("bad arguments end with status 64 and bad files with 65, 66 or 69, without a stack", () => {
  writeFileSync(data, Buffer.alloc(8192));
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["format", data, hash, "--salt", "xyz"], 64, /^error: expected --salt with 1 to 256 bytes/u],
    [["format", data, hash, "--uuid", "1"], 64, /^error: expected --uuid like/u],
    [["format", data, hash, "--data-block-size", "1000"], 64, /^error: expected a block size/u],
    [["format", data], 64, /missing required argument 'hash'/u],
    [["format", join(directory, "none"), hash], 66, /^error: cannot open .*none: ENOENT\n$/u],
    [["format", data, data], 65, /^error: .*: expected another file than the data\n$/u],
    [["verify", data, data, "00"], 65, /^error: verity superblock at offset 8: signature/u],
  ];
  for (const [args, status, message] of cases) {
    const found = ashlar(...args);
    assert.deepEqual([found.status, found.stdout], [status, ""], args.join(" "));
    assert.match(found.stderr, message);
  }
});

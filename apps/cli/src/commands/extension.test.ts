import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";

/** A system extension made by systemd-repart 257. */
const VECTORS = join(import.meta.dirname, "../../../../test/vectors/ddi");
const CERTIFICATE = join(VECTORS, "signer.crt");
const directory = mkdtempSync(join(tmpdir(), "ashlar-extension-"));
after(() => rmSync(directory, { recursive: true }));
const image = join(directory, "hello-v1.2.3-x86-64.raw");
const bytes = gunzipSync(readFileSync(join(VECTORS, "hello-v1.2.3-x86-64.raw.gz")));
writeFileSync(image, bytes);

function ashlar(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../main.ts");
  return spawnSync(process.execPath, [main, "extension", ...args], { encoding: "utf8" });
}

test("inspect shows what an image is and holds", () => {
  const { status, stdout } = ashlar("inspect", image);
  assert.equal(status, 0);
  assert.match(stdout, /^extension: +sysext hello v1\.2\.3\ntier: +unknown: no manifest/u);
  assert.match(stdout, /\nhosts: +ashlar, level 1\.0\nroot hash: +[0-9a-f]{64}\n/u);
  assert.match(stdout, /\nreplaces: +\/usr\/bin\/hello\nrestarts: +hello\.service\n/u);
  const { name, files, image: stated } = JSON.parse(ashlar("inspect", image, "--json").stdout);
  assert.deepEqual([name, files.length, stated.partitions.data.number], ["hello", 6, 1]);
});

test("verify ends with 0 when all is as signed, with 1 and the place when it is not", () => {
  const whole = ashlar("verify", image, "--certificate", CERTIFICATE);
  assert.equal(whole.status, 0, whole.stderr + whole.stdout);
  assert.match(whole.stdout, /not checked: size, SHA-256 and files .*\n.*hello v1\.2\.3 is as it was signed/u);
  const damaged = join(directory, "damaged.raw");
  const changed = Buffer.from(bytes);
  const offset = 20_480 + 4096 * 2 + 9;
  changed[offset] = (changed[offset] ?? 0) ^ 1;
  writeFileSync(damaged, changed);
  const { status, stdout } = ashlar("verify", damaged, "--certificate", CERTIFICATE, "--json");
  assert.equal(status, 1);
  assert.match(JSON.parse(stdout).problems[0].message, /partition 1 \(data\): block 2 is not as released \(\/usr\//u);
});

test("diff of an image with itself is empty", () => {
  const { files, packages } = JSON.parse(ashlar("diff", image, image, "--json").stdout);
  assert.deepEqual(files, { added: [], removed: [], changed: [] });
  assert.equal(packages, null);
  assert.match(ashlar("diff", image, image).stdout, /^hello v1\.2\.3 -> hello v1\.2\.3\n {2}size: .* bytes \(0\)\n/u);
});

test("bad arguments end with status 64 and bad files with 65, 66 or 69, without a stack", () => {
  const build = ["build", "--keys", directory, "--out", directory];
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["verify", image], 64, /expected --keys or --certificate, found neither\nhint: /u],
    [build, 64, /expected one of --from, --deb, --oci, --butane and --recipe, found 0/u],
    [[...build, "--from", "a", "--oci", "b"], 64, /found 2/u],
    [[...build, "--from", "a"], 64, /expected --name, found none/u],
    [[...build, "--from", "a", "--name", "tools"], 64, /expected --version, found none/u],
    [[...build, "--recipe", "nothing"], 66, /expected a recipe .*nothing\/recipe\.yaml, found none/u],
    [["verify", join(directory, "none"), "--certificate", CERTIFICATE], 66, /cannot open .*none: ENOENT/u],
    [["verify", image, "--certificate", image], 65, /expected a certificate in PEM/u],
    [["inspect", CERTIFICATE], 65, /DDI: expected room for a partition table/u],
  ];
  for (const [args, status, message] of cases) {
    const found = ashlar(...args);
    assert.equal(found.status, status, found.stderr);
    assert.match(found.stderr, message);
    assert.doesNotMatch(found.stderr, /\n {4}at /u);
  }
});

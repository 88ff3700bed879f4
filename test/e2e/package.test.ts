/** The Debian package, installed in fresh systems by their own apt, and used there: no checkout, no npm, no Node.js. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { run, runForText } from "@ashlar/host";

const ROOT = resolve(import.meta.dirname, "../..");
const MIRROR = "http://deb.debian.org/debian";
const skip = needs("mmdebstrap", "dpkg-deb");

/** What is done in the new system, and what its output must be. */
const CHECKS: readonly (readonly [name: string, script: string, expected: RegExp])[] = [
  ["version", "ashlar --version", /^\d+\.\d+\.\d+\n$/u],
  ["help", "ashlar lab up --help", /^Usage: ashlar lab up /u],
  [
    "verity",
    'cd /tmp && head -c 1048576 /dev/zero > data && ashlar verity format data hash --salt - --json && ashlar verity verify data hash "$(ashlar verity format data again --salt - --json | sed -n \'s/.*"rootHash": "\\([0-9a-f]*\\)".*/\\1/p\')" && echo held',
    /"rootHash": "[0-9a-f]{64}"[\s\S]*held\n$/u,
  ],
  [
    "butane",
    "printf 'variant: flatcar\\nversion: 1.0.0\\n' | ashlar butane",
    /^\{"ignition":\{"version":"3\.3\.0"\}\}/u,
  ],
  ["setup", "ashlar setup --check 2>&1; echo status $?", /mmdebstrap[\s\S]*status \d+\n$/u],
  [
    "console",
    "cd /tmp; ashlar console --listen 0.0.0.0:1 --from /nothing 2>&1; ashlar console --from /nothing 2>&1",
    /expected an address of this machine alone[\s\S]*found no fleet\.json/u,
  ],
  ["manual", "zcat /usr/share/man/man1/ashlar-verity-format.1.gz", /^\.TH "ASHLAR\\-VERITY\\-FORMAT" 1 /u],
  ["completion", "bash -c '. /usr/share/bash-completion/completions/ashlar; complete -p ashlar'", /_ashlar ashlar\n$/u],
  ["as another user", "su nobody -s /bin/sh -c 'HOME=/nonexistent ashlar --version'", /^\d+\.\d+\.\d+\n$/u],
  [
    "removed",
    "dpkg --purge ashlar >/dev/null 2>&1; ls /usr/lib/ashlar 2>&1; echo",
    /^(?:ls: [^\n]*No such file[^\n]*\n)?\n$/u,
  ],
];

const directory = mkdtempSync(join(tmpdir(), "ashlar-package-"));
after(() => rmSync(directory, { recursive: true }));

test("one command makes the package", { skip }, async () => {
  const printed = await runForText(process.execPath, [join(ROOT, "tools/package.ts"), "--out", directory]);
  assert.match(printed, /\/ashlar_\d+\.\d+\.\d+_amd64\.deb$/u);
  await copyFile(printed, join(directory, "ashlar.deb"));
});

for (const suite of ["bookworm", "trixie"]) {
  test(`the package installs on ${suite}, works there, and goes without a trace`, { skip }, async () => {
    const results = join(directory, suite);
    await mkdir(results);
    const hooks = [
      "copy-in ashlar.deb /tmp",
      'chroot "$1" apt-get --yes --no-install-recommends install /tmp/ashlar.deb',
    ];
    for (const [index, [, script]] of CHECKS.entries()) {
      await writeFile(join(directory, `${index}.sh`), script);
      hooks.push(`cp ${index}.sh "$1/tmp/check.sh"; chroot "$1" sh /tmp/check.sh > ${suite}/${index} || true`);
    }
    const customize = hooks.flatMap((hook) => ["--customize-hook", hook]);
    await run("mmdebstrap", ["--variant=apt", "--format=null", ...customize, suite, "/dev/null", MIRROR], {
      cwd: directory,
    });
    for (const [index, [name, , expected]] of CHECKS.entries())
      assert.match(readFileSync(join(results, String(index)), "utf8"), expected, name);
  });
}

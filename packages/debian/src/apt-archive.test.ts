import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { chooseArchive } from "./apt-archive.ts";

async function withAptDirectory(
  files: Record<string, string>,
  check: (directory: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, "sources.list.d"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    await check(directory);
  });
}

test("the machine's own Debian mirrors are used, in deb822 form", async () => {
  const debian = `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security/
Suites: bookworm-security
Components: main
`;
  await withAptDirectory({ "sources.list.d/debian.sources": debian }, async (directory) => {
    assert.deepEqual(await chooseArchive({}, directory), {
      mirror: "http://mirror.example/debian",
      securityMirror: "http://mirror.example/security",
      snapshot: false,
      suites: "current",
    });
  });
});

test("one-line sources are read too, and other vendors' archives passed over", async () => {
  const lines = `deb https://vendor.example/apt stable-vendor main
# deb http://commented.example/debian trixie main
deb [signed-by=/usr/share/keyrings/x.gpg] http://one.example/debian trixie main contrib
`;
  await withAptDirectory({ "sources.list": lines }, async (directory) => {
    const archive = await chooseArchive({}, directory);
    assert.equal(archive.mirror, "http://one.example/debian");
    assert.equal(archive.securityMirror, "http://deb.debian.org/debian-security");
  });
});

test("Ubuntu's archive is not Debian's", async () => {
  const lines = "deb http://archive.ubuntu.example/ubuntu noble main\n";
  await withAptDirectory({ "sources.list": lines }, async (directory) => {
    assert.equal((await chooseArchive({}, directory)).mirror, "http://deb.debian.org/debian");
  });
});

test("--mirror and --snapshot override; other forms are refused", async () => {
  assert.deepEqual(await chooseArchive({ mirror: "http://m.example/debian/" }), {
    mirror: "http://m.example/debian",
    securityMirror: "http://m.example/debian-security",
    snapshot: false,
    suites: "current",
  });
  const snapshot = await chooseArchive({ snapshot: "20261122T000000Z" });
  assert.equal(snapshot.securityMirror, "https://snapshot.debian.org/archive/debian-security/20261122T000000Z");
  await assert.rejects(chooseArchive({ snapshot: "yesterday" }), { code: "usage" });
  await assert.rejects(chooseArchive({ mirror: "example" }), { code: "usage" });
});

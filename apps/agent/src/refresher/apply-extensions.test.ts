import assert from "node:assert/strict";
import { readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Applied } from "./apply-extensions.ts";
import { writeDebugSession } from "../extensions/debug-sessions.ts";
import { imagePath } from "../extensions/store.ts";
import { makeTestSigner } from "../extensions/test-images.ts";
import { TestExtensionNode } from "../extensions/test-extension-node.ts";

const TOOLS = { name: "tools", version: "v1.1", files: { "usr/bin/tool": "tool" } };
const SITE = { kind: "confext", name: "site", version: "v1", files: { "etc/site/a": "a" } } as const;
const DECLARED = `extensions:
  - {name: tools, version: v1.*, tier: opt-in}
  - {name: site, version: v1, tier: opt-in, kind: confext}
`;

function names({ record }: Applied): string[] {
  return record.merged.map(({ name, version }) => `${name} ${version}`);
}

function setAside({ record }: Applied): string[] {
  return record.setAside.map(({ name, version, reason }) => `${name} ${version}: ${reason}`);
}

test("what is declared is measured, then merged; once", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  node.store({ ...SITE, files: { "etc/systemd/system/site.service": "[Service]" } });
  const applied = await node.apply();
  assert.deepEqual(names(applied), ["site v1", "tools v1.1"]);
  const [site, tools] = applied.record.merged;
  assert.deepEqual(node.log, [
    `sysext:tools:${tools?.rootHash}`,
    "sysext=tools-v1.1",
    `confext:site:${site?.rootHash}`,
    "confext=site-v1",
    "daemon-reload",
  ]);
  const link = join(node.paths.extensions.links.sysext, "tools.raw");
  assert.equal(readlinkSync(link), join(node.paths.extensions.store, "tools/tools-v1.1-x86-64.raw"));
  node.log.length = 0;
  assert.deepEqual((await node.apply()).added, []);
  assert.deepEqual(node.log, []);
});

test("what systemd configures once is configured when it comes, in each version", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  const files = { "usr/lib/tmpfiles.d/a.conf": "", "usr/lib/sysctl.d/a.conf": "", "usr/lib/tmpfiles.d/b.conf": "" };
  node.store({ ...TOOLS, files });
  node.store({ ...SITE, files: { "etc/modules-load.d/a.conf": "" } });
  await node.apply();
  assert.equal(node.log.at(-1), "modules-load.d sysctl.d tmpfiles.d");
  node.log.length = 0;
  await node.apply();
  assert.deepEqual(node.log, []);
  node.store({ ...TOOLS, version: "v1.2", files: { "usr/lib/tmpfiles.d/a.conf": "d /run/a" } });
  await node.apply();
  assert.equal(node.log.at(-1), "tmpfiles.d");
});

test("what was unmerged by hand is merged again, without a second word", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  await node.apply();
  node.merged.clear();
  node.log.length = 0;
  await node.apply();
  assert.deepEqual(node.log, ["sysext=tools-v1.1"]);
});

test("an extension that is no longer wanted is unmerged, then said to be removed", async () => {
  using node = new TestExtensionNode();
  const path = node.store(TOOLS);
  const until = new Date(Date.now() + 60_000).toISOString();
  await writeDebugSession(node.paths.extensions, { name: "tools", version: "v1.1", path, until });
  assert.equal((await node.apply()).record.merged[0]?.until, until);
  node.log.length = 0;
  const over = new Date(Date.now() - 1).toISOString();
  await writeDebugSession(node.paths.extensions, { name: "tools", version: "v1.1", path, until: over });
  assert.deepEqual(names(await node.apply()), []);
  assert.deepEqual(node.log, ["sysext=", "sysext:tools:removed"]);
});

test("a bad image is set aside with its reason, and the rest is merged", async () => {
  using node = new TestExtensionNode();
  const bad = ["unsigned", "other-key", "renamed", "other-id", "other-level", "short", "hides", "link"];
  node.declare(
    `extensions:\n${["tools", ...bad].map((name) => `  - {name: ${name}, version: v1.*, tier: opt-in}\n`).join("")}`,
  );
  node.store(TOOLS);
  const unsigned = node.store({ name: "unsigned", version: "v1.0" });
  const bytes = readFileSync(unsigned);
  const at = bytes.indexOf('"signature":"') + 40;
  bytes[at] = bytes[at] === 65 ? 66 : 65;
  writeFileSync(unsigned, bytes);
  node.store({ name: "other-key", version: "v1.0" }, makeTestSigner());
  writeFileSync(
    node.store({ name: "renamed", version: "v1.0" }),
    readFileSync(node.store({ ...TOOLS, version: "v1.0" })),
  );
  node.store({ name: "other-id", version: "v1.0", release: { ID: "debian" } });
  node.store({ name: "other-level", version: "v1.0", release: { SYSEXT_LEVEL: "2.0" } });
  truncateSync(node.store({ name: "short", version: "v1.0" }), 30_000);
  node.store({ name: "hides", version: "v1.0", files: { "usr/bin/base-tool": "x" } });
  const link = node.store({ name: "link", version: "v1.0" });
  symlinkSync(link, link.replace("v1.0", "v1.1"));
  const applied = await node.apply();
  assert.deepEqual(names(applied), ["link v1.0", "tools v1.1"]);
  const found = setAside(applied);
  for (const [name, reason] of [
    ["unsigned", /signature/u],
    ["other-key", /trusted certificate/u],
    ["renamed", /expected name renamed, found tools/u],
    ["other-id", /expected ID ashlar, found debian/u],
    ["other-level", /expected SYSEXT_LEVEL 1\.0, found 2\.0/u],
    ["short", /partition|GPT|backup/iu],
    ["hides", /would hide \/usr\/bin\/base-tool/u],
    ["link v1.1", /cannot be read/u],
  ] as const) {
    assert.match(found.find((line) => line.startsWith(name)) ?? `nothing about ${name}`, reason);
  }
  assert.deepEqual(
    applied.record.missing.map(({ name }) => name),
    ["hides", "other-id", "other-key", "other-level", "renamed", "short", "unsigned"],
  );
  assert.deepEqual(
    node.log.filter((line) => line.startsWith("sysext:")).map((line) => line.split(":")[1]),
    ["link", "tools"],
  );
});

test("a damaged image gives way to the version before it", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  const newer = node.store({ ...TOOLS, version: "v1.2" });
  const bytes = readFileSync(newer);
  // The file system's superblock is in the first block of the data.
  bytes.writeUInt8(bytes.readUInt8(20_480 + 1024 + 8) ^ 1, 20_480 + 1024 + 8);
  writeFileSync(newer, bytes);
  const applied = await node.apply();
  assert.deepEqual(names(applied), ["tools v1.1"]);
  assert.match(setAside(applied)[0] ?? "", /^tools v1\.2: .*block 0 of the data is damaged/u);
});

test("a merge that fails once is no image's fault", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  node.failures = 1;
  const applied = await node.apply();
  assert.deepEqual([names(applied), setAside(applied)], [["tools v1.1"], []]);
  const before = node.log.length;
  await node.apply();
  assert.equal(node.log.length, before, "nothing is done again");
});

test("what a refresh that never ended has merged is not believed", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  await node.apply();
  node.store({ ...TOOLS, version: "v1.2" });
  // Merged, and then the power of the process was over: the record is that of before.
  const record = readFileSync(join(node.paths.extensions.runtime, "status.json"));
  await node.apply();
  writeFileSync(join(node.paths.extensions.runtime, "status.json"), record);
  rmSync(imagePath(node.paths.extensions, "tools", "v1.2"));
  node.write("merging", "");
  const before = node.log.length;
  assert.deepEqual(names(await node.apply()), ["tools v1.1"]);
  assert.deepEqual(
    node.log.slice(before).filter((line) => line.startsWith("sysext=")),
    ["sysext=tools-v1.1"],
  );
});

test("of two extensions with different files of one name the one that sorts first stays", async () => {
  using node = new TestExtensionNode();
  node.declare("extensions:\n  - {name: a, version: v1, tier: opt-in}\n  - {name: b, version: v1, tier: opt-in}\n");
  node.store({ name: "a", version: "v1", files: { "usr/bin/x": "a" } });
  node.store({ name: "b", version: "v1", files: { "usr/bin/x": "b" } });
  const applied = await node.apply();
  assert.deepEqual(names(applied), ["a v1"]);
  assert.match(setAside(applied)[0] ?? "", /another \/usr\/bin\/x than the extension a/u);
});

test("two extensions may have the same library, and directories", async () => {
  using node = new TestExtensionNode();
  node.declare("extensions:\n  - {name: a, version: v1, tier: opt-in}\n  - {name: b, version: v1, tier: opt-in}\n");
  const library = "0123456789".repeat(1000);
  for (const name of ["a", "b"])
    node.store({ name, version: "v1", files: { "usr/lib/lib.so": library, [`usr/bin/${name}`]: name } });
  assert.deepEqual(names(await node.apply()), ["a v1", "b v1"]);
});

test("an extension may replace what it says it replaces", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store({ ...TOOLS, files: { "usr/bin/base-tool": "x" }, behaviour: { replaces: ["/usr/bin/base-tool"] } });
  assert.deepEqual(names(await node.apply()), ["tools v1.1"]);
});

test("an image that cannot be merged is found out and left out", async () => {
  using node = new TestExtensionNode();
  node.declare("extensions:\n  - {name: a, version: v1.*, tier: opt-in}\n  - {name: b, version: v1.*, tier: opt-in}\n");
  node.store({ name: "a", version: "v1.0" });
  node.store({ name: "b", version: "v1.0" });
  node.store({ name: "b", version: "v1.1" });
  node.broken.add("b-v1.1");
  const applied = await node.apply();
  assert.deepEqual(names(applied), ["a v1.0", "b v1.0"]);
  assert.deepEqual([...(node.merged.get("sysext") ?? [])], ["a", "b"]);
  assert.match(setAside(applied)[0] ?? "", /^b v1\.1: it cannot be merged: b breaks it/u);
  const [word] = node.log.filter((line) => line.startsWith("sysext:b:")).slice(-1);
  assert.equal(word, `sysext:b:${applied.record.merged[1]?.rootHash}`, "the last word is of what is merged");
  node.broken.add("b-v1.0");
  node.reboot("boot-2");
  assert.deepEqual(names(await node.apply()), ["a v1.0"]);
  assert.equal(node.log.at(-1), "sysext:b:removed");
});

test("of many images the one that cannot be merged is found with few merges", async () => {
  using node = new TestExtensionNode();
  const all = Array.from({ length: 16 }, (_, at) => `e${String.fromCodePoint(97 + at)}`);
  node.declare(`extensions:\n${all.map((name) => `  - {name: ${name}, version: v1, tier: opt-in}\n`).join("")}`);
  for (const name of all) node.store({ name, version: "v1" });
  node.broken.add("ef-v1");
  const applied = await node.apply();
  assert.deepEqual(
    names(applied),
    all.filter((name) => name !== "ef").map((name) => `${name} v1`),
  );
  assert.match(setAside(applied)[0] ?? "", /^ef v1: it cannot be merged/u);
  // All; halves down to the one, and beside it what is good; all but the one.
  assert.equal(node.log.filter((line) => line.startsWith("sysext=")).length, 10);
});

test("what the TPM does not measure is not merged", async () => {
  using node = new TestExtensionNode();
  node.declare(DECLARED);
  node.store(TOOLS);
  const measure = node.machine.measure;
  Object.assign(node.machine, { measure: async () => await Promise.reject(new Error("no TPM")) });
  await assert.rejects(node.apply(), /no TPM/u);
  assert.deepEqual(node.log, []);
  Object.assign(node.machine, { measure });
  assert.deepEqual(names(await node.apply()), ["tools v1.1"]);
});

test("a certificate that an extension brings, or that lies elsewhere, counts for nothing", async () => {
  using node = new TestExtensionNode();
  const other = makeTestSigner();
  node.declare(DECLARED);
  node.write("base/etc/verity.d/other.crt", other.pem);
  node.write("base/usr/local/lib/verity.d/other.crt", other.pem);
  node.store({ kind: "confext", name: "site", version: "v1", files: { "etc/verity.d/brought.crt": other.pem } });
  node.store(TOOLS, other);
  assert.deepEqual(names(await node.apply()), ["site v1"]);
  assert.deepEqual(names(await node.apply()), ["site v1"]);
});

test("an image that was accepted is read again when its file has changed", async () => {
  using node = new TestExtensionNode();
  node.declare("extensions:\n  - {name: tools, version: v1.*, tier: opt-in}\n");
  const path = node.store(TOOLS);
  // Until then its time stamps say too little.
  await setTimeout(1200);
  assert.deepEqual(names(await node.apply()), ["tools v1.1"]);
  const bytes = readFileSync(path);
  const at = bytes.indexOf("tool");
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
  assert.match(setAside(await node.apply())[0] ?? "", /^tools v1\.1: /u);
});

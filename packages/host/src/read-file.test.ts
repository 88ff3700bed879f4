import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { listDirectory, readLimited, readOptional } from "./read-file.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-read-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string): string => join(directory, name);

writeFileSync(at("file"), "0123456789");
writeFileSync(at("empty"), "");
mkdirSync(at("folder"));
execFileSync("mkfifo", [at("fifo")]);
symlinkSync("file", at("link"));
symlinkSync("loop", at("loop"));
symlinkSync("/dev/zero", at("zero"));
symlinkSync("nowhere", at("dangling"));

test("a file is read up to its limit, and a missing one is none", async () => {
  assert.equal((await readOptional(at("file"), 10))?.toString(), "0123456789");
  assert.equal((await readOptional(at("empty"), 0))?.length, 0);
  assert.equal(await readOptional(at("missing"), 10), undefined);
  await assert.rejects(readOptional(at("file"), 9), { code: "limit", message: /file: expected at most 9 bytes/u });
  await assert.rejects(readLimited(at("missing"), 10, { what: "a key" }), { code: "not-found", message: /a key at/u });
});

test("the size that the file system names is not believed", async () => {
  // Files of /proc have a size of 0, and content.
  const status = await readOptional("/proc/self/status", 1024 * 1024);
  assert.match(status?.toString() ?? "", /^Name:/u);
  await assert.rejects(readOptional("/proc/self/status", 16), { code: "limit" });
});

test("only regular files are read, and nothing is waited for", async () => {
  const server = createServer().listen(at("socket"));
  try {
    for (const name of ["folder", "fifo", "link", "loop", "zero", "dangling", "socket"]) {
      await assert.rejects(readOptional(at(name), 100), { code: "invalid", message: new RegExp(name, "u") }, name);
    }
    await assert.rejects(readOptional("/dev/zero", 100), { code: "invalid", message: /found a device$/u });
    await assert.rejects(readOptional(at("file/inside"), 100), { code: "invalid", message: /found a file$/u });
  } finally {
    server.close();
  }
});

test("links that a user names are followed, to regular files only", async () => {
  assert.equal((await readOptional(at("link"), 10, { links: "follow" }))?.toString(), "0123456789");
  assert.equal(await readOptional(at("dangling"), 10, { links: "follow" }), undefined);
  await assert.rejects(readOptional(at("zero"), 10, { links: "follow" }), { code: "invalid" });
  await assert.rejects(readOptional(at("loop"), 10, { links: "follow" }), { code: "invalid" });
});

test("a directory is listed up to its limit, and is no link", async () => {
  for (const name of ["b", "a", "c"]) writeFileSync(join(at("folder"), name), "");
  symlinkSync("folder", at("to-folder"));
  const names = async (...[path, max, options]: Parameters<typeof listDirectory>): Promise<string[]> =>
    (await listDirectory(at(path), max, options)).map(({ name }) => name);
  assert.deepEqual(await names("folder", 3), ["a", "b", "c"]);
  assert.deepEqual(await names("missing", 3), []);
  await assert.rejects(names("folder", 2), { code: "limit" });
  await assert.rejects(names("to-folder", 3), { code: "invalid", message: /found a link$/u });
  await assert.rejects(names("file", 3), { code: "invalid", message: /found a file$/u });
  assert.deepEqual(await names("to-folder", 3, { links: "follow" }), ["a", "b", "c"]);
});

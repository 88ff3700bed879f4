import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ManifestFile } from "@ashlar/protocol/answers";
import { testDirectory, writeTree } from "../test-signer.ts";
import { checkTree } from "./check-tree.ts";
import { checkReplaced, findAllowed, findReplaced } from "./replaced-files.ts";

const directory = testDirectory();
after(directory.remove);
let count = 0;

function treeOf(files: Readonly<Record<string, string>>): string {
  const tree = join(directory.path, `tree-${count++}`);
  writeTree(tree, files);
  return tree;
}

test("a tree is listed, each directory before what it holds", async () => {
  const entries = await checkTree(treeOf({ "usr/bin/a": "", "opt/b": "-> ../usr/bin/a" }), "sysext");
  assert.deepEqual(
    entries.map(({ path, type }) => `${type} ${path}`),
    ["directory /opt", "link /opt/b", "directory /usr", "directory /usr/bin", "file /usr/bin/a"],
  );
  assert.equal((await checkTree(treeOf({ "etc/a": "" }), "confext")).length, 2);
});

test("what an extension must not hold is named", async () => {
  const refuses = async (tree: string, kind: "sysext" | "confext", message: RegExp): Promise<void> =>
    await assert.rejects(checkTree(tree, kind), { code: "invalid", message });
  await refuses(
    treeOf({ "usr/a": "", "etc/passwd": "", "var/x/y": "" }),
    "sysext",
    /found \/etc\/passwd, \/var\/x\/y$/u,
  );
  await refuses(
    treeOf({ "etc/a": "", "usr/bin/sh": "" }),
    "confext",
    /below \/etc in a confext, found \/usr\/bin\/sh/u,
  );
  await refuses(treeOf({}), "sysext", /expected files, found none/u);
  const many = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`root/${index}`, ""]));
  await refuses(treeOf({ "usr/a": "", ...many }), "sysext", /\/root\/4 and 2 more/u);
  const pipe = treeOf({ "usr/a": "" });
  execFileSync("mkfifo", [join(pipe, "usr/pipe")]);
  await refuses(pipe, "sysext", /only files, directories and links, found \/usr\/pipe/u);
  const su = treeOf({ "usr/bin/su": "" });
  chmodSync(join(su, "usr/bin/su"), 0o4755);
  await refuses(su, "sysext", /set-user-ID or set-group-ID files, found \/usr\/bin\/su/u);
});

const BASE: readonly ManifestFile[] = [
  { type: "file", path: "/usr/bin/containerd", sizeBytes: 1, sha256: "" },
  { type: "link", path: "/usr/lib/link", target: "other" },
  { type: "file", path: "/usr/lib/d/deep/file", sizeBytes: 1, sha256: "" },
  { type: "file", path: "/usr/share/factory/etc/motd", sizeBytes: 1, sha256: "" },
];

test("what would hide a file of the base is found", async () => {
  const replaced = async (kind: "sysext" | "confext", files: Readonly<Record<string, string>>) =>
    findReplaced(kind, await checkTree(treeOf(files), kind), BASE).map(({ path, basePath }) => `${path} ${basePath}`);
  assert.deepEqual(await replaced("sysext", { "usr/bin/other": "", "usr/lib/d/deep/new": "" }), []);
  assert.deepEqual(await replaced("sysext", { "usr/bin/containerd": "" }), ["/usr/bin/containerd /usr/bin/containerd"]);
  assert.deepEqual(await replaced("sysext", { "usr/lib/d": "-> e" }), ["/usr/lib/d /usr/lib/d/deep/file"]);
  assert.deepEqual(await replaced("sysext", { "usr/lib/link/a": "" }), ["/usr/lib/link /usr/lib/link"]);
  assert.deepEqual(await replaced("confext", { "etc/motd": "" }), ["/etc/motd /etc/motd"]);
});

test("only what is allowed may be hidden, and both sides are named", () => {
  const found = [
    { path: "/usr/bin/containerd", basePath: "/usr/bin/containerd" },
    { path: "/usr/lib/d", basePath: "/usr/lib/d/deep/file" },
  ];
  assert.deepEqual(
    checkReplaced(found, ["/usr/bin/*", "/usr/lib/**"], () => undefined),
    ["/usr/bin/containerd", "/usr/lib/d/deep/file"],
  );
  assert.throws(() => checkReplaced(found, ["/usr/bin/*"], () => "package d"), {
    code: "conflict",
    message: "/usr/lib/d of package d would replace the base's /usr/lib/d/deep/file",
    hint: /--replaces \/usr\/lib\/d\/deep\/file/u,
  });
  assert.throws(() => checkReplaced(found, [], () => undefined), { code: "conflict", message: /, and 1 more$/u });
});

test("without a base, what is allowed and there is said to be replaced", async () => {
  const entries = await checkTree(treeOf({ "usr/bin/ctr": "", "usr/bin/other": "" }), "sysext");
  assert.deepEqual(findAllowed(entries, ["/usr/bin/c*", "/usr/bin"]), ["/usr/bin/ctr"]);
});

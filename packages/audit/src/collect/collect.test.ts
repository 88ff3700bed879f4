import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SnapshotReader } from "../snapshot/snapshot-reader.ts";
import type { SnapshotFile } from "../snapshot/snapshot.ts";
import { isRoot, PATIENCE_MS, makeDebianTree, makeTree, newDirectory, put, sh, snapshotOf } from "../test-trees.ts";
import { snapshotOf as arranged } from "../collected/arrange.ts";
import { SentPieces } from "../collected/sent-pieces.ts";
import { collectRoot } from "./collect-root.ts";

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");
const byPath = (files: readonly SnapshotFile[]): ReadonlyMap<string, SnapshotFile> =>
  new Map(files.map((file) => [file.path, file]));

test("files of any name: newline, bytes that are no UTF-8, a backslash, 255 bytes, a space", async () => {
  const root = await makeTree({
    "usr/new\nline": "1",
    "usr/back\\slash": "2",
    [`usr/${"a".repeat(255)}`]: "3",
    "usr/a  b ": "4",
  });
  await writeFile(Buffer.concat([Buffer.from(`${root}/usr/`), Buffer.of(0xff, 0x61)]), "5");
  const files = byPath((await snapshotOf(root)).files);
  const expected = {
    "/usr/new\nline": "1",
    "/usr/back\\\\slash": "2",
    [`/usr/${"a".repeat(255)}`]: "3",
    "/usr/a  b ": "4",
    "/usr/\\xffa": "5",
  };
  for (const [path, content] of Object.entries(expected)) assert.equal(files.get(path)?.digest, sha256(content), path);
});

test("what is not a file is told and not read: FIFO, device, socket, link", async (context) => {
  const root = await makeTree({ "usr/file": "a" });
  sh("mkfifo usr/fifo; ln -s /nowhere usr/link", root);
  if (isRoot()) sh("mknod usr/device c 1 3", root);
  else context.diagnostic("not root: no device was made");
  const { files, unread } = await snapshotOf(root);
  const found = byPath(files);
  assert.equal(found.get("/usr/fifo")?.type, "fifo");
  assert.deepEqual([found.get("/usr/link")?.type, found.get("/usr/link")?.target], ["link", "/nowhere"]);
  if (isRoot()) assert.equal(found.get("/usr/device")?.type, "character device");
  assert.deepEqual(unread, []);
});

test("a file of several names is hashed once, and each name has the digest", async () => {
  const root = await makeTree({ "usr/a": "content" });
  sh("ln usr/a usr/b; mkdir etc; ln usr/a 'etc/c d'", root);
  assert.equal(sh('sh "$COLLECTOR" .', root).split(sha256("content")).length, 2);
  const files = byPath((await snapshotOf(root)).files);
  for (const path of ["/usr/a", "/usr/b", "/etc/c d"]) assert.equal(files.get(path)?.digest, sha256("content"), path);
});

test("a sparse file beyond the limit is told, not read", async () => {
  const root = await makeTree({ "usr/file": "a" });
  sh("truncate -s 15T usr/sparse", root);
  const { files, unread } = await snapshotOf(root);
  const sparse = byPath(files).get("/usr/sparse");
  assert.deepEqual([sparse?.sizeBytes, sparse?.digest, unread.length], [15 * 1024 ** 4, undefined, 0]);
});

test("set-uid, owners and capabilities", async (context) => {
  const root = await makeTree({ "usr/bin/tool": "a", "usr/bin/ping": "b" });
  sh("chmod 4755 usr/bin/tool; chmod 755 usr/bin/ping", root);
  if (isRoot()) sh("PATH=$PATH:/usr/sbin; chown 1234:5678 usr/bin/ping; setcap cap_net_raw=ep usr/bin/ping", root);
  else context.diagnostic("not root: owners and capabilities were not set");
  const files = byPath((await snapshotOf(root)).files);
  assert.equal(files.get("/usr/bin/tool")?.mode, "4755");
  if (!isRoot()) return;
  const ping = files.get("/usr/bin/ping");
  assert.deepEqual([ping?.owner, ping?.group, ping?.capabilities], ["1234", "5678", "cap_net_raw=ep"]);
});

test("what is mounted inside is named and not looked into", async (context) => {
  const root = await makeTree({ "opt/a": "a", "opt/inside/hidden": "b" });
  try {
    sh(`unshare -m true`, root);
  } catch {
    context.diagnostic("mounts cannot be made here");
    return;
  }
  sh(
    `unshare -m sh -ec 'mount -t tmpfs none opt/inside; echo 1 > opt/inside/data; sh "$COLLECTOR" "$PWD" > snapshot'`,
    root,
  );
  const { files, unread } = new SnapshotReader().read(arranged(await readFile(join(root, "snapshot"))));
  assert.deepEqual(unread, [{ path: "/opt/inside", why: "mount" }]);
  assert.ok(!files.some(({ path }) => path.startsWith("/opt/inside/")));
});

test("a file that changes while it is read is named", async () => {
  const root = await makeTree({ "usr/a": "a" });
  sh("truncate -s 200M usr/large; mkdir etc; : > etc/growing", root);
  const done = new AbortController();
  const writer = (async () => {
    for (let round = 0; !done.signal.aborted; round += 1) {
      await writeFile(join(root, "etc/growing"), String(round));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const { unread } = await snapshotOf(root);
  done.abort();
  await writer;
  assert.deepEqual(unread, [{ path: "/etc/growing", why: "changed while it was read" }]);
});

test("links that lead out of a tree are not followed", async () => {
  const outside = await makeTree({
    "lib/dpkg/status": "Package: secret\n",
    "log/dpkg.log": "2026-01-01 00:00:00 install secret 1 1\n",
  });
  const root = await makeTree({ "usr/a": "a" });
  await symlink(outside, join(root, "var"));
  await symlink("/etc", join(root, "etc"));
  const { files, packages, installations } = await snapshotOf(root);
  assert.deepEqual([packages.size, installations.length], [0, 0]);
  assert.deepEqual(files.map(({ path }) => path).toSorted(), ["/etc", "/usr", "/usr/a"]);
});

test("packages, who has brought what, conffiles, and when they came", async () => {
  const root = await makeDebianTree({
    one: { version: "1.0", files: ["/bin/tool", "/etc/one.conf"] },
    two: { version: "2" },
  });
  sh("gzip -c > var/log/dpkg.log.2.gz <<E\n2026-02-01 09:00:00 install one:all <none> 0.9\nE", root);
  const { packages, owned, configurationFiles, installations, facts } = await snapshotOf(root);
  assert.deepEqual(
    [...packages],
    [
      ["one", "1.0"],
      ["two", "2"],
    ],
  );
  const hasTool = owned.map(({ owner, paths }) => [owner, paths.includes("/usr/bin/tool")]);
  assert.deepEqual(Object.fromEntries(hasTool), { one: true, two: false });
  assert.ok(configurationFiles.has("/etc/one.conf"));
  assert.deepEqual(installations.map(({ at, name }) => [at, name])[0], ["2026-02-01 09:00:00", "one:all"]);
  assert.equal(installations.length, 3);
  assert.equal(facts.system, "Debian 13.2");
});

test("a kubelet's configuration is told, its pods are not", async () => {
  const root = await makeTree({
    "var/lib/kubelet/config.yaml": "a",
    "var/lib/kubelet/pods/1/volume": "b",
    "srv/data": "c",
  });
  assert.deepEqual(
    (await snapshotOf(root)).files.map(({ path }) => path),
    ["/var/lib/kubelet/config.yaml"],
  );
});

test("a node does not send again what is as it was, and the snapshot is the same as if it did", async () => {
  const directory = await newDirectory();
  const root = await makeDebianTree({ one: { version: "1.0", files: ["/bin/tool"] } });
  // Several pieces, names that a shell could spoil, an empty line at the end of one.
  sh(`mkdir usr/share; cd usr/share; for n in $(seq 1100); do echo $n > "file $n"; ln -s '\\n\\\\' "$n"; done`, root);
  await writeFile(Buffer.concat([Buffer.from(`${root}/usr/share/`), Buffer.of(0x81, 0x88, 0xff, 0x27, 0x0a)]), "5");
  const ask = async (name: string, before?: string): Promise<{ snapshot: Buffer; sentBytes: number }> => {
    const [to, pieces] = [join(directory, name), join(directory, `${name}.pieces`)];
    const known = before === undefined ? "" : SentPieces.read(await readFile(before)).digests.join(" ");
    const script = `{ echo "known='${known}'"; cat "$COLLECTOR"; } | sh -s -- . | wc -c`;
    const sentBytes = Number(sh(script, root));
    await collectRoot(root, { to, pieces, sentBefore: before, patienceMs: PATIENCE_MS });
    return { snapshot: await readFile(to), sentBytes };
  };
  const pieces = (name: string): string => join(directory, `${name}.pieces`);
  const first = await ask("first");
  const second = await ask("second", pieces("first"));
  assert.equal(withoutTime(second.snapshot), withoutTime(first.snapshot));
  const digests = async (name: string): Promise<readonly string[]> =>
    SentPieces.read(await readFile(pieces(name))).digests.toSorted();
  assert.deepEqual(await digests("second"), await digests("first"));
  assert.ok(second.sentBytes < first.sentBytes / 20, `${second.sentBytes} of ${first.sentBytes}`);
  await put(root, "usr/share/file 7", "another");
  const third = await ask("third", pieces("second"));
  assert.equal(withoutTime(third.snapshot), withoutTime((await ask("whole")).snapshot));
  assert.notEqual(withoutTime(third.snapshot), withoutTime(first.snapshot));
  await writeFile(pieces("second"), "spoiled");
  assert.equal(withoutTime((await ask("fourth", pieces("second"))).snapshot), withoutTime(third.snapshot));
});

/** A digest: when it was collected is another time each time, and no test should print what differs in a megabyte. */
function withoutTime(snapshot: Buffer): string {
  return sha256(snapshot.toString("latin1").replace(/started\0[0-9.]+\0/u, ""));
}

test("nothing is left of a snapshot that was not finished, and the reason is told", async () => {
  const directory = await newDirectory();
  const root = await makeTree({});
  await put(root, "usr/a", "a");
  const to = join(directory, "snapshot");
  const pieces = join(directory, "pieces");
  await assert.rejects(collectRoot(join(root, "missing"), { to, pieces, patienceMs: 60_000 }), /cannot enter/u);
  const signal = AbortSignal.abort();
  await assert.rejects(collectRoot(root, { to, pieces, patienceMs: 60_000, signal }), { code: "interrupted" });
  sh("truncate -s 15G usr/sparse", root);
  await assert.rejects(collectRoot(root, { to, pieces, patienceMs: 1500 }), { code: "unavailable" });
  assert.deepEqual(await readdir(directory), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "./snapshot.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

const DIGEST = "ab".repeat(32);
const fields = (...all: string[]): Buffer => Buffer.from([...all, ""].join("\0"));
const FILE = ["file", "1 1 2 1.5", "usr/a", "f 755 0 0 1 "];
const parse = (bytes: Buffer): Snapshot => new SnapshotReader().read(bytes);

test("what is not a whole snapshot is refused, with the place", () => {
  const bad: readonly [Buffer, RegExp][] = [
    [Buffer.alloc(0), /expected a field that ends/u],
    [fields("ashlar-audit/2", "end"), /begins with ashlar-audit\/1/u],
    [fields("ashlar-audit/1"), /expected a field that ends/u],
    [fields("ashlar-audit/1", "end", "more"), /nothing after the end/u],
    [fields("ashlar-audit/1", "other", "end"), /kind of a record.*byte 15/u],
    [fields("ashlar-audit/1", ...FILE.with(3, "f 999 0 0 1 "), "end"), /type, mode.*byte 30/u],
    [fields("ashlar-audit/1", ...FILE.with(2, "/a"), "end"), /below the root/u],
    [fields("ashlar-audit/1", ...FILE.with(1, "1 x 2 3"), "end"), /links and device.*byte 20/u],
    [fields("ashlar-audit/1", ...FILE.with(1, "1 1 ".padEnd(200, "1")), "end"), /inode and time/u],
    [fields("ashlar-audit/1", ...FILE.with(1, "2 1 a b"), "end"), /inode and time/u],
    [fields("ashlar-audit/1", "text", "sha256", "ab  usr/a\n", "end"), /SHA-256 digest/u],
    [fields("ashlar-audit/1", "text", "sha256", `${DIGEST}  usr/a`, "end"), /line that ends/u],
  ];
  for (const [bytes, message] of bad) assert.throws(() => parse(bytes), message);
});

test("a package of rpm: owners, configuration, the order by time, several kernels", () => {
  const rpm = "bash.x86_64\t0:5.2-1\t1770000100\nkernel.x86_64\t0:6.1\t1770000000\nkernel.x86_64\t0:6.2\t1770000200\n";
  const rpmFiles = "==> bash.x86_64 <==\n\t/bin/bash\ncn\t/etc/bashrc\n==> kernel.x86_64 <==\n";
  const link = ["file", "1 1 3 1", "bin", "l 777 0 0 7 usr/bin"];
  const text = fields("ashlar-audit/1", "text", "rpm", rpm, "text", "rpm-files", rpmFiles, ...link, "end");
  const { packages, owned, configurationFiles, installations } = parse(text);
  assert.equal(packages.get("kernel.x86_64"), "0:6.1, 0:6.2");
  assert.deepEqual(owned, [
    { owner: "bash.x86_64", paths: ["/usr/bin/bash", "/etc/bashrc"], configuration: ["/etc/bashrc"] },
    { owner: "kernel.x86_64", paths: [], configuration: [] },
  ]);
  assert.deepEqual([...configurationFiles], ["/etc/bashrc"]);
  assert.deepEqual(
    installations.map(({ name }) => name),
    ["kernel.x86_64", "bash.x86_64", "kernel.x86_64"],
  );
});

test("state in effect, by kind and name", () => {
  const text = (name: string, content: string): string[] => ["text", name, content];
  const { state, facts } = parse(
    fields(
      "ashlar-audit/1",
      ...text("kernel", "6.12.0\n"),
      ...text("sysctl", "/proc/sys/kernel/panic:10\n/proc/sys/a:1\n/proc/sys/a:2\n"),
      ...text("modules", "nfs\n"),
      ...text("mounts", "/dev/sda1 / ext4 rw,relatime,size=4k 0 0\n"),
      ...text("units", "ssh.service enabled enabled\n"),
      ...text("running-deleted", "/usr/bin/a (deleted)\n"),
      ...text("kubelet", "Kubernetes v1.33.4\n"),
      "end",
    ),
  );
  assert.deepEqual(Object.fromEntries(state), {
    kernel: "6.12.0",
    "sysctl:kernel/panic": "10",
    "sysctl:a": "1\n2",
    "module:nfs": "loaded",
    "mount:/": "ext4 rw",
    "unit:ssh.service": "enabled",
    "running:/usr/bin/a": "deleted, and still running",
  });
  assert.deepEqual([facts.kernel, facts.kubelet], ["6.12.0", "v1.33.4"]);
});

test("what nodes say alike is one object, and what differs is not", () => {
  const reader = new SnapshotReader();
  const node = (...more: readonly string[]): Snapshot =>
    reader.read(
      fields("ashlar-audit/1", ...FILE, "file", "1 1 9 9", "usr/b", "f 644 0 0 1 ", "text", "sha256", ...more, "end"),
    );
  const other = "cd".repeat(32);
  const [one, two, three, four] = [
    node(`${DIGEST}  usr/a\n${DIGEST}  usr/b\n`),
    node(`${DIGEST}  usr/b\n${DIGEST}  usr/a\n`),
    node(`${other}  usr/a\n${DIGEST}  usr/b\n`),
    node(`${DIGEST}  usr/a\n${DIGEST}  usr/b\n`, "text", "capabilities", "usr/b cap_chown=ep\n"),
  ] as const;
  assert.ok(two.files[0] === one.files[0] && two.files[1] === one.files[1]);
  assert.equal(three.files[0]?.digest, other);
  assert.ok(three.files[1] === one.files[1] && four.files[0] === one.files[0]);
  assert.deepEqual([one.files[1]?.capabilities, four.files[1]?.capabilities], [undefined, "cap_chown=ep"]);
});

test("lists of packages: one that goes on where another node's ended", () => {
  const reader = new SnapshotReader();
  const node = (list: string): Snapshot =>
    reader.read(fields("ashlar-audit/1", "text", "dpkg", "a\t1\tii \n", "text", "dpkg-files", list, "end"));
  const paths = (list: string): readonly string[] => node(list).owned.flatMap((each) => each.paths);
  const head = "==> var/lib/dpkg/info/a.list <==\n";
  assert.deepEqual(paths(`${head}/.\n/one\n`), ["/.", "/one"]);
  assert.deepEqual(paths(`${head}/.\n/one\n/two\n`), ["/.", "/one", "/two"]);
  assert.deepEqual(paths(`${head}/.\n/one\n`), ["/.", "/one"]);
  assert.deepEqual(paths(`${head}/.\n/one\n==> b.list <==\n/three\n`), ["/.", "/one", "/three"]);
  assert.deepEqual(paths("/nobody\n"), []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "./snapshot.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

const DIGEST = "ab".repeat(32);
const SNAPSHOT = "ashlar-snapshot/1";
const fields = (...all: string[]): Buffer => Buffer.from([...all, ""].join("\0"));
const FILE = ["file", "usr/a", "f 755 0 0 1 ", DIGEST];
const parse = (bytes: Buffer): Snapshot => new SnapshotReader().read(bytes);

test("what is not a whole snapshot is refused, with the place", () => {
  const bad: readonly [Buffer, RegExp][] = [
    [Buffer.alloc(0), /expected a field that ends/u],
    [fields("ashlar-snapshot/2", "end"), /begins with ashlar-snapshot\/1/u],
    [fields(SNAPSHOT), /expected a field that ends/u],
    [fields(SNAPSHOT, "end", "more"), /nothing after the end/u],
    [fields(SNAPSHOT, "other", "end"), /kind of a record.*byte 18/u],
    [fields(SNAPSHOT, ...FILE.with(2, "f 999 0 0 1 "), "end"), /type, mode.*byte 18/u],
    [fields(SNAPSHOT, ...FILE.with(1, "/a"), "end"), /below the root/u],
    [fields(SNAPSHOT, ...FILE.with(3, "ab"), "end"), /digest of a file.*byte 18/u],
    [fields(SNAPSHOT, "unread", "because", "a", "end"), /expected one of mount/u],
  ];
  for (const [bytes, message] of bad) assert.throws(() => parse(bytes), message);
});

test("a package of rpm: owners, configuration, the order by time, several kernels", () => {
  const rpm = "bash.x86_64\t0:5.2-1\t1770000100\nkernel.x86_64\t0:6.1\t1770000000\nkernel.x86_64\t0:6.2\t1770000200\n";
  const rpmFiles = "==> bash.x86_64 <==\n\t/bin/bash\ncn\t/etc/bashrc\n==> kernel.x86_64 <==\n";
  const link = ["link", "bin", "usr/bin"];
  const text = fields(SNAPSHOT, "text", "rpm", rpm, "text", "rpm-files", rpmFiles, ...link, "end");
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
      SNAPSHOT,
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
  const other = "cd".repeat(32);
  const record = (path: number, content = DIGEST): string[] => [
    "file",
    `usr/${String(path).padStart(4, "0")}`,
    "f 644 0 0 1 ",
    content,
  ];
  const numbers = Array.from({ length: 1000 }, (_, index) => index);
  const node = (change: (path: number) => string[]): Buffer => fields(SNAPSHOT, ...numbers.flatMap(change), "end");
  const first = node((path) => (path === 500 ? [] : record(path)));
  const changes: readonly ((path: number) => string[])[] = [
    (path) => record(path),
    (path) => record(path, path % 100 === 7 ? other : DIGEST),
    (path) => (path % 300 === 0 ? [] : record(path)),
    (path) => (path === 127 ? [...record(path), ...record(path).with(1, "usr/0127-new")] : record(path)),
    (path) => record(path, path === 999 ? `${DIGEST} cap_chown=ep` : DIGEST),
    (path) => (path > 800 ? [] : record(path)),
  ];
  const reader = new SnapshotReader();
  const firstFiles = new Map(reader.read(first).files.map((file) => [file.path, file]));
  for (const change of changes) {
    const { files } = reader.read(node(change));
    assert.deepEqual(files, parse(node(change)).files);
    for (const file of files) {
      const known = firstFiles.get(file.path);
      const isAlike = known?.digest === file.digest && known?.capabilities === file.capabilities;
      if (known !== undefined) assert.equal(known === file, isAlike, file.path);
    }
  }
});

test("lists of packages: one that goes on where another node's ended", () => {
  const reader = new SnapshotReader();
  const node = (list: string): Snapshot =>
    reader.read(fields(SNAPSHOT, "text", "dpkg", "a\t1\tii \n", "text", "dpkg-files", list, "end"));
  const paths = (list: string): readonly string[] => node(list).owned.flatMap((each) => each.paths);
  const head = "==> var/lib/dpkg/info/a.list <==\n";
  assert.deepEqual(paths(`${head}/.\n/one\n`), ["/.", "/one"]);
  assert.deepEqual(paths(`${head}/.\n/one\n/two\n`), ["/.", "/one", "/two"]);
  assert.deepEqual(paths(`${head}/.\n/one\n`), ["/.", "/one"]);
  assert.deepEqual(paths(`${head}/.\n/one\n==> b.list <==\n/three\n`), ["/.", "/one", "/three"]);
  assert.deepEqual(paths("/nobody\n"), []);
});

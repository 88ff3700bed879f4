import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSnapshot } from "./parse-snapshot.ts";

const DIGEST = "ab".repeat(32);
const fields = (...all: string[]): Buffer => Buffer.from([...all, ""].join("\0"));
const FILE = ["file", "f", "755", "0", "0", "1", "1.5", "1:2", "usr/a", ""];

test("what is not a whole snapshot is refused, with the place", () => {
  const bad: readonly [Buffer, RegExp][] = [
    [Buffer.alloc(0), /expected a field that ends/u],
    [fields("ashlar-audit/2", "end"), /begins with ashlar-audit\/1/u],
    [fields("ashlar-audit/1"), /expected a field that ends/u],
    [fields("ashlar-audit/1", "end", "more"), /nothing after the end/u],
    [fields("ashlar-audit/1", "other", "end"), /kind of a record.*byte 15/u],
    [fields("ashlar-audit/1", ...FILE.with(2, "999"), "end"), /mode in octal/u],
    [fields("ashlar-audit/1", ...FILE.with(8, "/a"), "end"), /below the root/u],
    [fields("ashlar-audit/1", "sha256", "ab", "usr/a", "end"), /digest/u],
  ];
  for (const [bytes, message] of bad) assert.throws(() => parseSnapshot(bytes), message);
});

test("a package of rpm: owners, configuration, the order by time, several kernels", () => {
  const rpm = "bash.x86_64\t0:5.2-1\t1770000100\nkernel.x86_64\t0:6.1\t1770000000\nkernel.x86_64\t0:6.2\t1770000200\n";
  const rpmFiles = "bash.x86_64\t\t/bin/bash\nbash.x86_64\tcn\t/etc/bashrc\n";
  const link = ["file", "l", "777", "0", "0", "7", "1", "1:3", "bin", "usr/bin"];
  const text = fields("ashlar-audit/1", "text", "rpm", rpm, "text", "rpm-files", rpmFiles, ...link, "end");
  const { packages, owners, configurationFiles, installations } = parseSnapshot(text);
  assert.equal(packages.get("kernel.x86_64"), "0:6.1, 0:6.2");
  assert.equal(owners.get("/usr/bin/bash"), "bash.x86_64");
  assert.deepEqual([...configurationFiles], ["/etc/bashrc"]);
  assert.deepEqual(
    installations.map(({ name }) => name),
    ["kernel.x86_64", "bash.x86_64", "kernel.x86_64"],
  );
});

test("state in effect, by kind and name", () => {
  const text = (name: string, content: string): string[] => ["text", name, content];
  const { state, facts } = parseSnapshot(
    fields(
      "ashlar-audit/1",
      ...text("kernel", "6.12.0\n"),
      ...text("sysctl", "/proc/sys/kernel/panic:10\n/proc/sys/a:1\n/proc/sys/a:2\n"),
      ...text("modules", "nfs\n"),
      ...text("mounts", "/dev/sda1 / ext4 rw,relatime,size=4k 0 0\n"),
      ...text("units", "ssh.service enabled enabled\n"),
      ...text("running-deleted", "/usr/bin/a (deleted)\n"),
      ...text("kubelet", "Kubernetes v1.33.4\n"),
      "sha256",
      DIGEST,
      "usr/a",
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

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate, validateIgnition } from "../index.ts";

function advice(body: string, version = "1.0.0"): string[] {
  const { report } = translate(`variant: flatcar\nversion: ${version}\n${body}\n`, { target: "ashlar" });
  return report.map(({ severity, path, message }) => `${severity} ${path} ${message}`);
}

const CASES: readonly [body: string, path: string, message: RegExp][] = [
  ["storage: {files: [{path: /usr/bin/x}]}", "$.storage.files.0.path", /outside \/usr, found \/usr\/bin\/x/u],
  ["storage: {directories: [{path: /lib/x}]}", "$.storage.directories.0.path", /outside \/usr/u],
  ["storage: {links: [{path: /bin, target: /x}]}", "$.storage.links.0.path", /outside \/usr/u],
  ["storage: {files: [{path: /var/lib/x/a.service}]}", "$.storage.files.0.path", /not loaded from \/var/u],
  ["storage: {files: [{path: /opt/x, mode: 0755}]}", "$.storage.files.0.path", /\/opt\/x cannot be executed/u],
  ["storage: {disks: [{device: /dev/sda, wipe_table: true}]}", "$.storage.disks.0.wipe_table", /at each boot/u],
  [
    "storage: {filesystems: [{device: /dev/mapper/usr, format: ext4}]}",
    "$.storage.filesystems.0.device",
    /the system/u,
  ],
  [
    "storage: {filesystems: [{device: /dev/a, format: ext4, path: /var}]}",
    "$.storage.filesystems.0.path",
    /mounts itself/u,
  ],
  [
    "storage: {filesystems: [{device: /dev/a, format: ext4, wipe_filesystem: true}]}",
    "$.storage.filesystems.0.wipe_filesystem",
    /erase it at each boot/u,
  ],
  [
    "storage: {files: [{path: /etc/extensions/k.raw, contents: {source: 'https://h/k.raw'}}]}",
    "$.storage.files.0.contents.source",
    /fetches nothing/u,
  ],
  ["kernel_arguments: {should_exist: [a]}", "$.kernel_arguments", /command line is part of the signed/u],
  ["passwd: {users: [{name: core, password_hash: x}]}", "$.passwd.users.0.password_hash", /takes a password/u],
  [
    'systemd: {units: [{name: a.service, contents: "[Service]\\nExecStart=-/opt/bin/a --b\\n"}]}',
    "$.systemd.units.0.contents",
    /commands in \/usr, found \/opt\/bin\/a/u,
  ],
];

test("advice names what cannot work on an Ashlar node, and where", () => {
  for (const [body, path, message] of CASES) {
    const [found = "", ...more] = advice(body);
    assert.ok(found.startsWith(`warning ${path} `), `${body}: ${found}`);
    assert.match(found, message);
    assert.deepEqual(more, [], body);
  }
});

test("what works there draws no advice; other targets draw none at all", () => {
  const fine = [
    "storage: {files: [{path: /etc/x, mode: 0644, contents: {inline: a}}, {path: /var/lib/kubelet/plugins/a, mode: 0755}]}",
    'systemd: {units: [{name: a.service, contents: "[Service]\\nExecStart=/usr/bin/kubeadm join\\n"}]}',
    "storage: {files: [{path: /opt/extensions/k/k-v1-x86-64.raw, contents: {source: 'https://h/k.raw'}}]}",
    "storage: {filesystems: [{device: /dev/vdb, format: ext4, path: /var/lib/data, with_mount_unit: true}]}",
    "passwd: {users: [{name: core, ssh_authorized_keys: [a]}]}",
  ];
  for (const body of fine) assert.deepEqual(advice(body), []);
  for (const [body] of CASES) {
    assert.deepEqual(translate(`variant: flatcar\nversion: 1.0.0\n${body}\n`).report, []);
  }
});

test("a node's Ignition reads configs up to 3.3.0", () => {
  assert.match(advice("", "1.1.0").join("\n"), /^warning \$\.version expected at most Ignition 3\.3\.0/u);
  const [problem] = validateIgnition('{"ignition":{"version":"3.4.0"}}', { target: "ashlar" });
  assert.equal(problem?.path, "$.ignition.version");
});

/** What nodes say of themselves in an audit, and the rules that a user adds. */
import { generateKeyPairSync } from "node:crypto";
import { compareNodes, KNOWN_NOISE, NodeTable, parseRules, snapshotOf, SnapshotReader } from "@ashlar/audit";
import { parseSignedSnapshots, signerOf, signSnapshots } from "@ashlar/statements";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const DIGEST = "ab".repeat(32);
const TEXTS: readonly (readonly string[])[] = [
  ["text", "user", "0"],
  ["text", "os-release", 'PRETTY_NAME="Debian 13.2"\n'],
  ["text", "users", "root:0:0:/root:/bin/sh\n"],
  ["text", "sysctl", "/proc/sys/kernel/panic:10\n"],
  ["text", "mounts", "/dev/sda1 / ext4 rw 0 0\n"],
  ["text", "units", "ssh.service enabled enabled\n"],
  ["text", "dpkg", "one:amd64\t1.0\tii \n"],
  ["text", "dpkg-conffiles", ` /etc/one ${"0".repeat(32)}\n`],
  ["text", "dpkg-log", "2026-03-01 10:00:00 install one:amd64 <none> 1.0\n"],
  ["text", "rpm", "bash.x86_64\t0:5.2-1\t1770000100\n"],
];
const DPKG_FILES = "==> var/lib/dpkg/info/one:amd64.list <==\n/bin/tool\n";
const RPM_FILES = "==> bash.x86_64 <==\nc\t/etc/bashrc\n\t/bin/bash\n";
const SNAPSHOT: readonly (readonly string[])[] = [
  ["ashlar-snapshot/1"],
  ...TEXTS,
  ["text", "dpkg-files", DPKG_FILES],
  ["text", "rpm-files", RPM_FILES],
  ["link", "bin", "usr/bin"],
  ["file", "bin", "l 777 0 0 7 usr/bin", ""],
  ["file", "usr", "d 755 0 0 0 ", ""],
  ["file", "usr/bin/other", "f 4755 0 0 5 ", "1770000000.5"],
  ["file", "usr/bin/tool", "f 755 0 0 5 ", `${DIGEST} cap_net_raw=ep`],
  ["unread", "unreadable", "root/closed"],
  ["end", ""],
];
const COLLECTED: readonly (readonly string[])[] = [
  ["ashlar-audit/2"],
  ...TEXTS,
  ["text", "capabilities", "usr/bin/tool cap_net_raw=ep\n"],
  ["piece", "dpkg-files", DPKG_FILES],
  ["piece", "rpm-files", RPM_FILES],
  ["piece", "files", "1 1 2 1770000000.5 f 755 0 0 5 usr/bin/tool\n\n2 1 3 1.5 f 4755 0 0 5 usr/bin/o\\nther\n\n"],
  ["piece", "files", "1 1 4 1.5 l 777 0 0 7 bin\nusr/bin\n2 1 5 1.5 d 755 0 0 0 usr\n\n"],
  ["unread", "root/closed"],
  ["piece", "sha256", `${DIGEST}  usr/bin/tool\n\\${DIGEST}  usr/bin/o\\nther\n`],
  ["changed", "usr/bin/tool"],
  ["end", ""],
];
const withoutDpkg = (records: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  records.filter(([, name]) => name?.startsWith("dpkg") !== true);
const bytesOf = (records: readonly (readonly string[])[]): Buffer => Buffer.from(records.flat().join("\0"));
const RULES = "rules:\n  - name: own\n    reason: ours\n    matches: ['/opt/**', 'sysctl:vm/*']\n    ignores: all\n";
const KEYS = generateKeyPairSync("ed25519");
const SEED = bytesOf(SNAPSHOT);

export const AUDIT_TARGETS: readonly Target[] = [
  {
    name: "audit-snapshot",
    seeds: [SNAPSHOT, COLLECTED, withoutDpkg(SNAPSHOT), withoutDpkg(COLLECTED)].map(bytesOf),
    parse: (bytes) => {
      const table = new NodeTable();
      const reader = new SnapshotReader();
      table.add("first", reader.read(SEED));
      table.add("second", reader.read(snapshotOf(Buffer.from(bytes))));
      return compareNodes(table, { rules: KNOWN_NOISE });
    },
  },
  {
    name: "audit-signed",
    seeds: [seeds.text(signSnapshots(new Map([["node-1.snapshot", DIGEST]]), signerOf(KEYS)))],
    parse: (bytes) => parseSignedSnapshots(Buffer.from(bytes).toString("utf8"), KEYS.publicKey),
  },
  {
    name: "audit-rules",
    seeds: [seeds.text(RULES)],
    parse: (bytes) => parseRules(Buffer.from(bytes).toString("utf8"), "rules"),
  },
];

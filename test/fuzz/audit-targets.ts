/** What nodes say of themselves in an audit, and the rules that a user adds. */
import { compareNodes, KNOWN_NOISE, NodeTable, parseRules, SnapshotReader } from "@ashlar/audit";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const DIGEST = "ab".repeat(32);
const OWN = "1 1 2 1770000000.5";
const RECORDS: readonly (readonly string[])[] = [
  ["ashlar-audit/1"],
  ["text", "user", "0"],
  ["text", "os-release", 'PRETTY_NAME="Debian 13.2"\n'],
  ["text", "users", "root:0:0:/root:/bin/sh\n"],
  ["text", "sysctl", "/proc/sys/kernel/panic:10\n"],
  ["text", "mounts", "/dev/sda1 / ext4 rw 0 0\n"],
  ["text", "units", "ssh.service enabled enabled\n"],
  ["text", "dpkg", "one:amd64\t1.0\tii \n"],
  ["text", "dpkg-conffiles", ` /etc/one ${"0".repeat(32)}\n`],
  ["text", "dpkg-files", "==> var/lib/dpkg/info/one:amd64.list <==\n/bin/tool\n"],
  ["text", "dpkg-log", "2026-03-01 10:00:00 install one:amd64 <none> 1.0\n"],
  ["text", "rpm", "bash.x86_64\t0:5.2-1\t1770000100\n"],
  ["text", "rpm-files", "==> bash.x86_64 <==\nc\t/etc/bashrc\n\t/bin/bash\n"],
  ["text", "capabilities", "usr/bin/tool cap_net_raw=ep\n"],
  ["file", OWN, "usr/bin/tool", "f 755 0 0 5 "],
  ["file", "2 1 3 1.5", "usr/bin/other", "f 4755 0 0 5 "],
  ["file", OWN, "bin", "l 777 0 0 7 usr/bin"],
  ["file", OWN, "usr", "d 755 0 0 0 "],
  ["unread", "root/closed"],
  ["text", "sha256", `${DIGEST}  usr/bin/tool\n\\${DIGEST}  usr/a\\nb\n`],
  ["changed", "usr/bin/tool"],
  ["end", ""],
];
const RPM_RECORDS = RECORDS.filter(([, name]) => name?.startsWith("dpkg") !== true);
const RULES = "rules:\n  - name: own\n    reason: ours\n    matches: ['/opt/**', 'sysctl:vm/*']\n    ignores: all\n";
const SEED = Buffer.from(RECORDS.flat().join("\0"));

export const AUDIT_TARGETS: readonly Target[] = [
  {
    name: "audit-snapshot",
    seeds: [SEED, Buffer.from(RPM_RECORDS.flat().join("\0"))],
    parse: (bytes) => {
      const table = new NodeTable();
      const reader = new SnapshotReader();
      table.add("first", reader.read(SEED));
      table.add("second", reader.read(Buffer.from(bytes)));
      return compareNodes(table, { rules: KNOWN_NOISE });
    },
  },
  {
    name: "audit-rules",
    seeds: [seeds.text(RULES)],
    parse: (bytes) => parseRules(Buffer.from(bytes).toString("utf8"), "rules"),
  },
];

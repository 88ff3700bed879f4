/** What nodes say of themselves in an audit, and the rules that a user adds. */
import { compareNodes, KNOWN_NOISE, NodeTable, parseRules, parseSnapshot } from "@ashlar/audit";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const DIGEST = "ab".repeat(32);
const FILE = ["755", "0", "0", "5", "1770000000.5", "1:2"];
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
  ["text", "capabilities", "usr/bin/tool cap_net_raw=ep\n"],
  ["file", "f", ...FILE, "usr/bin/tool", ""],
  ["file", "l", ...FILE, "bin", "usr/bin"],
  ["file", "d", ...FILE, "usr", ""],
  ["unread", "root/closed"],
  ["sha256", DIGEST, "usr/bin/tool"],
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
      table.add("first", parseSnapshot(SEED));
      table.add("second", parseSnapshot(Buffer.from(bytes)));
      return compareNodes(table, { rules: KNOWN_NOISE });
    },
  },
  {
    name: "audit-rules",
    seeds: [seeds.text(RULES)],
    parse: (bytes) => parseRules(Buffer.from(bytes).toString("utf8"), "rules"),
  },
];

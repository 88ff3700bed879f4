/** Advisories that others publish, questions and versions that people type, and the class configs that are compared. */
import * as inventory from "@ashlar/inventory";
import * as seeds from "./seeds.ts";
import type { Target } from "./target.ts";

const OSV = {
  id: "DSA-1",
  aliases: ["CVE-2025-9230"],
  affected: [
    {
      package: { ecosystem: "Debian:13", name: "openssl" },
      ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.5.4-1~deb13u2" }] }],
      versions: ["3.5.4-1~deb13u1"],
    },
    {
      package: { ecosystem: "Go", name: "stdlib" },
      ranges: [
        { type: "SEMVER", events: [{ introduced: "1.24.0-0" }, { last_affected: "1.24.6" }, { limit: "2.0.0" }] },
      ],
    },
  ],
};
const TRACKER = {
  openssl: { "CVE-2025-9230": { releases: { trixie: { status: "resolved", fixed_version: "3.5.4-1~deb13u2" } } } },
  bash: { "CVE-1": { releases: { trixie: { status: "open" }, bookworm: { status: "undetermined" } } } },
};
const PART = {
  kind: "release",
  name: "ashlar",
  version: "1.0.0",
  inside: {
    packages: [
      {
        name: "libssl3t64",
        version: "3.5.4-1~deb13u1",
        architecture: "amd64",
        source: { name: "openssl", version: "3.5.4-1~deb13u1" },
      },
      { name: "stdlib", version: "1.24.6", architecture: "amd64" },
    ],
    files: [],
    digests: [],
  },
} as const;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** Parses, and judges by it a node that has what it may be about. */
function judge(bytes: Uint8Array): unknown {
  const { advisories } = inventory.parseAdvisories(textOf(bytes), "advisories.json");
  return inventory.judgeAdvisories(advisories, [PART, { ...PART, kind: "sysext" }]);
}

const CONFIG =
  "variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - &one {path: /etc/a, mode: 0644}\n    - *one\n";

export const INVENTORY_TARGETS: readonly Target[] = [
  {
    name: "advisories-osv",
    seeds: [seeds.text(JSON.stringify(OSV)), seeds.text(JSON.stringify([OSV, OSV]))],
    parse: judge,
  },
  { name: "advisories-tracker", seeds: [seeds.text(JSON.stringify(TRACKER))], parse: judge },
  {
    name: "debian-version",
    seeds: ["1:3.5.4-1~deb13u2", "0~~rc1+dfsg-1.1+b2", "1.0"].map((each) => seeds.text(each)),
    parse: (bytes) => inventory.compareDebianVersions(textOf(bytes), "1:3.5.4-1~deb13u1"),
  },
  {
    name: "go-version",
    seeds: ["v0.0.0-20240101000000-abcdefabcdef", "go1.24rc1", "v1.2.3-alpha.1+build"].map((each) => seeds.text(each)),
    parse: (bytes) => inventory.compareGoVersions(textOf(bytes), "v1.2.3-alpha.1"),
  },
  {
    name: "questions",
    seeds: ["openssl < 3.5.4-1~deb13u2", "crypto/tls@go1.24.6"].map((each) => seeds.text(each)),
    parse: (bytes) => {
      const text = textOf(bytes);
      return text.includes("@") ? inventory.parseModuleQuestion(text) : inventory.parsePackageQuestion(text);
    },
  },
  {
    name: "compared-config",
    seeds: [seeds.text(CONFIG)],
    parse: (bytes) => inventory.compareConfigs(textOf(bytes), CONFIG),
  },
];

import assert from "node:assert/strict";
import { test } from "node:test";
import { partsOf } from "../contents/contents.ts";
import { deb, extension, file, release, runningOf } from "../test-nodes.ts";
import { compareDebianVersions } from "../versions/debian-version.ts";
import { judgeVersion, type VersionEvent } from "./advisory.ts";
import { judgeAdvisories } from "./judge-advisories.ts";
import { joinAdvisories, parseAdvisories } from "./read-advisories.ts";
import { writeVex } from "./vex.ts";

const osv = (id: string, ecosystem: string, name: string, events: readonly object[], type = "ECOSYSTEM"): object => ({
  schema_version: "1.7.0",
  id,
  upstream: ["CVE-2025-1"],
  affected: [{ package: { ecosystem, name }, ranges: [{ type, events }] }],
});
const read = (value: unknown) => parseAdvisories(JSON.stringify(value), "advisories.json");

const OLD = release("1.0.0", [
  deb("libssl3t64", "3.5.4-1~deb13u1", "openssl"),
  deb("linux-image-6.12.48+deb13-amd64", "6.12.48-1", "linux-signed-amd64", "6.12.48+1"),
]);
const KUBERNETES = extension("kubernetes", "v1.33.4", {
  packages: [{ name: "stdlib", version: "1.24.6", architecture: "amd64" }],
  files: [file("/usr/bin/kubelet", "b")],
});
const parts = partsOf(runningOf(OLD, [KUBERNETES]), { releases: [OLD], extensions: [KUBERNETES] });
const judge = (value: unknown): string[] =>
  judgeAdvisories(read(value).advisories, parts).map(({ advisory, answer, packages }) =>
    [
      advisory.id,
      answer.answer,
      ...packages.map(({ what, version, state, fixedIn }) => `${what} ${version} ${state} ${fixedIn ?? "-"}`),
    ].join(" "),
  );

test("OSV records of Debian and of Go", () => {
  const FROM = { introduced: "0" };
  assert.deepEqual(
    judge([
      osv("DSA-1", "Debian:13", "openssl", [FROM, { fixed: "3.5.4-1~deb13u2" }]),
      osv("DSA-2", "Debian:13", "openssl", [FROM, { fixed: "3.5.4-1~deb13u1" }]),
      osv("DSA-3", "Debian:13", "bash", [FROM]),
      osv("DSA-4", "Debian:13", "linux", [FROM, { fixed: "6.12.50-1" }]),
      osv(
        "GO-1",
        "Go",
        "stdlib",
        [FROM, { fixed: "1.23.12" }, { introduced: "1.24.0-0" }, { fixed: "1.24.7" }],
        "SEMVER",
      ),
      osv(
        "GO-2",
        "Go",
        "stdlib",
        [FROM, { fixed: "1.23.12" }, { introduced: "1.24.0-0" }, { fixed: "1.24.6" }],
        "SEMVER",
      ),
    ]),
    [
      "DSA-1 has libssl3t64 3.5.4-1~deb13u1 affected 3.5.4-1~deb13u2",
      "DSA-2 has-not libssl3t64 3.5.4-1~deb13u1 not-affected -",
      "DSA-3 has-not",
      "DSA-4 has linux-image-6.12.48+deb13-amd64 6.12.48-1 affected 6.12.50-1",
      "GO-1 has stdlib 1.24.6 affected 1.24.7",
      "GO-2 has-not stdlib 1.24.6 not-affected -",
    ],
  );
  const others = read([
    osv("DSA-5", "Debian:12", "openssl", [FROM]),
    osv("GHSA-1", "npm", "left-pad", [FROM]),
    { ...osv("DSA-6", "Debian:13", "openssl", [FROM]), withdrawn: "2026-01-01T00:00:00Z" },
  ]);
  assert.deepEqual(joinAdvisories([others, others]), { advisories: [], others: 4, withdrawn: 2 });
});

test("Debian's tracker: open, resolved, never affected, undetermined", () => {
  const state = (status: string, fixed?: string): object => ({
    releases: { trixie: { status, ...(fixed === undefined ? {} : { fixed_version: fixed }), urgency: "low" } },
  });
  assert.deepEqual(
    judge({
      openssl: {
        "CVE-1": state("open"),
        "CVE-2": state("resolved", "3.5.4-1~deb13u2"),
        "CVE-3": state("resolved", "0"),
        "CVE-4": state("undetermined"),
        "CVE-5": { releases: { bookworm: { status: "open" } } },
      },
      linux: { "CVE-2": state("resolved", "6.12.1-1") },
    }),
    [
      "CVE-1 has libssl3t64 3.5.4-1~deb13u1 affected -",
      "CVE-2 has libssl3t64 3.5.4-1~deb13u1 affected 3.5.4-1~deb13u2 linux-image-6.12.48+deb13-amd64 6.12.48-1 not-affected -",
      "CVE-3 has-not libssl3t64 3.5.4-1~deb13u1 not-affected -",
      "CVE-4 unknown libssl3t64 3.5.4-1~deb13u1 unknown -",
    ],
  );
});

test("which versions a range has, whatever the order of its events", () => {
  const event = (text: string): VersionEvent => {
    const [kind, version = ""] = text.split(" ");
    if (kind === "introduced" || kind === "fixed" || kind === "last-affected" || kind === "limit")
      return { kind, version };
    throw new TypeError(text);
  };
  for (const [events, version, expected] of [
    [["introduced 0"], "0~~", "affected"],
    [["introduced 0", "fixed 2"], "2~rc1", "affected"],
    [["fixed 2", "introduced 0"], "2", "not-affected"],
    [["introduced 1", "last-affected 2"], "2", "affected"],
    [["introduced 1", "last-affected 2"], "2.0.1", "not-affected"],
    [["introduced 3", "fixed 2", "introduced 1", "fixed 4"], "2.5", "not-affected"],
    [["introduced 3", "fixed 2", "introduced 1", "fixed 4"], "3.5", "affected"],
    [["introduced 1"], "0.9", "not-affected"],
    [["introduced 0", "limit 2"], "2", "not-affected"],
    [["introduced 0", "limit 2"], "1", "affected"],
    [["introduced 0", "fixed _"], "1", "unknown"],
    [["introduced 0"], "", "affected"],
  ] as const) {
    const affected = { ecosystem: "debian", name: "x", ranges: [events.map(event)], versions: [] } as const;
    assert.equal(
      judgeVersion(version, affected, compareDebianVersions).state,
      expected,
      `${events.join(", ")}: ${version}`,
    );
  }
  const listed = { ecosystem: "debian", name: "x", ranges: [], versions: ["1.0-1"] } as const;
  assert.equal(judgeVersion("1.0-1", listed, compareDebianVersions).state, "affected");
  assert.equal(judgeVersion("1.0-2", listed, compareDebianVersions).state, "not-affected");
});

test("a part whose packages nobody knows leaves an advisory open, and another's finding stands", () => {
  const blind = partsOf(runningOf(OLD, [KUBERNETES]), { releases: [], extensions: [KUBERNETES] });
  const records = [
    osv("DSA-1", "Debian:13", "openssl", [{ introduced: "0" }]),
    osv("GO-1", "Go", "stdlib", [{ introduced: "0" }], "SEMVER"),
  ];
  const judged = judgeAdvisories(read(records).advisories, blind);
  assert.deepEqual(
    judged.map(({ answer }) => `${answer.answer} ${answer.reasons.join()}`.trim()),
    ["unknown release 1.0.0: no manifest of it is known", "has"],
  );
});

test("what is no advisory is refused with its place", () => {
  for (const [json, message] of [
    ["{", /^advisories\.json: expected JSON/u],
    ["[1]", /^advisories\.json: /u],
    ['{"id":"x","affected":[{"package":1}]}', /\$\.affected\.0\.package/u],
    ['{"openssl":{"CVE-1":{"releases":1}}}', /expected releases of CVE-1 of openssl/u],
    [JSON.stringify(osv("x", "Debian:13", "y", [{}])), /advisories\.json: x: expected events with introduced/u],
  ] as const)
    assert.throws(() => parseAdvisories(json, "advisories.json"), { name: "AshlarError", message }, json);
});

test("VEX: CycloneDX with each package that nodes have, and nothing about others", () => {
  const { advisories } = read([
    osv("DSA-1", "Debian:13", "openssl", [{ introduced: "0" }, { fixed: "3.5.4-1~deb13u2" }]),
    osv("DSA-2", "Debian:13", "openssl", [{ introduced: "0" }, { fixed: "1" }]),
    osv("DSA-3", "Debian:13", "bash", [{ introduced: "0" }]),
  ]);
  const serialNumber = "urn:uuid:00000000-0000-4000-8000-000000000000";
  const input = { nodes: 3, now: new Date("2026-03-04T05:06:07Z"), serialNumber };
  const text = writeVex({ ...input, groups: [{ nodes: 2, judged: judgeAdvisories(advisories, parts) }] });
  const vex: {
    specVersion: string;
    components: { "bom-ref": string }[];
    vulnerabilities: { id: string; analysis: object; affects: object[]; recommendation?: string }[];
  } = JSON.parse(text);
  const purl = "pkg:deb/debian/libssl3t64@3.5.4-1~deb13u1?arch=amd64&distro=trixie";
  assert.equal(vex.specVersion, "1.6");
  assert.deepEqual(
    vex.components.map((each) => each["bom-ref"]),
    [purl],
  );
  const affects = (status: string): object[] => [{ ref: purl, versions: [{ version: "3.5.4-1~deb13u1", status }] }];
  const [first, second, ...more] = vex.vulnerabilities;
  assert.deepEqual(more, []);
  assert.deepEqual(first?.affects, affects("affected"));
  assert.equal(first?.recommendation, "Update to a release with 3.5.4-1~deb13u2 or later");
  assert.match(JSON.stringify(first?.analysis), /"in_triage".*Proven: 2 of 3 nodes run an affected version/u);
  assert.deepEqual(second?.affects, affects("unaffected"));
  assert.match(JSON.stringify(second?.analysis), /"not_affected","justification":"code_not_present"/u);
});

/** `ashlar which` over kept evidence and a certificate, with the manifests of a signed repository. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { certifyTestFleet, writeTestFleet } from "../inventory/test-evidence.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-which-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const fleet = await writeTestFleet(directory);
writeFileSync(inside("kubernetes.manifest.json"), JSON.stringify(fleet.extension));
const FROM = ["--from", fleet.evidence];
const PUBLISHED = ["--releases", fleet.repository, "--release-root", fleet.releaseRoot];
const ALL = [...FROM, ...PUBLISHED, "--extension-manifests", inside("kubernetes.manifest.json")];

function which(...args: readonly string[]): { status: number | null; lines: string[]; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../main.ts");
  const env = { ...process.env, XDG_STATE_HOME: inside("state") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "which", ...args], { encoding: "utf8", env });
  const lines = stdout.trimEnd().split("\n");
  return { status, lines: lines.map((line) => line.replaceAll(/ {2,}/gu, " | ")), stdout, stderr };
}

test("a package on proven nodes, from the manifests of a signed repository; a silent node is unknown", () => {
  const { status, lines, stderr } = which("openssl < 3.5.4-1~deb13u2", ...ALL);
  assert.deepEqual(
    lines,
    [
      "NODE | ANSWER | WHAT | VERSION | IN",
      "a | proven to have | libssl3t64 | 3.5.4-1~deb13u1 | release 1.0.0",
      "b | proven to have | libssl3t64 | 3.5.4-1~deb13u1 | release 1.0.0",
      "c | proven not to have | - | - | -",
      "d | unknown | - | - | the node is unknown, not proven",
      "package openssl < 3.5.4-1~deb13u2: 4 nodes: 2 proven to have it, 1 proven not to have it, 1 unknown",
    ],
    stderr,
  );
  assert.equal(status, 1);
});

test("without manifests nothing but extensions is known", () => {
  const { status, stdout } = which("--file", "/usr/bin/runc", ...FROM, "--json");
  const { counts, nodes }: { counts: object; nodes: { reasons: string[] }[] } = JSON.parse(stdout);
  assert.deepEqual([status, counts], [2, { has: 0, "has-not": 0, unknown: 4 }]);
  assert.match(nodes[0]?.reasons[0] ?? "", /^release 1\.0\.0: no manifest of it is known/u);
  const extension = which("--extension", "kubernetes < v1.33.5", ...FROM);
  assert.equal(extension.status, 1);
  assert.match(extension.stdout, /^c +proven to have +kubernetes +v1\.33\.4 +sysext kubernetes v1\.33\.4$/mu);
  assert.match(extension.stdout, /^a +proven not to have/mu);
});

test("nodes of a certificate: only whose signature holds", async () => {
  const { text, keys } = await certifyTestFleet(fleet);
  writeFileSync(inside("cert.json"), text);
  writeFileSync(inside("certify.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));
  const certificate = ["--certificate", inside("cert.json"), "--key", inside("certify.pub")];
  const found = which("--digest", `sha256:${"a".repeat(64)}`, ...certificate, ...PUBLISHED, "--json");
  const { nodes }: { nodes: { name: string; answer: string }[] } = JSON.parse(found.stdout);
  assert.deepEqual(
    nodes.map(({ name, answer }) => `${name} ${answer}`),
    // The extension's manifest is nowhere, so that what else is on c is not known.
    ["a has", "b has", "c unknown", "d unknown"],
  );
  writeFileSync(inside("cert.json"), text.replace('"level":"proven"', '"level":"unknown"'));
  const changed = which("runc", ...certificate);
  assert.deepEqual([changed.status, changed.stdout], [65, ""]);
  assert.match(changed.stderr, /cert\.json: (?:other-tree|node-changed)/u);
  assert.equal(which("runc", "--certificate", inside("cert.json")).status, 64);
});

test("OSV records of a directory: what affects whom, and VEX", () => {
  const record = (id: string, fixed: string): string =>
    JSON.stringify({
      id,
      upstream: ["CVE-2025-9230"],
      affected: [
        {
          package: { ecosystem: "Debian:13", name: "openssl" },
          ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }],
        },
      ],
    });
  mkdirSync(inside("osv"));
  writeFileSync(inside("osv/DSA-1.json"), record("DSA-1", "3.5.4-1~deb13u2"));
  writeFileSync(inside("osv/DSA-2.json"), record("DSA-2", "3.5.4-1~deb13u1"));
  const { status, lines, stderr } = which("--osv", inside("osv"), "--vex", inside("vex.json"), ...ALL);
  assert.deepEqual(
    lines.map((line) => line.trim()),
    [
      "2 nodes (a, b): release 1.0.0",
      "| DSA-1 (CVE-2025-9230): libssl3t64 3.5.4-1~deb13u1 in release 1.0.0, fixed in 3.5.4-1~deb13u2",
      "| of 2 advisories: proven to have 1, proven not to have 1, 0 unknown",
      "1 node (c): release 1.1.0, sysext kubernetes v1.33.4",
      "| of 2 advisories: proven to have 0, proven not to have 2, 0 unknown",
      "1 node (d): unknown: unknown, not proven",
    ],
    stderr,
  );
  assert.equal(status, 1);
  const vex: { vulnerabilities: { id: string; affects: { ref: string }[] }[] } = JSON.parse(
    readFileSync(inside("vex.json"), "utf8"),
  );
  assert.deepEqual(
    vex.vulnerabilities.map(({ id, affects }) => `${id} ${affects.length}`),
    ["DSA-1 2", "DSA-2 2"],
  );
});

test("wrong usage ends with 64 before any node is asked", () => {
  for (const args of [
    [],
    ["openssl"],
    ["openssl", "--file", "/usr/bin/x", ...FROM],
    ["Open SSL", ...FROM],
    ["--file", "/var/x", ...FROM],
    ["openssl", "--vex", "x", ...FROM],
    ["openssl", ...FROM, "--certificate", "x", "--key", "y"],
  ]) {
    const { status, stdout, stderr } = which(...args);
    assert.deepEqual([status, stdout], [64, ""], args.join(" "));
    assert.match(stderr, /^error: expected/mu);
  }
  assert.equal(which("--osv", inside("nowhere"), ...FROM).status, 66);
});

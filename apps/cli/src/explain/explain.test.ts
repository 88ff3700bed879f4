/** `ashlar explain` over kept evidence and certificates, with the manifests of a signed repository. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseCertificate } from "@ashlar/fleet";
import { certifyTestFleet, CONFIGS, signTestCertificate, writeTestFleet } from "../inventory/test-evidence.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-explain-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const fleet = await writeTestFleet(directory);
writeFileSync(inside("worker.ign"), CONFIGS.worker);
writeFileSync(inside("storage.ign"), CONFIGS.storage);
const FROM = ["--from", fleet.evidence];
const PUBLISHED = ["--releases", fleet.repository, "--release-root", fleet.releaseRoot];

function explain(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../main.ts");
  const env = { ...process.env, XDG_STATE_HOME: inside("state") };
  return spawnSync(process.execPath, [main, "explain", ...args], { encoding: "utf8", env, cwd: directory });
}

test("groups of nodes, and what each differs in: packages, files, boot chain, extensions, keys of the configuration", () => {
  const { status, stdout, stderr } = explain(...FROM, ...PUBLISHED, "--configs", "worker.ign", "storage.ign");
  const [head, , first, , second, ...lines] = stdout.trimEnd().split("\n");
  assert.equal(head, "4 nodes, 2 identities, of 1 nobody knows what they run", stderr);
  assert.equal(first, "group 1: 2 nodes (a, b), 2 proven: release 1.0.0; the others are compared with it");
  assert.equal(second, "group 2: 1 node (c), 1 proven: release 1.1.0, sysext kubernetes v1.33.4");
  const text = lines.join("\n").replaceAll(/[0-9a-f]{12,64}/gu, "DIGEST");
  assert.ok(
    text.startsWith(`  release: 1.0.0 -> 1.1.0
    packages: 1 changed, 0 added, 0 removed
      ~ libssl3t64 3.5.4-1~deb13u1 -> 3.5.4-1~deb13u2
    files: 1 changed, 0 added, 0 removed
      ~ /usr/bin/runc
    boot chain:`),
    text,
  );
  assert.match(text, /^ {2}sysext kubernetes: not merged -> v1\.33\.4 \(DIGEST\)$/mu);
  assert.match(
    text,
    /^ {2}configuration: worker\.ign -> storage\.ign\n {4}storage: nothing -> "\{\}" \(storage\.ign:1\)$/mu,
  );
  assert.match(text, /^not known: 1 node \(d\)$/mu);
  assert.match(text, /^1 node \(d\): stored evidence: .*found none in /mu);
  assert.match(text, /^firmware: the same on 3 nodes$/mu);
  assert.equal(status, 1);
});

test("what is not known is said, and JSON has everything", () => {
  const plain = explain(...FROM);
  assert.match(plain.stdout, /^ {4}no manifest of both is known: name their repository with --releases/mu);
  assert.match(plain.stdout, /^ {2}configuration: unknown \(sha256 [0-9a-f]{12}\) -> unknown \(/mu);
  const { stdout } = explain(...FROM, ...PUBLISHED, "--json");
  const { groups }: { groups: { nodes: string[]; differences: { release: { contents: object } } | null }[] } =
    JSON.parse(stdout);
  assert.deepEqual(
    groups.map(({ nodes, differences }) => [nodes, differences === null]),
    [
      [["a", "b"], true],
      [["c"], false],
    ],
  );
  assert.ok(groups[1]?.differences?.release.contents);
});

test("from one certificate to a later one", async () => {
  const { text, keys } = await certifyTestFleet(fleet);
  writeFileSync(inside("certify.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(inside("monday.json"), text);
  const monday = parseCertificate(text);
  assert.equal(monday.kind, "fleet");
  const runningOfNode = (name: string) => {
    const running = monday.running.get(monday.nodes.find((node) => node.name === name)?.runs ?? "");
    if (running === undefined) throw new TypeError(`${name} is in the certificate`);
    return running;
  };
  const tuesday = signTestCertificate(keys, [
    { name: "a", level: "proven", running: runningOfNode("c") },
    { name: "b", level: "mismatch", running: runningOfNode("b") },
    { name: "e", level: "proven", running: runningOfNode("a") },
  ]);
  writeFileSync(inside("tuesday.json"), tuesday);
  const both = ["--certificate", "monday.json", "tuesday.json", "--key", "certify.pub"];
  const { status, stdout, stderr } = explain(...both, ...PUBLISHED);
  assert.match(stdout, /^changed: 1 node \(a\): now release 1\.1\.0, sysext kubernetes v1\.33\.4$/mu, stderr);
  assert.match(stdout, /^ {6}~ libssl3t64 3\.5\.4-1~deb13u1 -> 3\.5\.4-1~deb13u2$/mu);
  assert.match(stdout, /^joined: 1 node \(e\)\nleft: 2 nodes \(c, d\)\nb: proven -> mismatch$/mu);
  assert.match(stdout, /^1 changed, 1 joined, 2 left, 1 at another level$/mu);
  assert.equal(status, 1);
  const same = explain("--certificate", "monday.json", "monday.json", "--key", "certify.pub");
  assert.deepEqual([same.status, same.stdout], [0, "0 changed, 0 joined, 0 left, 0 at another level\n"]);
  const one = explain("--certificate", "monday.json", "--key", "certify.pub");
  assert.match(one.stdout, /^firmware: not known here/mu);
  writeFileSync(inside("tuesday.json"), tuesday.replace('"level":"mismatch"', '"level":"proven"'));
  assert.equal(explain(...both).status, 65);
  assert.equal(explain("--certificate", "monday.json", "tuesday.json").status, 64);
});

test("one page: self-contained, every text as text, for groups and for what changed between certificates", async () => {
  const run = explain(...FROM, ...PUBLISHED, "--configs", "worker.ign", "storage.ign", "--html", "page.html");
  assert.equal(run.status, 1, run.stderr);
  const page = readFileSync(inside("page.html"), "utf8");
  assert.equal(statSync(inside("page.html")).mode & 0o777, 0o600);
  assert.match(
    page,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">/u,
  );
  assert.doesNotMatch(page, /<script|src=|href=|url\(/iu);
  assert.match(page, /<h1><b>4<\/b> nodes, <b>2<\/b> identities, of <b>1<\/b> nobody knows what they run<\/h1>/u);
  assert.match(page, /Group 2 <small>1 node, 1 proven<\/small>/u);
  assert.match(page, /~ libssl3t64 3\.5\.4-1~deb13u1 -&#62; 3\.5\.4-1~deb13u2/u);
  assert.match(page, /Not known<\/h2>.*<span>d<\/span>/su);
  assert.match(page, /Firmware<\/h2>.*the same on 3 nodes/su);
  const { renderChanges, renderExplanation } = await import("./render-explanation.ts");
  const hostile = `<img src=x onerror="alert(1)">\u202e`;
  const running = { identity: null, release: hostile, config: null, extensions: [] };
  const differences = {
    release: { from: hostile, to: hostile, contents: null, bootChain: null },
    extensions: [],
    configuration: { from: { sha256: null, name: hostile }, to: { sha256: null, name: hostile }, keys: null },
  };
  const all = [
    renderExplanation(
      {
        groups: [
          { running, nodes: [hostile], levels: { proven: 1 }, differences: null },
          { running, nodes: [hostile], levels: { mismatch: 1 }, differences },
        ],
        unknown: [hostile],
        complaints: [{ text: hostile, nodes: [hostile] }],
        firmware: [],
      },
      hostile,
    ),
    renderChanges(
      {
        changes: [{ from: running, to: running, nodes: [hostile], differences }],
        joined: [hostile],
        left: [hostile],
        levels: [{ name: hostile, from: "proven", to: "mismatch" }],
      },
      hostile,
    ),
  ];
  for (const text of all) {
    assert.doesNotMatch(text, /<img|\u202e|onerror="/u);
    assert.ok(text.split("&#60;img").length > 6, "it is there, as text");
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CAUSES } from "@ashlar/audit";
import { CAUSE_NAMES } from "../commands/audit.ts";

const MAIN = join(import.meta.dirname, "../main.ts");
const ALIKE = process.getuid?.() === 0 ? 0 : 2;
const directory = mkdtempSync(join(tmpdir(), "audit-cli-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const at = (path: string): string => join(directory, path);

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function ashlar(...args: readonly string[]): Ended {
  return spawnSync(process.execPath, [MAIN, ...args], { cwd: directory, encoding: "utf8" });
}

function audit(...args: readonly string[]): Ended {
  return ashlar("audit", ...args);
}

for (const name of ["a", "b", "c"]) {
  mkdirSync(at(`${name}/usr/lib`), { recursive: true });
  mkdirSync(at(`${name}/etc`));
  writeFileSync(at(`${name}/usr/lib/os-release`), 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n');
  writeFileSync(at(`${name}/etc/machine-id`), `${name}\n`);
}
writeFileSync(at("c/usr/tcpdump\u001b[31m"), "left behind");

test("the causes on the command line are those that there are", () => {
  assert.deepEqual(CAUSE_NAMES, CAUSES);
});

test("nodes alike, nodes different, and the first line", () => {
  const alike = audit("--root", "a", "b", "--out", "snapshots");
  assert.equal(alike.status, ALIKE, alike.stderr);
  assert.match(alike.stdout, /^2 nodes, 1 filesystem; all report Debian GNU\/Linux 13 \(trixie\)\n/u);
  assert.match(alike.stdout, /machine-id: made at random/u);
  assert.match(alike.stdout, /proves nothing/u);
  assert.deepEqual(readdirSync(at("snapshots")), ["a.pieces", "a.snapshot", "b.pieces", "b.snapshot"]);

  const different = audit("--from", "snapshots", "--root", "c");
  assert.equal(different.status, 1);
  assert.match(different.stdout, /^3 nodes, 2 filesystems/u);
  assert.match(
    different.stdout,
    /files that no package owns: 1, 11 bytes here\n\s+\/usr\/tcpdump\\u001b\[31m: only here, file, 11 bytes/u,
  );
});

test("JSON, a baseline, causes that count, rules that are switched off or added", () => {
  const args = ["--root", "a", "b", "c", "--json"];
  const report = JSON.parse(audit(...args, "--baseline", "c").stdout);
  assert.deepEqual([report.schema, report.level, report.filesystems], ["ashlar.audit/v1", "reported", 2]);
  assert.deepEqual(
    report.groups.map((group: { nodes: string[] }) => group.nodes),
    [["c"], ["a", "b"]],
  );
  assert.equal(audit(...args, "--fail-on", "packages").status, ALIKE);
  assert.equal(JSON.parse(audit(...args, "--no-rule", "machine-id").stdout).filesystems, 3);
  writeFileSync(at("rules.yaml"), "rules:\n  - {name: tools, reason: ours, matches: [/usr/tcpdump*], ignores: all}\n");
  const quiet = audit(...args, "--rules", "rules.yaml");
  assert.equal(quiet.status, ALIKE, quiet.stderr);
  assert.equal(JSON.parse(quiet.stdout).noise[0].ignored, 1);
});

test("a node that fails is listed, and the others are compared", () => {
  cpSync(at("snapshots"), at("broken"), { recursive: true });
  writeFileSync(at("broken/z.snapshot"), readFileSync(at("broken/a.snapshot")).subarray(0, -5));
  const { status, stdout } = audit("--from", "broken", "--root", "nowhere");
  assert.equal(status, 2);
  assert.match(stdout, /; 2 nodes more could not be collected\n/u);
  assert.match(stdout, /not collected: nowhere: cannot enter nowhere/u);
  assert.match(stdout, /not collected: z: expected a field that ends/u);
});

test("what has changed on each node since it was collected before", () => {
  cpSync(at("snapshots"), at("earlier"), { recursive: true });
  cpSync(at("earlier/a.snapshot"), at("earlier/away.snapshot"));
  writeFileSync(at("b/usr/strace"), "new");
  assert.equal(audit("--root", "a", "b", "--out", "later").status, 1);
  cpSync(at("later/a.snapshot"), at("later/more.snapshot"));
  const { status, stdout, stderr } = audit("--from", "later", "--since", "earlier");
  assert.equal(status, 1, stderr);
  assert.match(
    stdout,
    /since earlier: 1 of 2 nodes changed\n {2}b\n {4}files that no package owns: 1, 3 bytes here\n\s+\/usr\/strace: new/u,
  );
  assert.match(stdout, /not there before: more\n {2}only there before: away\n/u);
  const { since } = JSON.parse(audit("--from", "later", "--since", "earlier", "--json").stdout);
  assert.deepEqual([since.unchanged, since.added, since.gone], [["a"], ["more"], ["away"]]);
  assert.equal(since.changed[0].causes.unowned[0].path, "/usr/strace");
  const back = audit("--from", "earlier", "--since", "later");
  assert.match(back.stdout, /\/usr\/strace: gone/u);
  assert.equal(back.status, 1);
  assert.equal(audit("--from", "later", "--since", "later/nothing").status, 66);
  assert.equal(audit("--from", "later", "--since", "./later/").status, 64);
  writeFileSync(at("earlier/b.snapshot"), "broken");
  const broken = audit("--from", "later", "--since", "earlier", "--html", "since.html", "--fail-on", "packages");
  assert.equal(broken.status, 2, broken.stderr);
  assert.match(broken.stdout, /since earlier: 0 of 1 node changed\n.*\n.*\n {2}not compared: b: /u);
  assert.match(readFileSync(at("since.html"), "utf8"), /Changed since earlier: 0 of 1 node.*not compared: b: /su);
});

test("snapshots that were signed: changed, added, gone, by another key, not signed", () => {
  const keys = ["own", "other"].map((name) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    writeFileSync(at(`${name}.pem`), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    writeFileSync(at(`${name}.pub`), publicKey.export({ type: "spki", format: "pem" }));
    return name;
  });
  cpSync(at("a"), at("d"), { recursive: true });
  assert.equal(audit("--root", "a", "d", "--out", "signed", "--key", `${keys[0]}.pem`).status, ALIKE);
  const check = (change: () => void, key = "own.pub", ...args: string[]): Ended => {
    rmSync(at("copy"), { recursive: true, force: true });
    cpSync(at("signed"), at("copy"), { recursive: true });
    change();
    return audit(...(args.length > 0 ? args : ["--from", "copy"]), "--signed-by", key);
  };
  assert.equal(check(() => undefined).status, ALIKE);
  assert.equal(check(() => undefined, "own.pub", "--root", "a", "--since", "copy").status, ALIKE);
  const other = check(() => undefined, "other.pub");
  assert.deepEqual([other.status, /expected a signature by the key/u.test(other.stderr)], [65, true], other.stderr);
  const changed = check(() => writeFileSync(at("copy/d.snapshot"), readFileSync(at("signed/a.snapshot"))));
  assert.equal(changed.status, 2);
  assert.match(changed.stdout, /not collected: d: expected a snapshot that was signed, found another\n/u);
  const added = check(() => cpSync(at("copy/d.snapshot"), at("copy/c.snapshot")));
  assert.match(added.stdout, /not collected: c: expected a snapshot that was signed, found one that was not\n/u);
  const gone = check(() => rmSync(at("copy/d.snapshot")));
  assert.equal(gone.status, 2);
  assert.match(gone.stdout, /not collected: d: its snapshot was signed, and is not there\n/u);
  const before = check(() => rmSync(at("copy/d.snapshot")), "own.pub", "--root", "a", "--since", "copy");
  assert.match(before.stdout, /not compared: d: its snapshot was signed, and is not there\n/u);
  const unsigned = check(() => rmSync(at("copy/snapshots.intoto.json")));
  assert.match(unsigned.stderr, /expected signed snapshots at copy\/snapshots\.intoto\.json/u);
  assert.equal(audit("--root", "a", "--signed-by", "own.pub").status, 64);
  assert.equal(audit("--root", "a", "--key", "own.pem").status, 64);
});

test("the first group as a class: a node's tree gives what it declares", () => {
  mkdirSync(at("own/etc/systemd/system"), { recursive: true });
  mkdirSync(at("own/etc/sysctl.d"), { recursive: true });
  writeFileSync(at("own/etc/sysctl.d/90-own.conf"), "vm.swappiness = 1\n");
  writeFileSync(at("own/etc/systemd/system/own.service"), "[Service]\nExecStart=/usr/bin/true\n");
  writeFileSync(at("own/etc/secret"), "s", { mode: 0o600 });
  const { status, stdout, stderr } = audit("--root", "own", "--suggest-butane", "class");
  assert.equal(status, ALIKE, stderr);
  assert.match(stdout, /own as a class: class\/class\.bu, with 2 files, 1 unit, 0 users\./u);
  assert.match(stdout, /left out: \/etc\/secret: not everybody may read it/u);
  assert.equal(
    readFileSync(at("class/files.list"), "utf8"),
    "etc/sysctl.d/90-own.conf\netc/systemd/system/own.service\n",
  );
  const check = ["butane", "--check", "--strict", "--target", "ashlar", "--files-dir", "own", "class/class.bu"];
  const { status: checked, stderr: problems } = ashlar(...check);
  assert.equal(checked, 0, problems);
  const { suggested } = JSON.parse(audit("--root", "own", "--suggest-butane", "class", "--json").stdout);
  assert.deepEqual([suggested.files, suggested.leftOut[0].path], [2, "/etc/secret"]);
});

test("what is wrong on the command line", () => {
  const cases: readonly [readonly string[], RegExp, number][] = [
    [["--from", "a"], /expected files that end with \.snapshot in a/u, 66],
    [["--from", "snapshots", "--no-rule", "none"], /expected the name of a rule after --no-rule, found none/u, 64],
    [["--from", "snapshots", "--baseline", "z"], /baseline, found z/u, 64],
    [["--root", "nowhere"], /no node could be collected; nowhere/u, 69],
  ];
  for (const [args, message, status] of cases) {
    const found = audit(...args);
    assert.match(found.stderr, message);
    assert.equal(found.status, status, found.stderr);
  }
});

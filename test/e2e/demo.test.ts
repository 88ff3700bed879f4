/** The demo is the first promise of the README: it must end as it says, and leave what it says. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { findProcesses, run, stateDirectory } from "@ashlar/host";
import { ROOT } from "./world.ts";

const MINUTES = 60_000;
const DIRECTORY = join(ROOT, "out/demo");
type Act = { readonly title: string; readonly attempt: string; readonly result: string; readonly held: boolean };
type Report = {
  readonly proof: {
    readonly verdict: string;
    readonly identities: number;
    readonly nodes: readonly { level: string }[];
  };
  readonly acts: readonly Act[];
  readonly held: boolean;
};
let report: Report;
/** What its labs had started when it began to prove its nodes. */
let startedMeanwhile: ReturnType<typeof processesOfDemo> | undefined;

before(
  async () => {
    const onLine = (line: string): void => {
      console.log(line);
      if (line.startsWith("== Prove that")) startedMeanwhile = processesOfDemo();
    };
    await run("node", ["apps/demo/src/main.ts"], { cwd: ROOT, onLine, acceptStatus: [0, 1] });
    report = JSON.parse(await readFile(join(DIRECTORY, "report.json"), "utf8"));
  },
  { timeout: 75 * MINUTES },
);

test("two nodes are proven to be one identity", () => {
  assert.equal(report.proof.verdict, "proven");
  assert.equal(report.proof.identities, 1);
  assert.deepEqual(
    report.proof.nodes.map(({ level }) => level),
    ["proven", "proven"],
  );
});

const EXPECTED: readonly (readonly [string, RegExp])[] = [
  ["Update one node", /^node-1 1\.1\.0 proven, node-2 1\.0\.0 proven, [0-9.]+ MB fetched/u],
  ["Update it to a release", /^rolled back to 1\.1\.0 on its own, proven: .*the disk controller does not answer/su],
  ["Update the kubelet", /^node-1 v1\.33\.5 proven, node-2 v1\.33\.4 proven; its container runs on.*MB fetched/u],
  ["Update it from a server", /^refused: .*; refused: verity signature: .*; node-2 v1\.33\.4 proven$/su],
  ["Attack 1", /refused: both are read-only/u],
  ["Attack 2", /none of it is in effect; the node is proven/u],
  ["Attack 3", /block \d+ is not as released \(\/usr\/lib\/systemd\/systemd/u],
  ["Attack 4", /mismatch: .*\/usr\/lib\/sysctl\.d\/10-ashlar\.conf/u],
  ["Attack 5", /refused: /u],
  [
    "Attack 6",
    /^meanwhile proven, with an exception: debug-tools \S+: debug session until .*; after the next reboot gone, the copy cannot be run, proven$/u,
  ],
];
for (const [title, result] of EXPECTED) {
  test(`${title} ends as it must`, () => {
    const acts = report.acts.filter((act) => act.title.startsWith(title));
    assert.ok(acts.length > 0, "it was played");
    for (const act of acts) {
      assert.ok(act.held, `${act.attempt}: ${act.result}`);
      assert.match(act.result, result);
    }
  });
}

test("replay, another TPM's quote and an edited log are all tried", () => {
  assert.equal(report.acts.filter(({ title }) => title.startsWith("Attack 5")).length, 3);
});

test("other programs accept the kept evidence", { timeout: 20 * MINUTES }, async () => {
  for (const node of ["node-1", "node-2"]) {
    const at = (name: string): string => join(DIRECTORY, "evidence", node, name);
    const qualification = (await readFile(at("qualifying-data"))).toString("hex");
    const files = ["-u", at("ak.pub"), "-m", at("quote.msg"), "-s", at("quote.sig")];
    await run("tpm2_checkquote", [...files, "-g", "sha256", "-q", qualification]);
    await run("tpm2_eventlog", [at("firmware-log.bin")]);
    await run("openssl", ["x509", "-inform", "der", "-in", at("ek-cert.der"), "-noout", "-subject"]);
  }
});

test("the page shows the verdict and every attack, and loads nothing from elsewhere", async () => {
  const page = await readFile(join(DIRECTORY, "report.html"), "utf8");
  assert.match(page, /2 nodes, 1 identity: <span class="proven">proven/u);
  assert.equal(page.match(/>held$/gmu)?.length, report.acts.length);
  assert.doesNotMatch(page, /<(?:script|link|img|iframe)|\b(?:src|href)=|url\(/u);
});

test("no machine of the demo is left running", async () => {
  assert.ok((await startedMeanwhile)?.length, "machines were found while the demo ran");
  assert.deepEqual(
    (await processesOfDemo()).map(({ argv }) => argv.join(" ")),
    [],
  );
});

/** All that the demo's labs have started: QEMU, swtpm and servers have a path of their lab among their arguments. */
async function processesOfDemo() {
  const labs = join(stateDirectory(), "labs");
  const directories = ["demo", "demo-changed"].map((name) => join(labs, name, "/"));
  return await findProcesses((argv) => argv.some((text) => directories.some((directory) => text.includes(directory))));
}

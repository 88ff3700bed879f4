/** Whom prove and update trust, as users say it: in the store of their configuration, and with intermediates from the network. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import {
  akExtensions,
  authorityExtensions,
  ekExtensions,
  issuerUrlExtension,
  publicKeyOf,
  TestAuthority,
  testCertificate,
  TestNode,
} from "@ashlar/identity/test-fixtures";
import { CONFIG, ExtensionMachine, NEW, OLD, OPERATOR_PEM, RELEASE, TOOLS } from "@ashlar/rollout/test-fixtures";

const directory = mkdtempSync(join(tmpdir(), "ashlar-trusted-nodes-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

mkdirSync(inside("extensions"));
for (const each of [OLD, NEW, TOOLS]) {
  writeFileSync(inside(`extensions/${each.name}-${each.version}-x86-64.manifest.json`), JSON.stringify(each));
}
writeFileSync(inside("manifest.json"), JSON.stringify(RELEASE));
writeFileSync(inside("class.ign"), CONFIG);
writeFileSync(inside("operator.pem"), OPERATOR_PEM);
const DECLARED = ["--image", inside("manifest.json"), "--config", inside("class.ign")];
const KNOWN = [...DECLARED, "--extension", inside("extensions")];

const root = testCertificate({ commonName: "Root", extensions: authorityExtensions() });
const between = testCertificate({ commonName: "Between", issuer: root, extensions: authorityExtensions() });
writeFileSync(inside("root.pem"), root.pem);

const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  response.writeHead(request.url === "/between.cer" ? 200 : 404).end(between.der);
}).listen(0, "127.0.0.1");
await once(server, "listening");
after(() => server.close());
const address = server.address();
const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/between.cer`;

const authority = new TestAuthority();

type Result = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** The agent is in this process, so that it must not wait. */
async function ashlar(configDirectory: string, ...args: readonly string[]): Promise<Result> {
  const env = { ...process.env, XDG_CONFIG_HOME: inside(configDirectory) };
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), ...args], { env });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: Number(status), stdout, stderr };
}

const SAID = { noIssuer: /no trusted issuer named CN=Between/u, proven: /all proven\n$/u };

test("prove and update use the user's store without any option, and fetch what is missing only when asked to", async () => {
  const tpm = new TestNode(authority);
  const publicKey = publicKeyOf(tpm.keys.ekPublic);
  const extensions = [...ekExtensions(), issuerUrlExtension(url)];
  tpm.useEkCertificate(testCertificate({ publicKey, issuer: between, extensions }).der);
  await using agent = await new ExtensionMachine(tpm).start();
  const prove = async (pins: string, ...more: readonly string[]): Promise<Result> =>
    await ashlar("home", "prove", ...KNOWN, "--nodes", agent.url, "--pins", inside(pins), ...more);

  assert.match((await prove("unused.json")).stdout, /no trusted makers were given/u);
  assert.equal((await ashlar("home", "trust", "add", inside("root.pem"))).status, 0);
  const refused = await prove("prove.json");
  assert.equal(refused.status, 1, refused.stdout + refused.stderr);
  assert.match(refused.stdout, SAID.noIssuer);
  assert.deepEqual(asked, []);
  const fetched = await prove("prove.json", "--fetch-intermediates");
  assert.equal(fetched.status, 0, fetched.stdout + fetched.stderr);
  assert.match(fetched.stdout, SAID.proven);
  assert.deepEqual(asked.splice(0), ["/between.cer"]);
  // What was fetched is pinned beside the keys.
  assert.equal((await prove("prove.json")).status, 0);
  assert.deepEqual(asked, []);

  const update = async (...more: readonly string[]): Promise<Result> => {
    const order = ["--component", "kubernetes", "--operator-key", inside("operator.pem")];
    const where = ["--nodes", agent.url, "--pins", inside("update.json")];
    return await ashlar("home", "update", ...KNOWN, ...where, ...order, ...more);
  };
  const untold = await update();
  assert.notEqual(untold.status, 0);
  assert.match(untold.stdout + untold.stderr, SAID.noIssuer);
  const updated = await update("--fetch-intermediates");
  assert.equal(updated.status, 0, updated.stdout + updated.stderr);
  assert.match(updated.stdout, /updated +v1\.33\.2 +v1\.33\.5/u);
  assert.deepEqual(asked.splice(0), ["/between.cer"]);
});

test("a cloud's virtual TPM is proven when the cloud is trusted as one, and not as a maker", async () => {
  const tpm = new TestNode(authority);
  const publicKey = publicKeyOf(tpm.useCloudKey("e", 0x0005_0472));
  const extensions = [...akExtensions("2.23.133.8.3"), issuerUrlExtension(url)];
  const certificate = testCertificate({ commonName: "vm", publicKey, issuer: between, extensions });
  tpm.useAkCertificate(certificate.der);
  await using agent = await new ExtensionMachine(tpm).start();
  const run = async (...args: readonly string[]): Promise<Result> => await ashlar("cloud", ...args);
  const prove = async (...more: readonly string[]): Promise<Result> =>
    await run(
      "prove",
      ...KNOWN,
      "--nodes",
      agent.url,
      "--pins",
      inside("cloud.json"),
      "--fetch-intermediates",
      ...more,
    );

  await run("trust", "add", inside("root.pem"));
  const asMaker = await prove();
  assert.equal(asMaker.status, 2, asMaker.stdout + asMaker.stderr);
  assert.match(asMaker.stdout, /no trusted clouds were given/u);
  const added = await run("trust", "add", "--cloud", inside("root.pem"));
  assert.match(added.stdout, /CN=Root {2}\(cloud\)\n$/u);
  const proven = await prove("--json", "--evidence", inside("evidence"));
  assert.equal(proven.status, 0, proven.stdout + proven.stderr);
  assert.deepEqual(JSON.parse(proven.stdout).nodes[0].notes.slice(0, 1), [
    "attestation key certified by CN=Between, under CN=Root",
  ]);
  for (const entry of readdirSync(inside("evidence"), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) assert.ok(!readFileSync(path).includes(CONFIG), `${path} has the node's configuration`);
  }
  const kept = await run("prove", "--from", inside("evidence"));
  assert.equal(kept.status, 0, kept.stdout + kept.stderr);

  writeFileSync(inside("ak.der"), certificate.der);
  const check = await run("trust", "check", inside("ak.der"), "--cloud", "--fetch-intermediates");
  assert.match(check.stdout, /chain: +CN=Between\nchain: +CN=Root\ntrusted: +yes\n$/u);
  const asEk = await run("trust", "check", inside("ak.der"), "--fetch-intermediates");
  assert.match(asEk.stdout, /trusted: +no: a certificate that names no TPM manufacturer/u);

  const { makers } = JSON.parse((await run("trust", "list", "--json")).stdout);
  assert.deepEqual(
    makers.map(({ purpose }: { purpose: string }) => purpose),
    ["maker", "cloud"],
  );
  assert.equal((await run("trust", "remove", "--cloud", makers[1].sha256)).status, 0);
  const removed = await prove();
  assert.equal(removed.status, 2, removed.stdout + removed.stderr);
});

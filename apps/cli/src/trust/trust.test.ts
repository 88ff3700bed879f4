import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { authorityExtensions, ekExtensions, issuerUrlExtension, testCertificate } from "@ashlar/identity/test-fixtures";

const directory = mkdtempSync(join(tmpdir(), "ashlar-trust-"));
after(() => rmSync(directory, { recursive: true }));

type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

async function trust(...args: readonly string[]): Promise<Result> {
  const main = join(import.meta.dirname, "../main.ts");
  const env = { ...process.env, XDG_CONFIG_HOME: directory };
  const child = spawn(process.execPath, [main, "trust", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [status]] = await Promise.all([
    child.stdout.toArray(),
    child.stderr.toArray(),
    once(child, "close"),
  ]);
  return { status: Number(status), stdout: stdout.join(""), stderr: stderr.join("") };
}

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const root = testCertificate({ commonName: "Maker Root", extensions: authorityExtensions() });
const other = testCertificate({ commonName: "Other Root", extensions: authorityExtensions() });
const ek = file("ek.der", testCertificate({ issuer: root, extensions: ekExtensions() }).der);

test("makers are added in any form, listed, used and removed", async () => {
  const none = await trust("check", ek);
  assert.equal(none.status, 1, none.stderr);
  assert.match(none.stdout, /no maker is trusted yet: add/u);
  const makers = join(directory, "makers");
  mkdirSync(makers);
  writeFileSync(join(makers, "other.cer"), other.der);
  writeFileSync(join(makers, "README"), "no certificate");
  assert.equal((await trust("add", makers)).status, 0);
  const stranger = await trust("check", ek);
  assert.match(stranger.stdout, /^maker: +ASH\nmodel: +Test TPM\nfirmware: +7\.2\nkey: +P-256\n/u);
  assert.match(stranger.stdout, /trusted: +no: no trusted issuer named CN=Maker Root\n$/u);
  assert.match(
    (await trust("add", file("root.pem", root.pem))).stdout,
    /^[0-9a-f]{64} {2}until 2040-01-01 {2}CN=Maker Root\n$/u,
  );
  const trusted = await trust("check", ek, "--json");
  assert.equal(trusted.status, 0, trusted.stdout);
  const { chain, problem } = JSON.parse(trusted.stdout);
  assert.deepEqual([chain, problem], [["CN=Maker Root"], null]);
  const { makers: listed } = JSON.parse((await trust("list", "--json")).stdout);
  assert.deepEqual(
    listed.map(({ subject }: { subject: string }) => subject),
    ["CN=Maker Root", "CN=Other Root"],
  );
  const removed = await trust("remove", listed[0].sha256.slice(0, 12));
  assert.match(removed.stdout, /CN=Maker Root/u);
  assert.equal((await trust("check", ek)).status, 1);
});

test("what cannot be trusted is refused, and nothing is added", async () => {
  const store = join(directory, "ashlar/trust");
  mkdirSync(store, { recursive: true });
  const before = readdirSync(store);
  const refused = await trust("add", ek);
  assert.equal(refused.status, 65);
  assert.match(refused.stderr, /expected certificates of authorities/u);
  assert.equal((await trust("add", file("page.html", "<html>"))).status, 65);
  assert.equal((await trust("remove", "0000000000")).status, 66);
  assert.equal((await trust("remove", "zz")).status, 64);
  assert.deepEqual(readdirSync(store), before);
});

test("intermediates are fetched only when asked for, and only as much as is sensible", async () => {
  const answers = new Map<string, Uint8Array>();
  const asked: string[] = [];
  await using server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const body = answers.get(request.url ?? "");
    response.writeHead(body === undefined ? 404 : 200).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const between = testCertificate({ commonName: "Between", issuer: root, extensions: authorityExtensions() });
  const leaf = (path: string): string => {
    const extensions = [...ekExtensions(), issuerUrlExtension(`${base}${path}`)];
    return file(`leaf${path.slice(1)}.der`, testCertificate({ issuer: between, extensions }).der);
  };
  answers.set("/between.cer", between.der);
  answers.set("/large", Buffer.alloc(100_000));
  const roots = ["--ek-roots", file("roots.pem", root.pem)];
  assert.equal((await trust("check", leaf("/between.cer"), ...roots)).status, 1);
  assert.deepEqual(asked, []);
  const fetched = await trust("check", leaf("/between.cer"), ...roots, "--fetch-intermediates");
  assert.equal(fetched.status, 0, fetched.stdout + fetched.stderr);
  assert.match(fetched.stdout, /chain: +CN=Between\nchain: +CN=Maker Root\ntrusted: +yes/u);
  const large = await trust("check", leaf("/large"), ...roots, "--fetch-intermediates");
  assert.deepEqual([large.status, /at most 65536 bytes/u.test(large.stderr)], [1, true]);
  const missing = await trust("check", leaf("/nothing"), ...roots, "--fetch-intermediates");
  assert.deepEqual([missing.status, /found 404/u.test(missing.stderr)], [1, true]);
});

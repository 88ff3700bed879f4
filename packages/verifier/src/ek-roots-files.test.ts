import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { X509Certificate } from "node:crypto";
import { authorityExtensions, testCertificate } from "@ashlar/identity/test-fixtures";
import { parseEkRoots } from "@ashlar/identity";
import { pemOf, readEkRoots, trustStoreInUse, trustStorePath } from "./ek-roots-files.ts";
import { addTrusted } from "./trust-store.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-roots-"));
after(() => rmSync(directory, { recursive: true }));
process.env["XDG_CONFIG_HOME"] = directory;

const one = testCertificate({ commonName: "One", extensions: authorityExtensions() });
const two = testCertificate({ commonName: "Two", extensions: authorityExtensions() });

test("a directory of certificates is one bundle, whatever else lies in it", async () => {
  const makers = join(directory, "makers");
  mkdirSync(join(makers, "old"), { recursive: true });
  writeFileSync(join(makers, "one.CER"), one.der);
  writeFileSync(join(makers, "two.pem"), two.pem);
  writeFileSync(join(makers, "README.txt"), "not a certificate");
  const roots = await readEkRoots(makers);
  assert.equal(roots.anchors.size, 2);
  const again = parseEkRoots(pemOf(roots.certificates)).certificates.map(({ x509 }) => x509.fingerprint256);
  assert.deepEqual(
    again,
    [one, two].map(({ der }) => new X509Certificate(der).fingerprint256),
  );
  writeFileSync(join(makers, "three.crt"), "<html>");
  await assert.rejects(readEkRoots(makers), { code: "invalid", message: /three\.crt: .*a web page/u });
});

test("what is not there, and what holds no certificate, is said so", async () => {
  await assert.rejects(readEkRoots(join(directory, "nowhere")), { code: "not-found" });
  await assert.rejects(readEkRoots(join(directory, "makers", "old")), { code: "invalid", message: /found none/u });
  await assert.rejects(readEkRoots("/dev/zero"), { code: "invalid" });
});

test("the user's store is used once there is anything in it", async () => {
  assert.equal(await trustStoreInUse(), undefined);
  const file = join(directory, "one.der");
  writeFileSync(file, one.der);
  await addTrusted(file);
  assert.equal(await trustStoreInUse(), trustStorePath());
  assert.equal((await readEkRoots(trustStorePath())).anchors.size, 1);
});

import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadTlsIdentity } from "./tls-identity.ts";

await test("the TLS key is kept, readable by its owner alone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-tls-"));
  const path = join(directory, "tls.pem");
  const first = await loadTlsIdentity(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await loadTlsIdentity(path), first);
  assert.ok(new X509Certificate(first.pem).checkPrivateKey(createPrivateKey(first.pem)));
  rmSync(directory, { recursive: true });
});

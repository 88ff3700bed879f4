import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { signModule } from "./kernel-module.ts";

const MAGIC = "~Module signature appended~\n";
const TRAILER_BYTES = 12;

test("a module's signature is one that OpenSSL takes, described as Linux wants it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2"];
    await run("openssl", [...request, "-keyout", key, "-out", certificate]);
    const certificatePem = await readFile(certificate, "utf8");
    const module = Buffer.from("\x7fELF and so on");
    const signed = signModule(module, { privateKey: createPrivateKey(await readFile(key)), certificatePem });

    assert.equal(signed.subarray(-MAGIC.length).toString("latin1"), MAGIC);
    const end = signed.length - MAGIC.length - TRAILER_BYTES;
    const trailer = signed.subarray(end, end + TRAILER_BYTES);
    assert.deepEqual([...trailer.subarray(0, 8)], [0, 0, 2, 0, 0, 0, 0, 0]);
    const signature = signed.subarray(end - trailer.readUInt32BE(8), end);
    assert.equal(module.length + signature.length, end);
    const [signatureFile, content] = [join(directory, "signature"), join(directory, "content")];
    await writeFile(signatureFile, signature);
    await writeFile(content, module);
    const verify = ["smime", "-verify", "-binary", "-inform", "DER", "-in", signatureFile, "-content", content];
    await run("openssl", [...verify, "-CAfile", certificate, "-purpose", "any"]);
    await writeFile(content, "something else");
    await assert.rejects(run("openssl", [...verify, "-CAfile", certificate, "-purpose", "any"]), { code: "failed" });
  });
});

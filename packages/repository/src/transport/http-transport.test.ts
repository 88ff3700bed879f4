import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:https";
import { once } from "node:events";
import { test } from "node:test";
import { selfSignedCertificatePem } from "@ashlar/formats";
import { createTransport } from "./create-transport.ts";

test("a server whose certificate nobody vouches for is not spoken to", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = selfSignedCertificatePem(privateKey, "localhost", Uint8Array.of(1));
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  let requests = 0;
  const server = createServer({ key, cert }, (_, response) => {
    requests += 1;
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    const transport = createTransport(`https://localhost:${address.port}`);
    await assert.rejects(transport.open("metadata/timestamp.json", {}), {
      code: "unavailable",
      message: /certificate/u,
    });
    assert.equal(requests, 0);
  } finally {
    server.close();
  }
});

test("nobody answers", async () => {
  const transport = createTransport("http://127.0.0.1:9/");
  await assert.rejects(transport.open("x", {}), { code: "unavailable", message: /ECONNREFUSED/u });
});

test("what is no URL of a repository", () => {
  for (const url of ["", "/var/repository", "ftp://example.org/", "https://"]) {
    assert.throws(() => createTransport(url), { code: "usage" });
  }
});

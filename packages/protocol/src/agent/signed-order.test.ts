import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { operatorPin } from "./operator-key.ts";
import { openSignedOrder, type Order, parseOrderNonce, type SignedOrder, signOrder } from "./signed-order.ts";

const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
const OPERATORS = [operatorPin(operator.publicKey)];
const ORDER: Order = {
  machineId: "ab".repeat(16),
  bootId: "0f0e0d0c-0b0a-0908-0706-050403020100",
  nonce: "n".repeat(43),
  path: "/v1/update",
  request: '{"to":"1.1.0"}',
};

function signed(order: Order = ORDER): SignedOrder {
  return JSON.parse(signOrder(order, operator.privateKey)) as SignedOrder;
}

test("what an operator signs comes out as it went in, whatever the request", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (request) => {
      const opened = openSignedOrder(signOrder({ ...ORDER, request }, operator.privateKey), OPERATORS);
      assert.deepEqual(opened, { order: { ...ORDER, request }, operator: OPERATORS[0] });
    }),
    { numRuns: 50 },
  );
});

test("OpenSSL agrees on what is signed", () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-order-"));
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const { order, signature } = signed();
  // r and s as DER integers (RFC 3279, 2.2.3).
  const [r, s] = [0, 32].map((start) =>
    Buffer.from(signature, "base64")
      .subarray(start, start + 32)
      .toString("hex"),
  );
  const script = `asn1=SEQUENCE:sig\n[sig]\nr=INTEGER:0x${r}\ns=INTEGER:0x${s}\n`;
  const der = join(directory, "signature");
  execFileSync("openssl", ["asn1parse", "-genconf", file("conf", script), "-noout", "-out", der]);
  const key = file("key", operator.publicKey.export({ type: "spki", format: "pem" }));
  const message = file("message", `ashlar.order/v1\0${order}`);
  execFileSync("openssl", ["dgst", "-sha256", "-verify", key, "-signature", der, message]);
  rmSync(directory, { recursive: true });
});

test("a changed order, another's key and another's signature are refused", () => {
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = JSON.parse(signOrder(ORDER, stranger.privateKey)) as SignedOrder;
  const { order } = signed({ ...ORDER, request: '{"to":"1.2.0"}' });
  for (const [wrong, message] of [
    [other, /expected the key of an operator of this node, found sha256:[0-9a-f]{64}/u],
    [{ ...signed(), order }, /a signature by sha256:[0-9a-f]{64} over this very order/u],
    [{ ...signed(), signature: other.signature }, /a signature by/u],
    [{ ...other, key: signed().key }, /a signature by/u],
  ] as const) {
    assert.throws(() => openSignedOrder(JSON.stringify(wrong), OPERATORS), { code: "untrusted", message });
  }
  assert.throws(() => openSignedOrder(JSON.stringify(signed()), []), { code: "untrusted" });
});

test("a plain request is nobody's order, and says what is expected", () => {
  for (const text of ["", "{}", '{"to":"1.1.0"}']) {
    const message = /an order that an operator has signed \(ashlar\.order\/v1\), found none/u;
    assert.throws(() => openSignedOrder(text, OPERATORS), { code: "untrusted", message });
  }
});

test("what is no signed order, or one of another version, is malformed", () => {
  const long = { ...ORDER, request: "x".repeat(5000) };
  for (const [text, message] of [
    ["x", /JSON object/u],
    ["[]", /JSON object/u],
    [JSON.stringify({ ...signed(), schema: "ashlar.order/v2" }), /ashlar\.order\/v1.*found "ashlar\.order\/v2"/u],
    [JSON.stringify({ ...signed(), more: 1 }), /known members only, found "more"/u],
    [JSON.stringify({ ...signed(), order: 1 }), /\$\.order/u],
    [JSON.stringify({ ...signed(), key: "!" }), /\$\.key/u],
    [JSON.stringify({ ...signed(), signature: "AAAA" }), /64 bytes at \$\.signature/u],
    [signOrder(long, operator.privateKey), /at most 4096/u],
    [signOrder({ ...ORDER, machineId: "x" }, operator.privateKey), /\$\.machineId/u],
    [signOrder({ ...ORDER, nonce: "x" }, operator.privateKey), /\$\.nonce/u],
    [signOrder({ ...ORDER, path: "/v2" }, operator.privateKey), /\$\.path/u],
  ] as const) {
    assert.throws(() => openSignedOrder(text, OPERATORS), { code: "malformed", message }, text.slice(0, 60));
  }
});

test("a key of another kind signs no orders, even if update.yaml names it", () => {
  const ed25519 = generateKeyPairSync("ed25519").publicKey;
  const key = ed25519.export({ type: "spki", format: "der" }).toString("base64");
  const open = (): unknown => openSignedOrder(JSON.stringify({ ...signed(), key }), [operatorPin(ed25519)]);
  assert.throws(open, { code: "malformed", message: /P-256, found "ed25519"/u });
});

test("a nonce is read as strictly", () => {
  const nonce = { schema: "ashlar.order-nonce/v1", nonce: ORDER.nonce, bootId: ORDER.bootId } as const;
  assert.deepEqual(parseOrderNonce(JSON.stringify(nonce)), nonce);
  for (const wrong of ["", "[]", JSON.stringify({ ...nonce, nonce: "" }), JSON.stringify({ ...nonce, schema: "x" })]) {
    assert.throws(() => parseOrderNonce(wrong), { code: "malformed" });
  }
});

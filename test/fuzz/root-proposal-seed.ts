import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from "node:crypto";
import { canonicalJson } from "@ashlar/base";

/** RFC 8410: what comes before an Ed25519 key's 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const RAW_KEY_BYTES = 32;

type KeyJson = { keytype: string; scheme: string; keyval: { public: string } };

/** A next-root.json: one root role in effect, signed by itself, and one to come with two keys of which both sign. */
export function rootProposal(): string {
  const [old, own] = [keyOf(1), keyOf(2)];
  const current = signed(rootRole(1, [old], 1), [old]);
  const next = signed(rootRole(2, [old, own], 2), [old, own]);
  return JSON.stringify({ schema: "ashlar-next-root-1", next, roots: [current] });
}

function keyOf(fill: number): KeyObject {
  const key = Buffer.concat([PKCS8, Buffer.alloc(RAW_KEY_BYTES, fill)]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function publicJson(key: KeyObject): KeyJson {
  const raw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-RAW_KEY_BYTES);
  return { keytype: "ed25519", scheme: "ed25519", keyval: { public: raw.toString("hex") } };
}

function idOf(key: KeyObject): string {
  return hash("sha256", canonicalJson(publicJson(key)));
}

function rootRole(version: number, keys: readonly KeyObject[], threshold: number) {
  const role = { keyids: keys.map(idOf), threshold };
  return {
    _type: "root",
    spec_version: "1.0.31",
    version,
    expires: "2030-01-01T00:00:00Z",
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map((key) => [idOf(key), publicJson(key)])),
    roles: { root: role, targets: role, snapshot: role, timestamp: role },
  };
}

function signed(role: ReturnType<typeof rootRole>, keys: readonly KeyObject[]): object {
  const bytes = Buffer.from(canonicalJson(role));
  const signatures = keys.map((key) => ({ keyid: idOf(key), sig: sign(null, bytes, key).toString("hex") }));
  return { signatures, signed: role };
}

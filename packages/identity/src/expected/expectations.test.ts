import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { expectationsOf } from "./expectations.ts";
import { configWord, parseConfigWord } from "@ashlar/protocol";
import { sha256 } from "@ashlar/formats";
import { nodeIdentity } from "./node-identity.ts";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { declaredInConfigs, findUnpinnedSources } from "@ashlar/declaration";

const RELEASE = testRelease("1.0.0");
const HASH = `sha512-${"ab".repeat(64)}`;
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const find = (value: unknown): string[] => findUnpinnedSources(bytes(value), "config");
const file = (contents: object): object => ({ storage: { files: [{ path: "/etc/x", contents }] } });
const merge = (config: object): object => ({ ignition: { config: { merge: [config] } } });
const dataUrl = (content: Uint8Array): string => `data:;base64,${Buffer.from(content).toString("base64")}`;

test("expectations hold the digests of the exact bytes; an absent part is zero bytes", () => {
  const classConfig = bytes(file({ source: "data:,x" }));
  const found = expectationsOf({ release: RELEASE, classConfig, nodeConfig: new Uint8Array() });
  assert.equal(found.classConfigSha256, sha256(classConfig));
  assert.equal(found.nodeConfigSha256, sha256(""));
});

test("content from elsewhere needs a hash, wherever it is", () => {
  const remote = { source: "https://example.org/x" };
  const unpinned = [
    file(remote),
    file({ source: "http://example.org/x", verification: {} }),
    file({ ...remote, verification: { hash: "sha512-short" } }),
    { storage: { files: [{ append: [{ source: "s3://bucket/x" }] }] } },
    { ignition: { security: { tls: { certificateAuthorities: [remote] } } } },
    { storage: { luks: [{ keyFile: remote }] } },
    merge({ ...remote, verification: { hash: HASH } }),
    { ignition: { config: { replace: { ...remote, verification: { hash: HASH } } } } },
    merge({ source: dataUrl(bytes(file(remote))) }),
    merge({ source: dataUrl(gzipSync(bytes(file(remote)))), compression: "gzip" }),
    merge({ source: `data:,${encodeURIComponent(JSON.stringify(merge({ source: dataUrl(bytes(file(remote))) })))}` }),
  ];
  for (const config of unpinned) assert.equal(find(config).length, 1, JSON.stringify(config));
  assert.match(
    find(unpinned[0]).join(""),
    /^https:\/\/example.org\/x without verification.hash at config.storage.files.0/u,
  );
  assert.throws(
    () => expectationsOf({ release: RELEASE, classConfig: bytes(unpinned[0]), nodeConfig: new Uint8Array() }),
    { code: "invalid", message: /^class config: .*https:\/\/example.org\/x/u },
  );
});

test("inline content, and content with a hash, is decided by the config", () => {
  const pinned = [
    {},
    file({ source: "data:,https://example.org" }),
    file({ source: null }),
    file({ source: "" }),
    file({ source: "https://example.org/x", verification: { hash: HASH } }),
    merge({ source: dataUrl(bytes(file({ source: "data:,x" }))) }),
  ];
  for (const config of pinned) assert.deepEqual(find(config), [], JSON.stringify(config));
  assert.deepEqual(findUnpinnedSources(new Uint8Array(), "config"), []);
});

test("only an extension's image may come from anywhere: its signature and root hash decide what is in it", () => {
  const at = (path: unknown, more: object = {}): object => ({
    storage: { files: [{ path, contents: { source: "https://example.org/x" }, ...more }] },
  });
  const image = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
  assert.deepEqual(find(at(image)), []);
  const others = [
    at("/opt/extensions/kubernetes/kubelet"),
    at("/opt/extensions/kubernetes-v1.33.2-x86-64.raw"),
    at("/opt/extensions/kubernetes/../../etc/x-1-x86-64.raw"),
    at(image.replace("/kubernetes/", "/other/")),
    at(`${image}/x`),
    at(image, { contents: {}, append: [{ source: "https://example.org/x" }] }),
    { contents: { source: "https://example.org/x" } },
    merge({ path: image, contents: { source: "https://example.org/x" }, source: "https://example.org/y" }),
  ];
  for (const config of others) assert.ok(find(config).length > 0, JSON.stringify(config));
});

test("a config that cannot be read is refused, also a merged one", () => {
  const quoted = `data:text/plain;x=",",${JSON.stringify({})}`;
  const noData = ["data:;base64,!!", "data:;base64,e30", "data:;base64,e3 0=", "data:", "data:,%", "data:,%7", quoted];
  for (const source of [...noData, dataUrl(Buffer.from("{"))]) {
    assert.throws(() => find(merge({ source })), { code: "malformed" }, source);
  }
  assert.throws(() => find(merge({ source: dataUrl(Buffer.from("x")), compression: "gzip" })), { code: "malformed" });
  let nested = bytes({});
  for (let depth = 0; depth < 6; depth++) nested = bytes(merge({ source: dataUrl(nested) }));
  assert.throws(() => findUnpinnedSources(nested, "config"), { code: "limit" });
  const bomb4 = gzipSync(`{"a":"${" ".repeat(4 * 1024 * 1024)}"}`);
  const packed = { source: dataUrl(bomb4), compression: "gzip" };
  const many = { ignition: { config: { merge: Array.from({ length: 100 }, () => packed) } } };
  assert.throws(() => find(many), { code: "limit" });
  const deep = Buffer.from(`${"[".repeat(1000)}${"]".repeat(1000)}`);
  assert.throws(() => findUnpinnedSources(deep, "config"), { code: "limit" });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  assert.throws(() => find(merge({ source: dataUrl(bomb), compression: "gzip" })), { code: "limit" });
});

test("members that Go reads in another way than JavaScript are refused, in merged configs, too", () => {
  const twice = '{"storage":{"files":[{"path":"/a","contents":{"source":"https://a.example/"},"contents":{}}]}}';
  const escaped = twice.replace('"contents":{}', '"c\\u006fntents":{}');
  const refused: readonly [text: string, message: RegExp][] = [
    [twice, /config\.storage\.files\.0: expected each member once, found "contents" again$/u],
    [escaped, /config\.storage\.files\.0: expected each member once, found "contents" again$/u],
    [twice.replace('"contents":{}', '"Contents":{}'), /files\.0: expected each member once, found "Contents" again$/u],
    ['{"a":[{"x":1},{"X":1,"y":{},"x":2}]}', /config\.a\.1: expected each member once, found "x" again$/u],
    ['{"a":{"\u017Fource":"https://a.example/"}}', /config\.a: expected names .* ASCII, found "\\u\{17f\}ource"$/u],
    ['{"a":{"\\u017fource":"https://a.example/"}}', /ASCII, found "\\u\{17f\}ource"$/u],
    ['{"lin\u212As":[]}', /config: expected names of members in ASCII, found "lin\\u\{212a\}s"$/u],
    ['{"a":{"\u001b[2Ksource":""}}'.replace("\u001b", "\\u001b"), /ASCII, found "\\u001b\[2Ksource"$/u],
    ['{"a":{"Source":"https://a.example/"}}', /config\.a: expected the member source, found "Source"$/u],
    ['{"STORAGE":{}}', /config: expected the member storage, found "STORAGE"$/u],
    ['\uFEFF{"storage":{}}', /expected Ignition JSON/u],
  ];
  for (const [text, message] of refused) {
    const is = { code: "malformed", message };
    assert.throws(() => findUnpinnedSources(Buffer.from(text), "config"), is, text);
    const inside = merge({ source: dataUrl(Buffer.from(text)) });
    assert.throws(
      () => find(inside),
      { code: "malformed", message: new RegExp(message.source.replace(/^config:?/u, ""), "u") },
      text,
    );
    assert.throws(() => declaredInConfigs(Buffer.from(text), new Uint8Array()), { code: "malformed" }, text);
    assert.throws(() => declaredInConfigs(new Uint8Array(), bytes(inside)), { code: "malformed" }, text);
  }
  const good = '{"a":[{"x":"\\"x\\",{:"},{"x":"\\\\"}],"x":{"a":["x","x"]},"sources":"\u017F"}';
  assert.deepEqual(findUnpinnedSources(Buffer.from(good), "config"), []);
});

test("any bytes give a list or an AshlarError", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (config) => {
        try {
          findUnpinnedSources(config, "config");
        } catch (error) {
          if (!(error instanceof AshlarError)) throw error;
        }
      },
    ),
  );
});

test("config words are read back only in their one form", () => {
  const digest = "ab".repeat(32);
  for (const part of ["class", "node"] as const) {
    assert.equal(configWord(part, digest), `ashlar-config-${part}:sha256:${digest}`);
    assert.deepEqual(parseConfigWord(configWord(part, digest)), { part, sha256: digest });
  }
  for (const word of [
    "",
    "ashlar-config-class:sha256:",
    configWord("class", digest.toUpperCase()),
    ` ${configWord("class", digest)}`,
  ]) {
    assert.equal(parseConfigWord(word), undefined);
  }
});

test("an identity changes with each thing in it and with nothing else", () => {
  const digest = sha256("config");
  const identity = nodeIdentity(RELEASE, digest);
  // Documented, so that others can compute it.
  const document = `{"classConfig":"${digest}","extensions":[],"release":"1.0.0","uki":"${RELEASE.uki.authenticode}","usr":"${RELEASE.usr.rootHash}"}`;
  assert.equal(identity, sha256(document));
  const zeros = "0".repeat(64);
  const others = [
    nodeIdentity({ ...RELEASE, version: "1.0.1" }, digest),
    nodeIdentity({ ...RELEASE, usr: { ...RELEASE.usr, rootHash: zeros } }, digest),
    nodeIdentity({ ...RELEASE, uki: { ...RELEASE.uki, authenticode: zeros } }, digest),
    nodeIdentity(RELEASE, zeros),
    nodeIdentity(RELEASE, digest, [{ kind: "sysext", name: "kubernetes", rootHash: zeros }]),
    nodeIdentity(RELEASE, digest, [{ kind: "confext", name: "kubernetes", rootHash: zeros }]),
    nodeIdentity(RELEASE, digest, [{ kind: "sysext", name: "kubernetes", rootHash: digest }]),
  ];
  assert.equal(new Set([identity, ...others]).size, 8);
  assert.equal(nodeIdentity({ ...RELEASE, files: [], packages: [], sysextLevel: "2" }, digest), identity);
  const a = { kind: "sysext", name: "a", rootHash: zeros } as const;
  const both = [a, { ...a, kind: "confext" }, { ...a, name: "b" }] as const;
  assert.equal(nodeIdentity(RELEASE, digest, both), nodeIdentity(RELEASE, digest, both.toReversed()));
  const listed = `{"kind":"sysext","name":"a","rootHash":"${zeros}"}`;
  assert.equal(nodeIdentity(RELEASE, digest, [a]), sha256(document.replace("[]", `[${listed}]`)));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { deb, extension, file, node, release } from "../test-nodes.ts";
import type { KnownNode } from "../contents/known-node.ts";
import { askNodes } from "./ask-nodes.ts";
import {
  parseDigestQuestion,
  parseExtensionQuestion,
  parseFileQuestion,
  parseModuleQuestion,
  parsePackageQuestion,
  questionText,
  type Question,
} from "./question.ts";

const LIBSSL = deb("libssl3t64", "3.5.4-1~deb13u1", "openssl");
const OLD = release(
  "1.0.0",
  [deb("runc", "1.1.15+ds1-2+b4", "runc", "1.1.15+ds1-2"), LIBSSL],
  [file("/usr/bin/runc", "a")],
);
const NEW = release("1.1.0", [deb("runc", "1.1.15+ds1-2", "runc"), deb("openssl", "3.5.4-1~deb13u2", "openssl")]);
/** As an earlier Ashlar has written manifests. */
const SOURCELESS = release("0.9.0", [deb("runc", "1.0-1"), deb("libssl3t64", "3.0-1")]);
const GO = { name: "stdlib", version: "1.24.6", architecture: "amd64" };
const NET = { name: "golang.org/x/net", version: "v0.38.0", architecture: "amd64" };
const KUBERNETES = extension("kubernetes", "v1.33.4", { packages: [NET, GO], files: [file("/usr/bin/kubelet", "b")] });
const DOWNLOADED = extension("cilium", "v1.2.0", {
  packages: [{ name: "github.com/cilium/cilium", version: "v1.2.0", architecture: "amd64" }],
  files: [file("/usr/bin/cilium", "d")],
});
const OF_AN_IMAGE = extension("tools", "1", { files: [file("/usr/bin/tool", "e")] });
const ETC = extension("policy", "2", { kind: "confext", files: [file("/etc/policy.json", "f")] });
const MANIFESTS = { releases: [OLD, NEW, SOURCELESS], extensions: [KUBERNETES, DOWNLOADED, OF_AN_IMAGE, ETC] };

const ask = (question: Question, each: KnownNode, manifests: typeof MANIFESTS = MANIFESTS): string => {
  const [answer] = askNodes(question, [each], manifests);
  if (answer === undefined) throw new TypeError("one node, one answer");
  const found = answer.findings.map(({ what, version, in: part }) => `${what} ${version ?? "-"} in ${part}`);
  return [answer.answer, ...found, ...answer.reasons].join("; ");
};

const PLAIN = node("plain", OLD);
const WORKER = node("worker", NEW, [KUBERNETES, ETC]);
const CILIUM = node("cilium", OLD, [DOWNLOADED]);
const TOOLS = node("tools", NEW, [OF_AN_IMAGE]);
const BEFORE = node("before", SOURCELESS);

test("packages: by their own name or their source's, in Debian's order; what no manifest says is unknown", () => {
  for (const [text, each, expected] of [
    ["openssl < 3.5.4-1~deb13u2", PLAIN, "has; libssl3t64 3.5.4-1~deb13u1 in release 1.0.0"],
    ["openssl < 3.5.4-1~deb13u2", WORKER, "has-not"],
    ["openssl >= 3.5.4-1~deb13u2", WORKER, "has; openssl 3.5.4-1~deb13u2 in release 1.1.0"],
    ["openssl", PLAIN, "has; libssl3t64 3.5.4-1~deb13u1 in release 1.0.0"],
    ["openssl", TOOLS, "has; openssl 3.5.4-1~deb13u2 in release 1.1.0"],
    ["libssl3t64 = 3.5.4-1~deb13u1", PLAIN, "has; libssl3t64 3.5.4-1~deb13u1 in release 1.0.0"],
    ["runc > 1.1.15+ds1-2", PLAIN, "has; runc 1.1.15+ds1-2+b4 in release 1.0.0"],
    ["bash", PLAIN, "has-not"],
    ["bash", TOOLS, "unknown; sysext tools 1: it does not say of which packages it was made"],
    ["bash", CILIUM, "has-not"],
    ["runc < 2", BEFORE, "has; runc 1.0-1 in release 0.9.0"],
    ["openssl", BEFORE, "unknown; release 0.9.0: its manifest, by an earlier Ashlar, does not name source packages"],
  ] as const)
    assert.equal(ask(parsePackageQuestion(text), each), expected, `${text} on ${each.name}`);
});

test("files, digests and extensions", () => {
  const digest = (letter: string): Question => parseDigestQuestion(`sha256:${letter.repeat(64)}`);
  const FILE = `sha256:${"a".repeat(64)}`;
  for (const [question, each, expected] of [
    [parseFileQuestion("/usr/bin/runc"), PLAIN, `has; /usr/bin/runc ${FILE} in release 1.0.0`],
    [parseFileQuestion("/bin/runc"), PLAIN, `has; /usr/bin/runc ${FILE} in release 1.0.0`],
    [parseFileQuestion("/usr/bin/runc"), WORKER, "has-not"],
    [
      parseFileQuestion("/etc/policy.json"),
      WORKER,
      `has; /etc/policy.json sha256:${"f".repeat(64)} in confext policy 2`,
    ],
    [
      parseFileQuestion("/etc/passwd"),
      PLAIN,
      "unknown; release 1.0.0: its configuration writes to /etc, too, which no manifest lists",
    ],
    [digest("b"), WORKER, "has; /usr/bin/kubelet - in sysext kubernetes v1.33.4"],
    [digest("b"), PLAIN, "has-not"],
    [parseDigestQuestion(NEW.uki.sha256), WORKER, "has; its UKI - in release 1.1.0"],
    [parseExtensionQuestion("kubernetes < v1.33.5"), WORKER, "has; kubernetes v1.33.4 in sysext kubernetes v1.33.4"],
    [parseExtensionQuestion("kubernetes < v1.33.4"), WORKER, "has-not"],
    [parseExtensionQuestion("kubernetes"), PLAIN, "has-not"],
  ] as const)
    assert.equal(ask(question, each), expected, `${questionText(question)} on ${each.name}`);
});

test("Go modules of extensions; Go's own packages are one module", () => {
  for (const [text, each, expected] of [
    ["crypto/tls@go1.24.6", WORKER, "has; stdlib 1.24.6 in sysext kubernetes v1.33.4"],
    ["crypto/tls@go1.24.5", WORKER, "has-not"],
    ["golang.org/x/net < v0.39.0", WORKER, "has; golang.org/x/net v0.38.0 in sysext kubernetes v1.33.4"],
    ["golang.org/x/net < v0.38.0", WORKER, "has-not"],
    ["golang.org/x/net", PLAIN, "has-not"],
    ["golang.org/x/net", CILIUM, "unknown; sysext cilium v1.2.0: it does not list the Go modules of all its programs"],
    ["github.com/cilium/cilium", CILIUM, "has; github.com/cilium/cilium v1.2.0 in sysext cilium v1.2.0"],
  ] as const)
    assert.equal(ask(parseModuleQuestion(text), each), expected, `${text} on ${each.name}`);
});

test("only a proven node gives a proven answer", () => {
  for (const level of ["reported", "mismatch", "unknown"] as const) {
    const each = node("x", OLD, [], level);
    assert.equal(ask(parsePackageQuestion("openssl"), each), `unknown; the node is ${level}, not proven`);
    assert.equal(ask(parseExtensionQuestion("kubernetes"), each), `unknown; the node is ${level}, not proven`);
  }
});

test("a manifest counts only where it gives the proved identity", () => {
  const other = { ...release("1.0.0", [deb("bash", "1", "bash")]), usr: { ...OLD.usr, rootHash: "9".repeat(64) } };
  const reason = "unknown; release 1.0.0: no manifest of it is known: name its repository (--releases) or its files";
  assert.ok(ask(parsePackageQuestion("openssl"), PLAIN, { ...MANIFESTS, releases: [other] }).startsWith(reason));
  const rebuilt = { ...KUBERNETES, image: { ...KUBERNETES.image, rootHash: "8".repeat(64) }, packages: [] };
  const foreign = { ...MANIFESTS, extensions: [rebuilt, ETC] };
  assert.match(
    ask(parseModuleQuestion("golang.org/x/net"), WORKER, foreign),
    /^unknown; sysext kubernetes v1\.33\.4: no/u,
  );
  // Which extensions are merged is measured: nobody's manifest is needed.
  assert.match(ask(parseExtensionQuestion("kubernetes"), WORKER, { releases: [], extensions: [] }), /^has;/u);
});

test("what is no question is refused with what would be one", () => {
  for (const [parse, texts] of [
    [parsePackageQuestion, ["", "Open SSL", "openssl <", "openssl < 1-", "openssl ! 1", "a/b", "x".repeat(2000)]],
    [parseFileQuestion, ["", "usr/bin/x", "/var/lib/x", "/usr/../etc/x", "/usr/", "/usr//x", "/home/x"]],
    [parseDigestQuestion, ["", "sha256:12", "sha512:" + "a".repeat(64)]],
    [parseModuleQuestion, ["", "x@", "a@b@c", "golang.org/x/net < latest"]],
    [parseExtensionQuestion, ["", "kubernetes <"]],
  ] as const)
    for (const text of texts)
      assert.throws(() => parse(text), { code: "usage", message: /^expected / }, `${parse.name} ${text}`);
  assert.equal(questionText(parsePackageQuestion("openssl<<1")), "package openssl < 1");
});

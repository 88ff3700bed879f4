import assert from "node:assert/strict";
import { test } from "node:test";
import { readDeclared, readTransferOf } from "./read-declared.ts";
import { TestExtensionNode } from "./test-extension-node.ts";

const IMAGE = "/opt/extensions/kubernetes/kubernetes-v1.33.2-x86-64.raw";
const URL = "https://extensions.example/kubernetes-v1.33.2-x86-64.raw";
const DIGEST = "ab".repeat(32);
const TRANSFER = `[Source]
Type=url-file
Path=https://extensions.example/kubernetes/
MatchPattern=kubernetes-v1.33.@v-%a.raw
[Target]
Path=/opt/extensions/kubernetes
MatchPattern=kubernetes-v1.33.@v-%a.raw
CurrentSymlink=/etc/extensions/kubernetes.raw
`;

test("a node without declarations has none", async () => {
  using node = new TestExtensionNode();
  assert.deepEqual(await readDeclared(node.paths.extensions), { declared: [], problems: [] });
});

test("both ways are read, with what the initrd has noted", async () => {
  using node = new TestExtensionNode();
  node.declare("extensions:\n  - {name: site, version: v1, tier: opt-in, kind: confext}\n  - {name: Bad}\n");
  node.link("kubernetes", IMAGE);
  node.write("base/etc/sysupdate.kubernetes.d/kubernetes.transfer", TRANSFER);
  // Of two lines for one file the later is the class part's.
  const lines = [
    { path: IMAGE, url: "https://other.example/x", hash: null },
    { path: IMAGE, url: URL, hash: `sha256-${DIGEST}` },
  ];
  node.write("images", `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  const { declared, problems } = await readDeclared(node.paths.extensions);
  assert.deepEqual(
    declared.map(({ name, pattern, updates }) => [name, pattern, updates]),
    [
      ["kubernetes", "v1.33.*", "automatic"],
      ["site", "v1", "manual"],
    ],
  );
  const [kubernetes] = declared;
  assert.deepEqual(kubernetes?.source, {
    type: "file",
    path: IMAGE,
    url: URL,
    hash: `sha256-${DIGEST}`,
    updatesUrl: "https://extensions.example/kubernetes/",
  });
  assert.ok(problems.every((problem) => problem.startsWith("/etc/ashlar/extensions.yaml")) && problems.length > 0);
});

test("a transfer named .conf counts in a directory without one named .transfer, for what is declared and for sysupdate", async () => {
  using node = new TestExtensionNode();
  node.link("kubernetes", IMAGE);
  const path = "base/etc/sysupdate.kubernetes.d/kubernetes";
  const other = TRANSFER.replaceAll("v1.33.@v", "v1.@v");
  const found = async (): Promise<unknown> => {
    const { declared } = await readDeclared(node.paths.extensions);
    return [declared[0]?.pattern, await readTransferOf(node.paths.extensions, "kubernetes")];
  };
  node.write(`${path}.conf`, other);
  assert.deepEqual(await found(), ["v1.*", other]);
  node.write(`${path}.transfer`, TRANSFER);
  assert.deepEqual(await found(), ["v1.33.*", TRANSFER]);
});

test("a file that is too large is refused", async () => {
  using node = new TestExtensionNode();
  node.declare(" ".repeat(300 * 1024));
  await assert.rejects(readDeclared(node.paths.extensions), { code: "limit" });
});

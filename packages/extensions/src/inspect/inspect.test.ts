import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ExtensionBehaviour, extensionFileName, NO_BEHAVIOUR } from "@ashlar/protocol";
import { ASHLAR_HOST, joinBehaviour, readTreeBehaviour, writeBehaviour, writeRelease } from "../extension-files.ts";
import { describeExtension } from "../image/describe-extension.ts";
import { writeDdi } from "../image/write-ddi.ts";
import { writeExtensionSbom } from "../image/write-sbom.ts";
import { HOST_TOOLS, testDirectory, testSigner, writeTree } from "../test-signer.ts";
import { checkTree } from "../tree/check-tree.ts";
import { diffExtensions } from "./diff-extensions.ts";
import { readExtensionImage } from "./extension-image.ts";
import { manifestPathOf } from "./manifest-beside.ts";
import { verifyExtension } from "./verify-extension.ts";

const directory = testDirectory();
const signer = testSigner();
after(directory.remove);

const NUMBERS = Array.from({ length: 9000 }, (_, index) => `${index}\n`).join("");
const FILES = { "usr/bin/tool": "#!/bin/sh\n", "usr/share/numbers": NUMBERS, "opt/link": "-> ../usr/bin/tool" };

/** Builds an image with its manifest beside it, as the builder does. */
async function build(version: string, files: Readonly<Record<string, string>>): Promise<string> {
  const identity = { kind: "sysext", name: "tool", version } as const;
  const tree = join(directory.path, `tree-${version}`);
  writeTree(tree, files);
  const entries = await checkTree(tree, "sysext");
  await writeRelease(
    tree,
    identity,
    ASHLAR_HOST,
    entries.map(({ path }) => path),
  );
  await writeBehaviour(tree, identity, { ...NO_BEHAVIOUR, restart: ["tool.service"] });
  const image = join(directory.path, extensionFileName(identity));
  await writeDdi({ tree, ...identity, signer, tools: HOST_TOOLS, out: image });
  const packages = [{ name: "tool", version, architecture: "amd64" }];
  const manifest = await describeExtension(image, { tier: "opt-in", packages });
  writeFileSync(manifestPathOf(image), JSON.stringify(manifest));
  return image;
}

let image = "";
before(async () => void (image = await build("1.0", FILES)));

test("an image says what was put into it, and the same tree gives the same bytes", async () => {
  const { ddi, content, files } = await readExtensionImage(image, "checked");
  assert.deepEqual([content.kind, content.name, content.version], ["sysext", "tool", "1.0"]);
  assert.deepEqual(content.behaviour.restart, ["tool.service"]);
  assert.deepEqual(
    files.map(({ path }) => path),
    [
      "/opt/link",
      "/usr/bin/tool",
      "/usr/lib/ashlar/extensions/tool.json",
      "/usr/lib/extension-release.d/extension-release.tool",
      "/usr/share/numbers",
    ],
  );
  const again = join(directory.path, "again.raw");
  const tree = join(directory.path, "tree-1.0");
  const rootHash = await writeDdi({ tree, name: "tool", version: "1.0", signer, tools: HOST_TOOLS, out: again });
  assert.equal(rootHash, ddi.signed.rootHash);
  assert.ok(readFileSync(again).equals(readFileSync(image)));
});

test("a whole image verifies; every change is named", async () => {
  assert.deepEqual((await verifyExtension(image, [signer.certificate])).problems, []);
  const { ddi } = await readExtensionImage(image, "checked");
  const whole = readFileSync(image);
  const cases: readonly [string, number, RegExp][] = [
    ["MBR's boot code", 0, /outside of what is hashed: expected zeros, found others at 0/u],
    ["partition table", 512 + 60, /partition|GPT/u],
    ["partition entry", 1024 + 60, /GPT/u],
    [
      "data",
      ddi.data.offsetBytes + ddi.data.sizeBytes - 5000,
      /partition 1 \(data\): block \d+ .*\/usr\/share\/numbers/u,
    ],
    ["hash tree", ddi.tree.offsetBytes + 4096 + 3, /partition 2 \(hash tree\)|root hash/u],
    ["superblock's padding", ddi.tree.offsetBytes + 4000, /outside of what is hashed/u],
    ["salt", ddi.tree.offsetBytes + 88, /root hash/u],
    ["signature", ddi.signature.offsetBytes + 300, /signature|PKCS|certificate/u],
    ["signature's padding", ddi.signature.offsetBytes + 16_000, /NUL bytes/u],
    ["end", whole.length - 600, /GPT/u],
  ];
  for (const [what, offset, message] of cases) {
    const bytes = Buffer.from(whole);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    const damaged = join(directory.path, "tool-1.0-x86-64.damaged");
    writeFileSync(damaged, bytes);
    const { problems } = await verifyExtension(damaged, [signer.certificate]);
    assert.match(problems.map((problem) => problem.message).join("\n"), message, what);
  }
});

test("what else verify holds an image against: whose signature, its name, its manifest", async () => {
  const messages = async (path: string, certificate = signer.certificate): Promise<string> => {
    const { problems, unchecked } = await verifyExtension(path, [certificate]);
    return [...problems.map(({ message }) => message), ...unchecked].join("\n");
  };
  assert.match(await messages(image, testSigner().certificate), /a trusted certificate/u);
  const other = join(directory.path, "other-1.0-x86-64.raw");
  renameSync(image, other);
  assert.match(await messages(other), /expected tool-1\.0-x86-64\.raw as signed[\s\S]*no manifest beside/u);
  renameSync(other, image);
  const stated = readFileSync(manifestPathOf(image), "utf8");
  writeFileSync(
    manifestPathOf(image),
    stated.replace('"version":"1.0","architecture":"x86-64"', '"version":"2.0","architecture":"x86-64"'),
  );
  assert.match(await messages(image), /manifest, version: expected "2\.0", found "1\.0"/u);
  writeFileSync(manifestPathOf(image), stated.replace('"path":"/usr/bin/tool"', '"path":"/usr/bin/fool"'));
  assert.match(await messages(image), /\/usr\/bin\/tool: unexpected file/u);
  writeFileSync(manifestPathOf(image), "{");
  assert.match(await messages(image), /extension manifest: expected JSON/u);
  writeFileSync(manifestPathOf(image), stated);
  await assert.rejects(verifyExtension(join(directory.path, "none.raw"), []), { code: "not-found" });
});

test("a difference: packages, files, sizes", async () => {
  const { "opt/link": _, ...files } = FILES;
  const next = await build("1.1", { ...files, "usr/bin/tool": "#!/bin/sh\nexit\n", "usr/share/new": "new" });
  const { from, to, packages, files: changes } = await diffExtensions(image, next);
  assert.deepEqual([from.version, to.version], ["1.0", "1.1"]);
  assert.deepEqual(packages, { added: [], removed: [], changed: [{ name: "tool", from: "1.0", to: "1.1" }] });
  assert.deepEqual(
    changes.added.map(({ path }) => path),
    ["/usr/share/new"],
  );
  assert.deepEqual(
    changes.removed.map(({ path }) => path),
    ["/opt/link"],
  );
  assert.deepEqual(
    changes.changed.map(({ path }) => path),
    ["/usr/bin/tool", "/usr/lib/extension-release.d/extension-release.tool"],
  );
});

test("a bill of materials knows Debian packages and Go modules", async () => {
  const manifest = await describeExtension(image, {
    tier: "community",
    packages: [
      { name: "k8s.io/kubernetes", version: "v1.33.5", architecture: "amd64" },
      { name: "gdb", version: "16.3-1", architecture: "amd64" },
    ],
  });
  const text = writeExtensionSbom(manifest);
  assert.match(text, /"pkg:deb\/debian\/gdb@16\.3-1\?arch=amd64&distro=trixie"/u);
  assert.match(text, /"pkg:golang\/k8s\.io\/kubernetes@v1\.33\.5"/u);
  assert.equal(writeExtensionSbom(manifest), text);
  assert.doesNotMatch(text, /"file"/u);
});

test("of an extension without packages it knows the files", async () => {
  const manifest = await describeExtension(image, { tier: "community", packages: [] });
  const bom: { components: { type: string; name: string; hashes: { alg: string; content: string }[] }[] } = JSON.parse(
    writeExtensionSbom(manifest),
  );
  const tool = manifest.files.find(({ path }) => path === "/usr/bin/tool");
  assert.ok(tool?.type === "file");
  const component = bom.components.find(({ name }) => name === "/usr/bin/tool");
  assert.deepEqual([component?.type, component?.hashes], ["file", [{ alg: "SHA-256", content: tool.sha256 }]]);
});

test("files that make a tree an extension", async () => {
  const identity = { kind: "sysext", name: "tool", version: "1.0" } as const;
  const tree = join(directory.path, "units");
  const release = "usr/lib/extension-release.d/extension-release.tool";
  writeTree(tree, { [release]: 'ID="ashlar"\n', "usr/lib/ashlar/extensions/tool.json": '{"start":["b.service"]}' });
  await writeRelease(tree, identity, ASHLAR_HOST, ["/usr/lib/systemd/system/b.service"]);
  assert.equal(
    readFileSync(join(tree, release), "utf8"),
    "ID=ashlar\nSYSEXT_LEVEL=1.0\nARCHITECTURE=x86-64\nIMAGE_ID=tool\nIMAGE_VERSION=1.0\nEXTENSION_RELOAD_MANAGER=1\n",
  );
  const any = { id: "_any", level: null };
  await assert.rejects(writeRelease(tree, identity, any, []), {
    code: "conflict",
    message: /ID=_any, found ID=ashlar/u,
  });
  writeTree(tree, { "usr/lib/extension-release.d/extension-release.other": "ID=ashlar\n" });
  await assert.rejects(writeRelease(tree, identity, ASHLAR_HOST, []), {
    code: "conflict",
    message: /found extension-release\.other/u,
  });

  const asked: ExtensionBehaviour = {
    ...NO_BEHAVIOUR,
    start: ["a.service", "b.service"],
    healthCheck: "/usr/lib/ashlar/health.d/x",
  };
  const behaviour = joinBehaviour([await readTreeBehaviour(tree, identity), asked], ["/usr/bin/x"]);
  assert.deepEqual(behaviour.start, ["a.service", "b.service"]);
  await assert.rejects(writeBehaviour(tree, identity, behaviour), {
    code: "invalid",
    message: /expected an executable/u,
  });
});

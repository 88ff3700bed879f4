/** Links in what others have made: nothing is written, read or removed where they lead. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import type { AshlarError } from "@ashlar/base";
import { digestFile, run } from "@ashlar/host";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import { ASHLAR_HOST, readTreeBehaviour, writeBehaviour, writeRelease } from "../extension-files.ts";
import { testSigner } from "../test-signer.ts";
import { unpack } from "./stage-debs.ts";
import { stageIgnition } from "./stage-ignition.ts";
import { stageRecipe } from "./stage-recipe.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-links-"));
after(() => rmSync(directory, { recursive: true }));

/** A directory of this machine that links lead to. It must stay as it is. */
const outside = join(directory, "outside");
mkdirSync(join(outside, "man"), { recursive: true });
writeFileSync(join(outside, "key"), "secret");
const isUntouched = (): void => {
  assert.deepEqual(readdirSync(outside).toSorted(), ["key", "man"]);
  assert.equal(readFileSync(join(outside, "key"), "utf8"), "secret");
};

const isInvalid = (message: RegExp) => (error: AshlarError) => error.code === "invalid" && message.test(error.message);

/** Writes what is told into a new directory: `-> TARGET` is a link. */
function treeOf(files: Readonly<Record<string, string>>): string {
  const tree = mkdtempSync(join(directory, "tree-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    if (content.startsWith("-> ")) symlinkSync(content.slice(3), join(tree, path));
    else writeFileSync(join(tree, path), content);
  }
  return tree;
}

const CONTROL = "Package: tool\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@example.org>\nDescription: a\n";

async function packageOf(files: Readonly<Record<string, string>>): Promise<Parameters<typeof unpack>[0]> {
  const tree = treeOf({ "DEBIAN/control": CONTROL, ...files });
  await run("dpkg-deb", ["--root-owner-group", "-Zxz", "--build", tree, `${tree}.deb`]);
  const source = { name: "tool", version: "1" };
  const { digest: sha256 } = await digestFile(`${tree}.deb`);
  return { name: "tool", version: "1", architecture: "amd64", source, path: `${tree}.deb`, sha256 };
}

test("a package's files lie below /usr, without what is not shipped", async () => {
  const out = join(directory, "good");
  const files = { "lib/a": "a", "usr/lib/b": "b", "usr/share/man/c": "c", "usr/share/link": "-> /etc/x", "opt/d": "d" };
  await unpack(await packageOf(files), out);
  assert.deepEqual(readdirSync(out).toSorted(), ["opt", "usr"]);
  assert.deepEqual(readdirSync(join(out, "usr/lib")).toSorted(), ["a", "b"]);
  assert.deepEqual(readdirSync(join(out, "usr/share")), ["link"]);
});

for (const [path, more] of Object.entries({
  usr: { "lib/evil": "evil" },
  opt: {},
  bin: {},
  sbin: {},
  lib: { "usr/lib/a": "a" },
  lib64: {},
  "usr/lib": { "lib/evil": "evil" },
  "usr/bin": { "bin/evil": "evil" },
  "usr/share": {},
  "usr/share/man": {},
})) {
  test(`a package with a link in place of /${path}`, async () => {
    const deb = await packageOf({ ...more, [path]: `-> ${outside}` });
    const out = join(directory, path.replaceAll("/", "-"));
    await assert.rejects(unpack(deb, out), isInvalid(new RegExp(`package tool: .* /${path}, found a link`, "u")));
    isUntouched();
  });
}

test("a package's link below the top directories is not followed", async () => {
  const deb = await packageOf({ "usr/lib/deep": `-> ${outside}`, "lib/deep/evil": "evil" });
  await assert.rejects(unpack(deb, join(directory, "deep")), /cannot overwrite non-directory/u);
  isUntouched();
});

test("a package's own DEBIAN among its files is a file like any other", async () => {
  const deb = await packageOf({ "usr/a": "a" });
  const data = treeOf({ DEBIAN: `-> ${outside}`, "usr/a": "a" });
  await run("tar", ["-C", data, "-czf", join(data, "data.tar.gz"), "DEBIAN", "usr"]);
  const contents = await run("ar", ["p", deb.path, "control.tar.xz"]);
  writeFileSync(join(data, "control.tar.xz"), contents.stdout);
  writeFileSync(join(data, "debian-binary"), "2.0\n");
  await run("ar", ["rc", "evil.deb", "debian-binary", "control.tar.xz", "data.tar.gz"], { cwd: data });
  await unpack({ ...deb, path: join(data, "evil.deb") }, join(directory, "own-debian"));
  isUntouched();
});

test("a recipe's files replace links of its packages", async () => {
  const tree = treeOf({ "usr/lib/conf": `-> ${outside}/key` });
  const recipe = join(directory, "recipe");
  mkdirSync(join(recipe, "files/usr/lib"), { recursive: true });
  writeFileSync(join(recipe, "files/usr/lib/conf"), "ours");
  await stageRecipe({
    directory: recipe,
    recipe: {
      name: "tool",
      summary: "",
      kind: "sysext",
      tier: "shipped",
      updates: "*",
      version: { type: "fixed", version: "1" },
      debs: [],
      leaveOut: [],
      downloads: [],
      go: null,
      kernelModule: null,
      behaviour: NO_BEHAVIOUR,
    },
    version: "1",
    archive: {},
    base: undefined,
    signer: testSigner(),
    tree,
    work: directory,
    step: { signal: undefined, onProgress: () => undefined },
  });
  assert.equal(readFileSync(join(tree, "usr/lib/conf"), "utf8"), "ours");
  isUntouched();
});

test("a config's link in the way of another file or link", async () => {
  const links = [
    { path: "/etc/a", target: outside },
    { path: "/etc/a/b", target: "evil" },
  ];
  const config = { ignition: { version: "3.3.0" }, storage: { links } };
  const staged = stageIgnition(Buffer.from(JSON.stringify(config)), treeOf({}));
  await assert.rejects(staged, isInvalid(/the config: expected a directory at \/etc\/a, found a link/u));
  isUntouched();
});

for (const way of [
  "usr",
  "usr/lib",
  "usr/lib/extension-release.d",
  "usr/lib/extension-release.d/extension-release.tool",
]) {
  test(`the extension-release file is not written through /${way}`, async () => {
    const tree = treeOf({ [way]: `-> ${way.endsWith("tool") ? join(outside, "key") : outside}` });
    const written = writeRelease(tree, { kind: "sysext", name: "tool", version: "1" }, ASHLAR_HOST, []);
    await assert.rejects(written, isInvalid(new RegExp(`the input: expected a .* at /${way}, found a link`, "u")));
    isUntouched();
  });
}

test("what a node does is neither read nor written through a link", async () => {
  const identity = { kind: "sysext", name: "tool", version: "1" } as const;
  const tree = treeOf({ "usr/lib/ashlar": `-> ${outside}` });
  await assert.rejects(readTreeBehaviour(tree, identity), isInvalid(/\/usr\/lib\/ashlar, found a link/u));
  const behaviour = { ...NO_BEHAVIOUR, restart: ["a.service"] };
  await assert.rejects(writeBehaviour(tree, identity, behaviour), isInvalid(/\/usr\/lib\/ashlar, found a link/u));
  isUntouched();
  assert.ok(!existsSync(join(outside, "extensions")));
});

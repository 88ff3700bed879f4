/** The layouts that we write, read by the reader of layouts and by tar. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runForText, withTemporaryDirectory } from "@ashlar/host";
import { readLayers, unpackLayer } from "./layout.ts";
import { writeLayout } from "./write-layout.ts";

const REFERENCE = "registry.example.org/pause:3.10";

test("a layout of ours holds the files, and only them, as root's", async () => {
  await withTemporaryDirectory(async (work) => {
    const out = join(work, "layout");
    await writeLayout({ tree: makeTree(work, "tree"), reference: REFERENCE, entrypoint: ["/a/b"], user: "1:1", out });
    const [layer, other] = await readLayers({ directory: out, tag: REFERENCE });
    assert.equal(other, undefined);
    assert.equal(layer?.mediaType, "application/vnd.oci.image.layer.v1.tar");
    const tar = join(work, "layer.tar");
    await unpackLayer(out, layer, tar, 1_000_000);
    const list = await runForText("tar", ["--list", "--verbose", "--numeric-owner", "--utc", "--file", tar]);
    assert.deepEqual(
      list
        .trimEnd()
        .split("\n")
        .map((line) => line.replaceAll(/ +/gu, " ").replace(" 1980-01-01 00:00 ", " ")),
      ["drwxr-xr-x 0/0 0 ./", "drwxr-xr-x 0/0 0 ./a/", "-rwxr-xr-x 0/0 7 ./a/b", "lrwxr-xr-x 0/0 0 ./link -> a/b"],
    );
    const documents = readBlobs(out);
    const config = documents.find((each) => "rootfs" in each);
    assert.deepEqual(config, {
      created: "1980-01-01T00:00:00Z",
      architecture: "amd64",
      os: "linux",
      config: {
        Entrypoint: ["/a/b"],
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        User: "1:1",
      },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
  });
});

test("the same files give the same bytes, whatever their times and the umask were", async () => {
  await withTemporaryDirectory(async (work) => {
    const [first, second] = [join(work, "1"), join(work, "2")];
    const parts = { reference: REFERENCE, entrypoint: ["/a/b"], user: "" };
    await writeLayout({ ...parts, tree: makeTree(work, "tree"), out: first });
    const other = makeTree(work, "other");
    chmodSync(join(other, "a"), 0o700);
    chmodSync(join(other, "a/b"), 0o4700);
    await writeLayout({ ...parts, tree: other, out: second });
    assert.equal(readFileSync(join(first, "index.json"), "utf8"), readFileSync(join(second, "index.json"), "utf8"));
  });
});

function makeTree(work: string, name: string): string {
  const tree = join(work, name);
  mkdirSync(join(tree, "a"), { recursive: true });
  writeFileSync(join(tree, "a/b"), "program");
  chmodSync(join(tree, "a/b"), 0o755);
  symlinkSync("a/b", join(tree, "link"));
  return tree;
}

/** The image's documents, by following the index. */
function readBlobs(layout: string): readonly object[] {
  const read = (path: string): Record<string, unknown> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON of our own, compared as a whole
    JSON.parse(readFileSync(join(layout, path), "utf8")) as Record<string, unknown>;
  const blob = (digest: string): Record<string, unknown> => read(join("blobs", ...digest.split(":")));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- likewise
  const { manifests } = read("index.json") as { manifests: { digest: string }[] };
  const manifest = blob(manifests[0]?.digest ?? "");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- likewise
  const { config } = manifest as { config: { digest: string } };
  return [manifest, blob(config.digest)];
}

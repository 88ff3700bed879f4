import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { parseReference, startImageServer } from "./image-server.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** An image layout of one layer. Gives the digests of its manifest and its layer. */
async function makeLayout(directory: string, layer: string): Promise<{ manifest: string; layer: string }> {
  const blobs = join(directory, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (text: string): Promise<string> => {
    const digest = createHash("sha256").update(text).digest("hex");
    await writeFile(join(blobs, digest), text);
    return `sha256:${digest}`;
  };
  const layerDigest = await put(layer);
  const manifest = await put(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, layers: [layerDigest] }));
  const manifests = [{ mediaType: MANIFEST_TYPE, digest: manifest, size: 1 }];
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return { manifest, layer: layerDigest };
}

type Served = {
  readonly url: string;
  readonly pause: Awaited<ReturnType<typeof makeLayout>>;
  readonly web: Awaited<ReturnType<typeof makeLayout>>;
};

async function withImages(work: (served: Served) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const [pauseLayout, webLayout] = [join(directory, "pause"), join(directory, "web")];
    const [pause, web] = [await makeLayout(pauseLayout, "pause"), await makeLayout(webLayout, "web")];
    await writeFile(join(directory, "secret"), "secret");
    const images = [
      { reference: "registry.k8s.io/pause:3.10", layout: pauseLayout },
      { reference: "docker.io/team/web:1", layout: webLayout },
    ];
    const server = await startImageServer({ images, port: 0 });
    try {
      await work({ url: `http://127.0.0.1:${server.port}`, pause, web });
    } finally {
      await server.close();
    }
  });
}

test("an image is found by its tag and by digests, under the registry that containerd asks for", async () => {
  await withImages(async ({ url, pause }) => {
    assert.equal((await fetch(`${url}/v2/`)).status, 200);
    for (const name of ["3.10", pause.manifest]) {
      const answer = await fetch(`${url}/v2/pause/manifests/${name}?ns=registry.k8s.io`);
      assert.equal(answer.headers.get("content-type"), MANIFEST_TYPE);
      assert.equal(answer.headers.get("docker-content-digest"), pause.manifest);
      assert.match(await answer.text(), /"schemaVersion":2/u);
    }
    const layer = await fetch(`${url}/v2/pause/blobs/${pause.layer}?ns=registry.k8s.io`);
    assert.equal(await layer.text(), "pause");
    const head = await fetch(`${url}/v2/pause/blobs/${pause.layer}?ns=registry.k8s.io`, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), "5");
  });
});

test("nothing else is found", async () => {
  await withImages(async ({ url, pause, web }) => {
    for (const target of [
      "/",
      "/v2/pause/manifests/3.10",
      "/v2/pause/manifests/3.10?ns=docker.io",
      "/v2/pause/manifests/3.9?ns=registry.k8s.io",
      `/v2/pause/blobs/${web.layer}?ns=registry.k8s.io`,
      "/v2/pause/blobs/3.10?ns=registry.k8s.io",
      `/v2/pause/blobs/sha256:${"0".repeat(64)}?ns=registry.k8s.io`,
      "/v2/pause/blobs/sha256:..%2f..%2f..%2fsecret?ns=registry.k8s.io",
      "/v2/../secret?ns=registry.k8s.io",
      "/secret",
      `/v2/${"a".repeat(2000)}/manifests/3.10?ns=registry.k8s.io`,
    ]) {
      const answer = await fetch(`${url}${target}`);
      assert.equal(answer.status, 404, target);
      assert.equal(await answer.text(), "");
    }
    const written = await fetch(`${url}/v2/pause/blobs/${pause.layer}?ns=registry.k8s.io`, {
      method: "PUT",
      body: "x",
    });
    assert.equal(written.status, 405);
  });
});

test("whatever is asked for, only what was given to it is served", async () => {
  await withImages(async ({ url, pause }) => {
    const word = fc.constantFrom("v2", "pause", "manifests", "blobs", "3.10", pause.layer, "..", "", "%2e%2e", "%00");
    const target = fc.array(fc.oneof(word, fc.webSegment()), { maxLength: 8 }).map((words) => `/${words.join("/")}`);
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom("", "?ns=registry.k8s.io", "?ns=a&ns=b", "?"), async (path, query) => {
        const answer = await fetch(`${url}${path}${query}`);
        const text = await answer.text();
        assert.ok(answer.status === 404 || ["", "pause"].includes(text) || text.includes('"schemaVersion":2'), path);
      }),
      { numRuns: 60 },
    );
  });
});

test("a layout with two images does not say which is meant", async () => {
  await withTemporaryDirectory(async (directory) => {
    await makeLayout(directory, "one");
    await writeFile(join(directory, "index.json"), JSON.stringify({ manifests: [] }));
    const server = await startImageServer({ images: [{ reference: "a.example/b:1", layout: directory }], port: 0 });
    try {
      assert.equal((await fetch(`http://127.0.0.1:${server.port}/v2/b/manifests/1?ns=a.example`)).status, 500);
    } finally {
      await server.close();
    }
  });
});

for (const reference of ["pause:3.10", "registry.k8s.io/pause", "Registry/pause:1", "a.example/b:", "a.example/b:1 "]) {
  test(`no image's name: ${reference}`, () => {
    assert.throws(
      () => parseReference(reference),
      (error) => error instanceof AshlarError && error.code === "malformed",
    );
  });
}

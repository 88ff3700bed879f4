import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { suite, test } from "node:test";
import { BLOCK_BYTES, DIGEST_BYTES } from "@ashlar/repository-index";
import type { StagedRelease } from "./stage-release.ts";
import type { Behaviour } from "./test-server.ts";
import { BLOCKS_PATH, payload, UKI_PATH, withWorld } from "./test-staging.ts";

test("a prefix that misleads to a block of the slot costs a leaf, no more; one that nothing has is refused", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    const bytes = await payload(BLOCKS_PATH);
    const prefixes = 64 + 3 * DIGEST_BYTES;
    // Block 30 is said to be what block 31 is.
    bytes.copy(bytes, prefixes + 30 * 4, prefixes + 31 * 4, prefixes + 32 * 4);
    await stage(async ({ path, serve }) => await serve(path === BLOCKS_PATH ? bytes : undefined));
    await checkStaged();
  });
  await withWorld(async ({ stage }) => {
    const bytes = await payload(BLOCKS_PATH);
    bytes.fill(0xee, 64 + 3 * DIGEST_BYTES, 64 + 3 * DIGEST_BYTES + 4);
    const served = stage(async ({ path, serve }) => await serve(path === BLOCKS_PATH ? bytes : undefined));
    await assert.rejects(served, { code: "untrusted" });
  });
});

test("a transfer that is cut many times goes on where it was", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    const files = new Map<string, Buffer>();
    for (const path of [BLOCKS_PATH, UKI_PATH]) files.set(path, await payload(path));
    const staged = await stage(
      async ({ response, path, range: part, serve }) => {
        const file = files.get(path);
        // The index comes whole; of everything else 20,000 bytes at a time.
        if (file === undefined || part === undefined || part.start === 0) return await serve();
        const bytes = file.subarray(part.start, Math.min(part.end, part.start + 20_000));
        response.writeHead(206, {
          "content-range": `bytes ${part.start}-${part.end - 1}/${file.length}`,
          "content-length": part.end - part.start,
        });
        response.write(bytes);
        if (part.start + bytes.length === part.end) response.end();
        else setTimeout(() => response.destroy(), 5);
      },
      { sources: [] },
    );
    await checkStaged();
    // Less than a segment is fetched again for each cut.
    assert.ok(
      staged.fetchedBytes - staged.ukiBytes < (files.get(BLOCKS_PATH)?.length ?? 0) * 1.5,
      `fetched ${staged.fetchedBytes}`,
    );
  });
});

test("a server without ranges sends whole files", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    await stage(async ({ path, response }) => {
      const bytes = await payload(path).catch(() => undefined);
      if (bytes === undefined) response.writeHead(404);
      response.end(bytes);
    });
    await checkStaged();
  });
});

const REFUSED: readonly (readonly [name: string, behave: Behaviour, code: string])[] = [
  ["404 for every payload", ({ response }) => void response.writeHead(404).end(), "not-found"],
  ["500 for every payload", ({ response }) => void response.writeHead(500).end(), "unavailable"],
  ["418 for every payload", ({ response }) => void response.writeHead(418).end(), "failed"],
  [
    "a redirect to itself",
    ({ response, path }) => void response.writeHead(302, { location: `/${path}` }).end(),
    "malformed",
  ],
  [
    "a redirect to a file",
    ({ response }) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    "malformed",
  ],
  ["a redirect to nowhere", ({ response }) => void response.writeHead(302).end(), "malformed"],
  [
    "another range than asked for",
    ({ response }) => void response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("12345"),
    "malformed",
  ],
  ["no Content-Range", ({ response }) => void response.writeHead(206).end("12345"), "malformed"],
  [
    "a compressed answer",
    ({ response }) => void response.writeHead(200, { "content-encoding": "br" }).end("12345"),
    "malformed",
  ],
  ["an empty answer", ({ response }) => void response.end(), "unavailable"],
  ["silence before the headers", () => undefined, "unavailable"],
  ["silence after some bytes", ({ response }) => void response.write("12345"), "unavailable"],
  ["a byte now and then", trickle, "unavailable"],
  ["noise", async ({ serve }) => await serve(Buffer.alloc(2_000_000, "noise")), "untrusted"],
];

function trickle({
  response,
}: {
  readonly response: { write: (text: string) => unknown; on: (event: "close", then: () => void) => unknown };
}): void {
  const timer = setInterval(() => response.write("x"), 40);
  response.on("close", () => clearInterval(timer));
}

suite("is refused: a server that answers with", { concurrency: 4 }, () => {
  for (const [name, behave, code] of REFUSED) {
    test(name, async () => {
      await withWorld(async ({ ready, stage }) => {
        const misbehave = async (where: string): Promise<unknown> =>
          await stage(async (exchange) => await (exchange.path === where ? behave(exchange) : exchange.serve()));
        await assert.rejects(misbehave(BLOCKS_PATH), { code });
        // The UKI may have come in the meantime.
        await rm(ready, { recursive: true });
        await assert.rejects(misbehave(UKI_PATH), { code });
        for (const each of await readdir(ready)) assert.match(each, /\.part$/u);
      });
    });
  }
});

test("errors that pass are got over: 503, a redirect, silence, each once", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    await stage(async ({ response, request, path, earlier, serve }) => {
      if (path.startsWith("elsewhere/"))
        response.writeHead(307, { location: request.url?.replace("elsewhere/", "") }).end();
      else if (earlier === 0) response.writeHead(503).end();
      else if (earlier === 1) response.writeHead(302, { location: `/elsewhere/${path}` }).end();
      else if (earlier !== 3 || path.includes("metadata")) await serve();
    });
    await checkStaged();
  });
});

test("lies in the segments are refused; a lie that is told once does not matter", async () => {
  await withWorld(async ({ ready, stage, checkStaged }) => {
    const bytes = await payload(BLOCKS_PATH);
    const lie = Buffer.from(bytes);
    for (let offset = bytes.length - 3 * BLOCK_BYTES - 1; offset > 3000; offset -= 4000)
      lie[offset] = (lie[offset] ?? 0) ^ 1;
    const tell = async (times: number): Promise<StagedRelease> =>
      await stage(async ({ path, range: part, earlier, serve }) => {
        const isLie = path === BLOCKS_PATH && part?.start !== 0 && earlier <= times;
        await serve(isLie ? lie : undefined);
      });
    await assert.rejects(tell(Infinity), { code: "untrusted", message: /blocks do not match the hash tree/u });
    for (const each of await readdir(ready)) assert.match(each, /\.part$/u);
    await tell(1);
    await checkStaged();
  });
});

test("another release's payload under the right name is refused", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    for (const right of [BLOCKS_PATH, UKI_PATH, "releases/ashlar_1.1.0.json"]) {
      const wrong = await payload(right.replace("1.1.0", "1.0.0"));
      const served = stage(async ({ path, serve }) => await serve(path === right ? wrong : undefined));
      // The index of an image of another size has another size itself.
      await assert.rejects(served, (error: { code: string }) => ["untrusted", "malformed"].includes(error.code));
    }
    await stage();
    await checkStaged();
  });
});

test("a server that sends more than was asked for does not get it read", { timeout: 10_000 }, async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    const staged = await stage(async ({ response, path, range: part, serve }) => {
      if (part === undefined) return await serve();
      const file = await payload(path);
      response.writeHead(206, { "content-range": `bytes ${part.start}-${part.end - 1}/${file.length}` });
      response.write(file.subarray(part.start, part.end));
      const more = (): void =>
        void (response.destroyed || response.write(Buffer.alloc(65536), () => setImmediate(more)));
      more();
    });
    await checkStaged();
    assert.ok(staged.fetchedBytes - staged.ukiBytes < 2_000_000, `fetched ${staged.fetchedBytes}`);
  });
});

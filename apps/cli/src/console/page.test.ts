/** The page in a real browser: fleets that nobody has, and the command itself over the evidence of a software TPM. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { pageFiles } from "@ashlar/console";
import { findBarriers, launchBrowser, openPage, skip, type Opened, type Page } from "@ashlar/console/test-browser";
import { serveConsole, type Board } from "@ashlar/gateway";
import { expectationsOf } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { writeStoredAnswer, writeStoredFleet } from "@ashlar/verifier";
import { HOSTILE_NAME, testBoard } from "./test-board.ts";

const browser = await launchBrowser();
after(async () => await browser?.close());

const open = async (context: TestContext, url: string, setUp?: (page: Page) => Promise<void>): Promise<Opened> =>
  await openPage(browser, context, url, setUp);

async function serve(context: TestContext, board: Board): Promise<string> {
  const server = await serveConsole({ board, page: await pageFiles(), host: "127.0.0.1", port: 0 });
  context.after(async () => await server.close());
  return server.url;
}

const headlineOf = async (page: Page): Promise<string | null> => await page.textContent(".headline");
const activeOf = async (page: Page): Promise<string> => (await page.textContent("#active-stone")) ?? "";

test("first page: less than 150 KB, and asks nobody else", async () => {
  const bytes = [...(await pageFiles()).values()].map((file) => gzipSync(file.bytes).length);
  const total = bytes.reduce((sum, each) => sum + each, 0);
  assert.ok(total > 20_000 && total < 150_000, `${total} bytes`);
});

test(
  "the wall: keyboard, filter, groups, zoom; hostile names are text; axe finds nothing serious",
  { skip },
  async (context) => {
    const { page, requests, problems } = await open(context, await serve(context, testBoard(60)));
    await page.waitForSelector(".headline");
    assert.equal(await headlineOf(page), "2 nodes of 60 are not what was declared; 1 unknown");
    assert.deepEqual(await findBarriers(page), []);

    await page.focus(".wall-list");
    assert.match(await activeOf(page), /^worker-1, proven, release 1\.1\.0, identity a3973991b715/u);
    await page.keyboard.press("ArrowRight");
    assert.match(await activeOf(page), /^worker-2, /u);
    await page.keyboard.press("End");
    assert.match(await activeOf(page), /^worker-6, unknown, /u);
    await page.keyboard.press("Home");
    await page.keyboard.press("n");
    assert.ok((await activeOf(page)).startsWith(HOSTILE_NAME));
    assert.equal(await page.textContent(".card .name"), HOSTILE_NAME);

    await page.keyboard.press("/");
    await page.keyboard.type("worker-1");
    await page.waitForSelector('.wall-list[aria-label="Nodes, 11 of them"]');
    await page.keyboard.press("Escape");
    await page.click(".chip.level-mismatch");
    await page.waitForSelector('.wall-list[aria-label="Nodes, 2 of them"]');
    await page.click(".chip.level-mismatch");
    await page.selectOption(".tools select", "level");
    assert.deepEqual(await page.$$eval(".wall-heading", (all) => all.map(({ textContent }) => textContent)), [
      "mismatch 2 nodes",
      "unknown 1 node",
      "reported 1 node",
      "proven 56 nodes",
    ]);
    const heightOf = async (): Promise<number> =>
      await page.$eval(".wall-list", (list) => list.getBoundingClientRect().height);
    const before = await heightOf();
    await page.focus(".wall-list");
    await page.keyboard.press("+");
    assert.ok((await heightOf()) > before);

    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".chain");
    assert.equal(await page.textContent("h1.name"), HOSTILE_NAME);
    assert.match(
      (await page.textContent(".link-mismatch")) ?? "",
      /found <\/code><script>document\.title='owned'<\/script>/u,
    );
    assert.deepEqual(await findBarriers(page), []);
    assert.equal(await page.$("img[src=x]"), null);
    assert.equal(await page.$("main script"), null);
    assert.doesNotMatch(await page.title(), /^owned/u);

    await page.goto(`${page.url().split("#")[0] ?? ""}#/compare/worker-1/worker-8`);
    await page.waitForSelector(".row-differs");
    assert.match((await page.textContent(".row-differs")) ?? "", /^Identity.*differs$/u);
    assert.deepEqual(await findBarriers(page), []);

    const { origin } = new URL(page.url());
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(`${origin}/`)),
      [],
    );
    assert.deepEqual(problems, []);
  },
);

test("dark: axe finds nothing serious", { skip }, async (context) => {
  const url = await serve(context, testBoard(60));
  const { page } = await open(context, url, async (each) => await each.emulateMedia({ colorScheme: "dark" }));
  await page.waitForSelector(".headline");
  await page.focus(".wall-list");
  await page.keyboard.press("n");
  assert.deepEqual(await findBarriers(page), []);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".chain");
  assert.deepEqual(await findBarriers(page), []);
});

test(
  "ten thousand nodes take the page less than two seconds of its thread, and a key a tenth",
  { skip },
  async (context) => {
    const url = await serve(context, testBoard(10_000));
    let session: Awaited<ReturnType<ReturnType<Page["context"]>["newCDPSession"]>> | undefined;
    const { page } = await open(context, url, async (each) => {
      session = await each.context().newCDPSession(each);
      // The processor's time: on a busy machine the clock says nothing.
      await session.send("Performance.enable", { timeDomain: "threadTicks" });
    });
    const secondsSpent = async (): Promise<number> => {
      const metrics = await session?.send("Performance.getMetrics");
      return metrics?.metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
    };
    await page.waitForSelector(".headline");
    const ready = await secondsSpent();
    await page.focus(".wall-list");
    const focused = await secondsSpent();
    for (let key = 0; key < 10; key += 1) await page.keyboard.press("ArrowDown");
    const eachKey = ((await secondsSpent()) - focused) / 10;
    context.diagnostic(
      `ready after ${ready.toFixed(2)} s of the page's thread, ${(eachKey * 1000).toFixed(0)} ms for a key`,
    );
    assert.match((await activeOf(page)) ?? "", /^worker-/u);
    assert.ok(ready < 2, `${ready} s`);
    assert.ok(eachKey < 0.1, `${eachKey} s`);
  },
);

test(
  "old data looks old: levels end by age, also when the server is gone; a wrong clock of the browser changes nothing",
  { skip },
  async (context) => {
    const server = await serveConsole({
      board: testBoard(2, 3600),
      page: await pageFiles(),
      host: "127.0.0.1",
      port: 0,
    });
    const { page } = await open(context, server.url, async (each) => {
      await each.clock.install({ time: Date.now() + 86_400_000 });
    });
    await page.waitForSelector(".headline");
    assert.equal(await headlineOf(page), "All 2 nodes are proven: 1 identity");
    await server.close();
    await page.clock.fastForward(3_600_000);
    await page.clock.runFor(30_000);
    await page.waitForSelector(".headline-open");
    assert.equal(await headlineOf(page), "2 nodes of 2 cannot be judged now");
    assert.match(
      (await page.textContent(".connection")) ?? "",
      /^the console does not answer\. The last answer came 6\d min ago\.$/u,
    );
    await page.focus(".wall-list");
    assert.match(await activeOf(page), /^worker-1, unknown/u);
    assert.match((await page.textContent(".card .old")) ?? "", /^asked 6\d min ago: too old$/u);
  },
);

test(
  "ashlar console --from: real evidence, its chain, files that are what was kept, and Ctrl-C",
  { skip },
  async (context) => {
    const directory = mkdtempSync(join(tmpdir(), "ashlar-console-"));
    context.after(() => rmSync(directory, { recursive: true }));
    await writeEvidence(directory);
    const main = join(import.meta.dirname, "../main.ts");
    const child = spawn(process.execPath, [main, "console", "--from", directory, "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    context.after(() => child.kill("SIGKILL"));
    const ended = once(child, "exit");
    const [line] = await once(createInterface(child.stdout), "line");
    const { url }: { url: string } = JSON.parse(String(line));
    const { page } = await open(context, url);
    await page.waitForSelector(".headline-good");
    assert.equal(await headlineOf(page), "1 node is proven: 1 identity");
    await page.focus(".wall-list");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".chain");
    assert.equal(await page.$$eval(".link-proven", (all) => all.length), 7);
    assert.match((await page.textContent(".chain")) ?? "", /systemd-boot[0-9a-f]{64}UKI/u);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=quote.msg")]);
    assert.deepEqual(readFileSync(await download.path()), readFileSync(join(directory, "worker/quote.msg")));
    assert.match((await page.textContent(".commands")) ?? "", /tpm2_checkquote --public ak\.pub/u);
    assert.deepEqual(await findBarriers(page), []);
    child.kill("SIGINT");
    assert.equal((await ended)[0], 0);
  },
);

async function writeEvidence(directory: string): Promise<void> {
  const authority = new TestAuthority();
  const node = new TestNode(authority);
  const release = testRelease("1.0.0");
  const declared = expectationsOf({ release, classConfig: Buffer.from("{}"), nodeConfig: Buffer.from("{}") });
  node.boot(testLogs(release, declared.classConfigSha256, declared.nodeConfigSha256));
  const challenge = { nonce: Buffer.alloc(32, 1), tlsPublicKey: Buffer.alloc(91, 2) };
  const manifest = JSON.stringify(release);
  await writeStoredFleet(directory, {
    nodes: ["worker"],
    manifest,
    ekRoots: authority.roots,
    known: [],
    extensions: [],
  });
  const report = testNextBootReport([[release, "ashlar_1.0.0.efi"]]);
  await writeStoredAnswer(directory, "worker", {
    evidence: node.evidence(release, challenge),
    ...challenge,
    challengedAtMs: Date.now(),
    pin: { ...node.pin, enrolledAt: new Date().toISOString(), resetCount: 0 },
    expected: { ...declared, releases: [release.uki.sha256] },
    nextBoot: { answer: node.nextBoot(report, challenge) },
  });
}

/** The pages of Rollouts in a real browser. */
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { pageFiles } from "@ashlar/console";
import { findBarriers, launchBrowser, openPage, skip, type Opened } from "@ashlar/console/test-browser";
import { Board, serveConsole } from "@ashlar/gateway";
import type { RolloutObject } from "@ashlar/kube";
import { rolloutsView } from "../rollout/rollout-view.ts";
import { testRollout } from "../rollout/test-rollout.ts";
import { HOSTILE_NAME, testNodes } from "./test-board.ts";

const browser = await launchBrowser();
after(async () => await browser?.close());

const STATUS = testRollout().status ?? {};
const SINCE = "2026-11-30T11:58:00Z";

function put(board: Board, ...rollouts: readonly RolloutObject[]): void {
  board.putRollouts(rolloutsView(rollouts, Date.now()).rollouts);
}

async function serve(context: TestContext, hash: string): Promise<Opened & { readonly board: Board }> {
  const board = new Board({ kind: "cluster", name: "prod", maxAgeSeconds: 3600 });
  board.put(testNodes(10, Date.now()));
  put(board, testRollout());
  const server = await serveConsole({ board, page: await pageFiles(), host: "127.0.0.1", port: 0 });
  context.after(async () => await server.close());
  return { board, ...(await openPage(browser, context, `${server.url}${hash}`)) };
}

test(
  "wave by wave, each node's step and what it waits for, as it changes; hostile words are text",
  { skip },
  async (context) => {
    const { page, board, problems } = await serve(context, "#/rollout/to-1-1-0");
    await page.waitForSelector(".wave");
    assert.equal(await page.title(), "to-1-1-0 - Ashlar console");
    assert.match(
      (await page.textContent(".rollout-head")) ?? "",
      /Rolling.*worker to 1\.1\.0, wave zone-a.*1 of 3 nodes done/u,
    );
    assert.deepEqual(await page.$$eval(".wave", (all) => all.map((each) => each.getAttribute("aria-label"))), [
      "Wave zone-a",
      "Wave rest",
    ]);
    const rowsOf = async (): Promise<readonly string[]> =>
      await page.$$eval(".wave tbody tr", (rows) =>
        rows.map((row) =>
          [...row.children]
            .map(({ textContent }) => textContent)
            .filter((_, cell) => cell !== 2)
            .join("|"),
        ),
      );
    assert.deepEqual(await rowsOf(), [
      "worker-2|→ Draining|shop/web-2: PodDisruptionBudget web: \u001b[2Jno 1 drain did not end",
      "worker-9|· Skipped|the rollout leaves it out",
      "worker-1|✓ Done|",
      "worker-3|· Waiting|its wave, rest, has not begun",
    ]);
    assert.match((await page.textContent(".wave.is-current h2")) ?? "", /zone-a 1 of 2 nodes done, goes on/u);
    assert.match((await page.textContent('[aria-label="Wave rest"] h2')) ?? "", /, not approved/u);
    assert.deepEqual(await findBarriers(page), []);

    const halt = { node: "worker-2", message: HOSTILE_NAME, since: SINCE };
    const nodes = [
      { name: "worker-2", wave: "zone-a", state: "FellBack", since: SINCE, message: HOSTILE_NAME },
    ] as const;
    put(board, testRollout({ status: { ...STATUS, phase: "Halted", halt, nodes } }));
    await page.waitForSelector(".tone-bad");
    assert.equal(await page.textContent("main > .first-difference"), HOSTILE_NAME);
    assert.equal(await page.$("img[src=x]"), null);
    assert.deepEqual(await findBarriers(page), []);

    await page.emulateMedia({ colorScheme: "dark" });
    assert.deepEqual(await findBarriers(page), []);
    assert.deepEqual(problems, []);
  },
);

test(
  "all of them, from the header; what cannot be read is said, and what was known stays",
  { skip },
  async (context) => {
    const { page, board } = await serve(context, "");
    await page.click('nav a:has-text("Rollouts")');
    await page.waitForSelector(".rollout-list li");
    const done = testRollout({ name: "old", createdAt: "2026-11-29T10:00:00Z", status: { ...STATUS, phase: "Done" } });
    put(board, done, testRollout({ generation: 3 }));
    await page.waitForSelector(".rollout-list li:nth-child(2)");
    assert.deepEqual(await page.$$eval(".rollout-list h2", (all) => all.map(({ textContent }) => textContent)), [
      "to-1-1-0",
      "old",
    ]);
    assert.equal(await page.textContent(".waits"), "The operator has not looked at it since it was changed.");
    assert.deepEqual(await findBarriers(page), []);
    board.failRollouts("the Rollouts: the API server answers 403");
    await page.waitForSelector(".old");
    assert.equal(await page.textContent(".old"), "What is shown gets old: the Rollouts: the API server answers 403");
    assert.equal(await page.$$eval(".rollout-list li", (all) => all.length), 2);
    await page.click('a:has-text("old")');
    await page.waitForSelector('h1:has-text("old")');
    await page.goto(`${page.url().split("#")[0] ?? ""}#/rollout/none`);
    await page.waitForSelector("text=There is no Rollout of this name.");
  },
);

test(
  "five thousand nodes in one wave: who needs somebody is seen, and the rest is counted",
  { skip },
  async (context) => {
    const { page, board } = await serve(context, "#/rollout/to-1-1-0");
    const nodes = Array.from({ length: 5000 }, (_, index) => ({
      name: `worker-${index}`,
      wave: "rest",
      state: index === 4321 ? ("Held" as const) : ("Done" as const),
      since: SINCE,
    }));
    put(board, testRollout({ status: { ...STATUS, total: 5000, done: 4999, nodes } }));
    await page.waitForSelector(".tone-bad");
    assert.equal(await page.$$eval("tbody tr", (all) => all.length), 200);
    assert.match((await page.textContent("tbody tr")) ?? "", /^worker-4321! Held/u);
    assert.match(
      (await page.textContent(".wave > .quiet")) ?? "",
      /^And 4800 more: kubectl ashlar rollout status to-1-1-0$/u,
    );
  },
);

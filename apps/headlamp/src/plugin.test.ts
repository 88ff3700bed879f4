/** The plugin as Headlamp runs it, on the real React 18, in a real browser. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { findBarriers, launchBrowser, openPage, skip, type Page } from "@ashlar/console/test-browser";
import { build } from "esbuild";
import { pluginFiles } from "./plugin-files.ts";

const MINUTE_MS = 60_000;
const HOSTILE = "</code><script>document.title='owned'</script>\u202e";
const LONG_NAME = "a".repeat(253);
const DIGESTS = ["a", "b"].map((digit) => digit.repeat(64));

const browser = await launchBrowser();
after(async () => await browser?.close());

type ApiServer = { proofs: readonly object[]; status: number; classStatus: number; isAway: boolean };

/** A NodeProof as an API server gives it. */
function proof(name: string, level: "proven" | "mismatch", ageMs: number, change: object = {}): object {
  const condition = {
    type: "Proven",
    status: level === "proven" ? "True" : "False",
    reason: level === "proven" ? "Proven" : "ClassConfig",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  return {
    apiVersion: "ashlar.dev/v1alpha1",
    kind: "NodeProof",
    metadata: { name, uid: name, resourceVersion: "1" },
    status: {
      class: "worker",
      level,
      release: "1.0.0",
      identity: DIGESTS[0],
      nextBoot: { level: "proven", release: "1.1.0" },
      extensions: [{ kind: "sysext", name: "kubernetes", version: "v1.33.4", rootHash: DIGESTS[1] }],
      lastProved: new Date(Date.now() - ageMs).toISOString(),
      conditions: [condition],
      ...change,
    },
  };
}

const wrong = (found: string): object => ({
  identity: DIGESTS[1],
  differences: [{ about: "running", code: "class-config", what: "PCR 13, class config", expected: "sha256 aa", found }],
});

const nodeClass = (freshnessSeconds: number): object => ({
  metadata: { name: "worker", uid: "worker", resourceVersion: "1", generation: 1 },
  spec: {
    selector: { "ashlar.node-restriction.kubernetes.io/class": "worker" },
    config: { butane: "variant: flatcar" },
    release: "1.0.0",
    releases: { manifests: "manifests" },
    trust: { ekRoots: { name: "trust", key: "makers.pem" } },
    proof: { intervalSeconds: 60, freshnessSeconds },
  },
});

const files = {
  "/main.js": (await pluginFiles("1.2.3"))["main.js"],
  "/host.js": await hostScript(),
  "/": `<!doctype html><html lang="en"><title>Test</title><link rel="icon" href="data:,"><nav></nav><div id="root"></div>
<script src="/host.js"></script><script src="/main.js"></script></html>`,
} as const;

async function hostScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("test-host.tsx", import.meta.url))],
    bundle: true,
    format: "iife",
    // The release that Headlamp has, beside the one that the console has.
    alias: { react: "react-18", "react-dom": "react-dom-18" },
    absWorkingDir: import.meta.dirname,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    tsconfigRaw: "{}",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

async function serve(
  context: TestContext,
  api: Partial<ApiServer>,
): Promise<{ readonly url: string; readonly api: ApiServer }> {
  const state: ApiServer = { proofs: [], status: 200, classStatus: 200, isAway: false, ...api };
  const server = createServer(({ url = "" }, response) => {
    const path = url.split("?", 1)[0] ?? "";
    const answer = (status: number, items: readonly object[]): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ items }));
    if (path.startsWith("/apis/") && state.isAway) response.destroy();
    else if (path.endsWith("/nodeproofs")) answer(state.status, state.proofs);
    else if (path.endsWith("/nodeclasses")) answer(state.classStatus, [nodeClass(120)]);
    else {
      const type = path === "/" ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8";
      response.writeHead(200, { "content-type": type }).end(Object.entries(files).find(([file]) => file === path)?.[1]);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  context.after(() => server.closeAllConnections());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, api: state };
}

const textOf = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? "";
const textsOf = async (page: Page, selector: string): Promise<readonly string[]> =>
  await page.$$eval(selector, (all) => all.map(({ textContent }) => textContent ?? ""));

test("the plugin is one script with a package.json, and brings no React of its own", async () => {
  const made = await pluginFiles("1.2.3");
  assert.deepEqual(JSON.parse(made["package.json"]).version, "1.2.3");
  assert.ok(made["main.js"].includes("pluginLib.React"));
  assert.doesNotMatch(made["main.js"], /react\.production|Symbol\.for\("react\.element"\)/u);
  assert.doesNotMatch(made["main.js"], /require\("node:/u);
  assert.ok(made["main.js"].length < 400_000, `${made["main.js"].length} characters`);
});

for (const mode of ["light", "dark"]) {
  test(
    `${mode}: groups by identity, filter, hostile texts and long names are text, axe finds nothing serious`,
    { skip },
    async (context) => {
      const proofs = [
        proof("worker-1", "proven", MINUTE_MS),
        proof("worker-2", "proven", MINUTE_MS),
        proof(LONG_NAME, "mismatch", MINUTE_MS, wrong(HOSTILE)),
      ];
      const { url } = await serve(context, { proofs });
      const setUp = async (each: Page): Promise<void> => {
        // As Headlamp's themes are.
        const css = `body { margin: 0; color: ${mode === "dark" ? "#fff" : "#000"}; background: ${mode === "dark" ? "#1f1f1f" : "#fff"} } a { color: inherit }`;
        await each.addInitScript((text) => {
          addEventListener("DOMContentLoaded", () => {
            const style = document.createElement("style");
            style.textContent = text;
            document.head.append(style);
          });
        }, css);
      };
      const { page, requests, problems } = await openPage(browser, context, `${url}?mode=${mode}`, setUp);
      await page.waitForSelector(".ashlar-group");
      assert.equal(await textOf(page, ".ashlar-headline"), "1 node of 3 is not what was declared");
      assert.equal(await textOf(page, ".ashlar-badge"), "2/3 proven");
      assert.deepEqual(await textsOf(page, ".ashlar-group h3"), ["aaaaaaaaaaaa… 2 nodes", "bbbbbbbbbbbb… 1 node"]);
      assert.ok((await textsOf(page, "td")).some((text) => text.includes(HOSTILE)));
      assert.ok((await textsOf(page, "th.ashlar-name")).includes(LONG_NAME));
      assert.equal(await page.$("main script"), null);
      assert.notEqual(await page.title(), "owned");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      assert.deepEqual(await findBarriers(page), []);
      await page.fill("input[type=search]", "worker-2");
      assert.deepEqual(await textsOf(page, "th.ashlar-name"), ["worker-2"]);
      await page.fill("input[type=search]", "");
      await page.selectOption("select", "none");
      assert.deepEqual(await textsOf(page, "th.ashlar-name"), [LONG_NAME, "worker-1", "worker-2"]);
      assert.equal(await textOf(page, "nav a"), "Node proofs");
      assert.deepEqual(
        requests.filter((each) => !each.startsWith(url)),
        [],
      );
      assert.deepEqual(problems, []);
    },
  );
}

test(
  "on a Node: its chain, differences in words, and the next boot; nothing on other objects",
  { skip },
  async (context) => {
    const { url } = await serve(context, { proofs: [proof("worker-2", "mismatch", MINUTE_MS, wrong(HOSTILE))] });
    const { page } = await openPage(browser, context, `${url}?of=Node/worker-2`);
    await page.waitForSelector(".ashlar-chain");
    assert.deepEqual(await textsOf(page, ".ashlar-link h4"), [
      "TPM and quote",
      "Firmware",
      "Boot loader",
      "UKI",
      "/usr",
      "Configuration",
      "Extensions",
    ]);
    assert.match(
      await textOf(page, ".ashlar-link-mismatch"),
      /^Configuration.*PCR 13, class config: expected sha256 aa, found/u,
    );
    assert.ok((await textOf(page, ".ashlar-link-mismatch")).includes(HOSTILE));
    assert.match(await textOf(page, ".ashlar-link:last-child"), /kubernetes v1\.33\.4 \(sysext\): b{64}/u);
    assert.deepEqual(await findBarriers(page), []);
    const other = await openPage(browser, context, `${url}?of=Node/worker-9`);
    await other.page.waitForSelector("main .ashlar p[role=status]");
    await other.page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("Nothing was proved"));
    const pod = await openPage(browser, context, `${url}?of=Pod/worker-2`);
    await pod.page.waitForSelector(".ashlar-badge");
    assert.equal(await pod.page.$("main .ashlar"), null);
  },
);

test(
  "old data looks old: by the browser's clock, also when nothing answers any more, whatever the resource says",
  { skip },
  async (context) => {
    const { url, api } = await serve(context, { proofs: [proof("worker-1", "proven", MINUTE_MS)] });
    const { page } = await openPage(
      browser,
      context,
      url,
      async (each) => await each.clock.install({ time: Date.now() }),
    );
    await page.clock.runFor(1000);
    await page.waitForSelector(".ashlar-group");
    assert.equal(await textOf(page, ".ashlar-badge"), "1/1 proven");
    api.isAway = true;
    await page.clock.runFor(70_000);
    await page.waitForSelector(".ashlar-problems");
    assert.equal(await textOf(page, ".ashlar-problems"), "The API server does not answer. What is shown gets old.");
    assert.equal(await textOf(page, ".ashlar-badge"), "0/1 proven");
    assert.equal(await textOf(page, ".ashlar-headline"), "1 node of 1 cannot be judged now");
    assert.match(await textOf(page, "td .ashlar-old"), /^(?:1[23]\d s|2 min) ago: too old$/u);
  },
);

test("a browser whose clock is a day behind calls nothing proven, and says why", { skip }, async (context) => {
  const { url } = await serve(context, { proofs: [proof("worker-1", "proven", MINUTE_MS)] });
  const late = Date.now() - 86_400_000;
  const { page } = await openPage(browser, context, url, async (each) => await each.clock.install({ time: late }));
  await page.clock.runFor(1000);
  await page.waitForSelector(".ashlar-group");
  assert.equal(await textOf(page, ".ashlar-badge"), "0/1 proven");
  assert.equal(await textOf(page, "td .ashlar-old"), "in the future: a clock is wrong");
});

test(
  "bad weather: kinds that are not there, rights that are missing, no node, no cluster",
  { skip },
  async (context) => {
    const { url, api } = await serve(context, { status: 404 });
    const { page } = await openPage(browser, context, url);
    await page.waitForSelector(".ashlar-problems");
    assert.match(await textOf(page, ".ashlar-problems"), /does not know NodeProofs.*kubectl apply -k deploy/u);
    api.status = 403;
    await page.waitForFunction(() =>
      document.querySelector(".ashlar-problems")?.textContent?.includes("ClusterRole ashlar-view"),
    );
    [api.status, api.classStatus] = [200, 403];
    await page.waitForFunction(() => document.querySelector(".ashlar-problems")?.textContent?.includes("NodeClasses"));
    await page.waitForFunction(() =>
      document.querySelector(".ashlar-headline")?.textContent?.includes("no NodeProofs yet"),
    );
    assert.equal(await page.$(".ashlar-badge"), null);
    api.proofs = [{ kind: "NodeProof" }, proof("worker-1", "proven", MINUTE_MS)];
    await page.waitForSelector(".ashlar-badge");
    assert.equal(await textOf(page, ".ashlar-badge"), "1/1 proven");
    const home = await openPage(browser, context, `${url}?cluster=none&of=Pod/x`);
    await home.page.waitForSelector("h1");
    assert.equal(await home.page.$("header .ashlar"), null);
  },
);

/** For tests of pages: a real browser, and what axe finds in a page. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";

export type { Page } from "playwright-core";

const BROWSER = "chromium-headless-shell";
/** On a busy machine a browser takes half a minute for what takes a second. */
const PATIENCE_MS = 120_000;
const AXE = axe.source;

/** For a test's option `skip`. */
export const skip: string | false = needs(BROWSER);

/** Undefined where there is none. Whoever asks closes it. */
export async function launchBrowser(): Promise<Browser | undefined> {
  if (skip !== false) return undefined;
  const places = (process.env["PATH"] ?? "").split(":").map((place) => join(place, BROWSER));
  return await chromium.launch({
    executablePath: places.find((path) => existsSync(path)) ?? BROWSER,
    args: ["--no-sandbox"],
    timeout: PATIENCE_MS,
  });
}

export type Opened = {
  readonly page: Page;
  readonly requests: readonly string[];
  /** What the page has thrown or said on its console. */
  readonly problems: readonly string[];
};

/** Opens a page until the test ends. */
export async function openPage(
  browser: Browser | undefined,
  context: TestContext,
  url: string,
  setUp?: (page: Page) => Promise<void>,
): Promise<Opened> {
  if (browser === undefined) throw new Error(`expected ${BROWSER}`);
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, bypassCSP: false });
  page.setDefaultTimeout(PATIENCE_MS);
  context.after(async () => await page.close());
  const requests: string[] = [];
  const problems: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => problems.push(message.text()));
  await setUp?.(page);
  await page.goto(url);
  return { page, requests, problems };
}

/** What axe finds to be serious or worse. */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  // The page's own policy lets no script in; the debugger is no page.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations.map(({ id, impact, nodes }) => [impact, id, nodes[0].html])))`,
    awaitPromise: true,
  });
  const found: [impact: string, id: string, html: string][] = JSON.parse(String(result.value));
  return found.filter(([impact]) => impact === "serious" || impact === "critical").map((each) => each.join(": "));
}

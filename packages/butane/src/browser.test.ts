/** The package must work where there is no Node.js: bundled for browsers, in a context that has only what these have. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { translate } from "./index.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-browser-"));
after(() => rmSync(directory, { recursive: true }));

const CONFIG = `variant: flatcar
version: 1.0.0
storage:
  files:
    - {path: /é, contents: {inline: ${"many times ".repeat(50)}}}
    - {path: /b, contents: {local: b}}
`;
const expected = translate(CONFIG, { files: new Map([["b", "hello"]]) }).ignition;

/** Defines a function that a page calls. */
const SCRIPT = `globalThis.result = ashlar.translate(${JSON.stringify(CONFIG)}, { files: new Map([["b", "hello"]]) }).ignition;`;

const bundled = await build({
  entryPoints: [join(import.meta.dirname, "index.ts")],
  bundle: true,
  platform: "browser",
  format: "iife",
  globalName: "ashlar",
  outfile: join(directory, "ashlar.js"),
  logLevel: "silent",
});

test("nothing of Node.js is in the bundle, and it runs with what each browser has", () => {
  assert.deepEqual(bundled.warnings, []);
  const browser = { TextDecoder, TextEncoder, URLSearchParams, atob, btoa };
  const context = createContext(browser);
  runInContext(`${readFileSync(join(directory, "ashlar.js"), "utf8")}\n${SCRIPT}`, context);
  assert.ok(expected !== undefined);
  assert.equal(runInContext("result", context), expected);
});

test("the same comes out of headless Chromium", (context) => {
  const chromium = ["chromium-headless-shell", "chromium"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (chromium === undefined) {
    context.skip("no Chromium here: `ashlar setup` installs Debian's package, and Ubuntu has none");
    return;
  }
  const page = join(directory, "page.html");
  const body = `<script src="ashlar.js"></script><script>${SCRIPT}document.body.textContent = btoa(unescape(encodeURIComponent(result)));</script>`;
  writeFileSync(page, `<!doctype html><meta charset="utf-8"><body>${body}</body>`);
  const options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--timeout=20000"];
  const { stdout } = spawnSync(chromium, [...options, pathToFileURL(page).href], { encoding: "utf8", timeout: 60_000 });
  const text = /<body>(?<text>[^<]*)<\/body>/u.exec(stdout)?.groups?.["text"] ?? "";
  assert.equal(Buffer.from(text, "base64").toString("utf8"), expected);
});

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

type PageFile = { readonly type: string; readonly bytes: Uint8Array };

const WEB = new URL("web/", import.meta.url);

/**
 * The files of the page, by path, made of its sources now: what is served is what is there. It takes some tenths of a second,
 * once, when the command starts.
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const { outputFiles } = await build({
    entryPoints: ["main.tsx", "style.css"].map((name) => fileURLToPath(new URL(name, WEB))),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    // It would be put beside a path of the machine that builds.
    outdir: "/",
    write: false,
    legalComments: "none",
    // The compiler's settings are for all packages; this is all that the page needs.
    tsconfigRaw: "{}",
    logLevel: "silent",
  });
  const made = (ending: string): Uint8Array => {
    const found = outputFiles.find(({ path }) => path.endsWith(ending));
    if (found === undefined) throw new TypeError(`esbuild has made no ${ending}`);
    return found.contents;
  };
  return new Map([
    ["/", { type: "text/html; charset=utf-8", bytes: await readFile(new URL("index.html", WEB)) }],
    ["/page.js", { type: "text/javascript; charset=utf-8", bytes: made(".js") }],
    ["/page.css", { type: "text/css; charset=utf-8", bytes: made(".css") }],
    ["/page.svg", { type: "image/svg+xml", bytes: await readFile(new URL("page.svg", WEB)) }],
  ]);
}

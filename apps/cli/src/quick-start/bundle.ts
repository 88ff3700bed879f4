import { randomUUID } from "node:crypto";
import { accessSync, constants, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { HELP_BUNDLE } from "../program.ts";
import { areSettled } from "./input-file.ts";
import { Sources } from "./sources.ts";

/** Loaded from where they are, by the few commands that need them. */
const NOT_BUNDLED = ["node:*", "esbuild", "openpgp", "tuf-js", "@tufjs/*", "@cyclonedx/*"];

/**
 * Puts one command into one file, node_modules/.cache/ashlar/commands/NAME.cjs, which starts in a fraction of the time of
 * the hundreds of files that it consists of. Nothing happens where it cannot be written, or where the sources have only just
 * changed: then they run the next time, too.
 *
 * @param name a command's, or {@link HELP_BUNDLE} for what all commands say about themselves, and nothing that they do
 */
export async function writeBundle(root: string, name: string): Promise<void> {
  const directory = join(root, "node_modules/.cache/ashlar/commands");
  if (!isWritable(root, directory)) return;
  const startedAtMs = Date.now();
  const sources = new Sources(root);
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "bundled-main.ts")],
    bundle: true,
    // For Node.js the YAML library has a form that cannot be cut down to the parts in use.
    platform: "neutral",
    external: NOT_BUNDLED,
    format: "cjs",
    minifyWhitespace: true,
    // Node.js does not know the compiler's settings either.
    tsconfigRaw: "{}",
    plugins: [only(name), withoutUnused, sources.plugin],
    // CommonJS has none: `Sources` replaces what it can.
    logOverride: { "empty-import-meta": "error" },
    write: false,
    logLevel: "silent",
  });
  const inputs = sources.inputs();
  if (!areSettled(inputs, startedAtMs)) return;
  const heads = { NAME: name, INPUTS: JSON.stringify(inputs) };
  const lines = Object.entries(heads).map(([constant, value]) => `const ${constant} = ${JSON.stringify(value)};\n`);
  const text = `${lines.join("")}${outputFiles[0]?.text ?? ""}`;
  // By renaming, so that a command that starts at the same time sees all of it or nothing.
  const temporary = join(directory, `${name}.${randomUUID()}`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, join(directory, `${name}.cjs`));
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Of the parts that are loaded when they are needed, leaves out those that this bundle never needs. */
function only(name: string): Plugin {
  return {
    name: "only",
    setup: (bundler) => {
      // oxlint-disable-next-line require-unicode-regexp -- esbuild, which runs the filter, does not know the flag
      bundler.onResolve({ filter: /./, namespace: "file" }, ({ path, importer, kind }) => {
        if (kind !== "dynamic-import") return undefined;
        return isNeeded(name, path, importer) ? undefined : { path, external: true };
      });
    },
  };
}

function isNeeded(name: string, path: string, importer: string): boolean {
  const isCommand = importer.endsWith("/apps/cli/src/program.ts");
  if (name === HELP_BUNDLE) return isCommand;
  // It tells of all commands, and does what one of them does.
  if (name === "completion") return isCommand || !/\/commands\/(?!completion\.ts$)/u.test(importer);
  return !isCommand || path === `./commands/${name}.ts`;
}

/**
 * Commander could run subcommands that are programs of their own; there are none, and loading what does it takes 4 ms. A
 * fifth of a bundle would be what Zod says in fifty languages; we say it in English, which it has apart from these.
 */
const withoutUnused: Plugin = {
  name: "without-unused",
  setup: (bundler) => {
    const leaveOut = (filter: RegExp, library: string): void =>
      bundler.onResolve({ filter }, ({ path, importer }) =>
        importer.includes(`/node_modules/${library}/`) ? { path, namespace: "empty" } : undefined,
      );
    // oxlint-disable require-unicode-regexp -- esbuild, which runs the filters, does not know the flag
    leaveOut(/^node:child_process$/, "commander");
    leaveOut(/\/locales\/index\.js$/, "zod");
    bundler.onLoad({ filter: /^/, namespace: "empty" }, () => ({ contents: "export default undefined;" }));
    // oxlint-enable require-unicode-regexp
  },
};

/** Whether the directory is the user's own to write: root leaves other users' files alone. */
function isWritable(root: string, directory: string): boolean {
  try {
    if (statSync(root).uid !== process.getuid?.()) return false;
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

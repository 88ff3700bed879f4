import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { stateOf, type InputFile } from "./input-file.ts";

/**
 * Puts the commands about configs into one file, node_modules/.cache/ashlar/butane.cjs, which starts in half the time of
 * the 150 files that it consists of. Nothing happens where it cannot be written: then the sources run each time.
 */
export async function writeBundle(root: string): Promise<void> {
  const directory = join(root, "node_modules/.cache/ashlar");
  if (!isWritable(root, directory)) return;
  const recorder = new Recorder(root);
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "bundled-main.ts")],
    bundle: true,
    // For Node.js the YAML library has a form that cannot be cut down to the parts in use.
    platform: "neutral",
    external: ["node:*"],
    format: "cjs",
    minifyWhitespace: true,
    plugins: [withoutPrograms, recorder.plugin],
    write: false,
    logLevel: "silent",
  });
  const text = `const INPUTS = ${JSON.stringify(recorder.inputs())};\n${outputFiles[0]?.text ?? ""}`;
  // By renaming, so that a command that starts at the same time sees all of it or nothing.
  const temporary = join(directory, `butane.${process.pid}`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, join(directory, "butane.cjs"));
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Commander could run subcommands that are programs of their own. There are none, and loading what does it takes 4 ms. */
const withoutPrograms: Plugin = {
  name: "without-programs",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ path }) => ({ path, namespace: "empty" }));
    bundler.onLoad({ filter: /^/, namespace: "empty" }, () => ({ contents: "export default undefined;" }));
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

/** Notes the state of each file before it is read: a change after that makes the bundle an old one. */
class Recorder {
  readonly #root: string;
  readonly #states = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  readonly plugin: Plugin = {
    name: "record-states",
    setup: (bundler) => {
      // oxlint-disable-next-line require-unicode-regexp -- esbuild, which runs the filter, does not know the flag
      bundler.onLoad({ filter: /./, namespace: "file" }, ({ path }) => {
        this.#record(path);
        // What the import of a package leads to.
        this.#record(manifestOf(dirname(path)));
        return { contents: readFileSync(path), loader: path.endsWith(".ts") ? "ts" : "js" };
      });
    },
  };

  #record(file: string): void {
    const path = relative(this.#root, file);
    if (!this.#states.has(path)) this.#states.set(path, stateOf(this.#root, path));
  }

  inputs(): readonly InputFile[] {
    return [...this.#states].map(([path, state]) => ({ path, state }));
  }
}

function manifestOf(directory: string): string {
  const path = join(directory, "package.json");
  return existsSync(path) ? path : manifestOf(dirname(directory));
}

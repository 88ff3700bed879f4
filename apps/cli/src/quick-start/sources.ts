import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { inputFile, type InputFile } from "./input-file.ts";

/** Reads the files of a bundle, and notes the state of each before: a change after that makes the bundle an old one. */
export class Sources {
  readonly #root: string;
  readonly #inputs = new Map<string, InputFile>();

  constructor(root: string) {
    this.#root = root;
  }

  readonly plugin: Plugin = {
    name: "sources",
    setup: (bundler) => {
      // oxlint-disable-next-line require-unicode-regexp -- esbuild, which runs the filter, does not know the flag
      bundler.onLoad({ filter: /./, namespace: "file" }, ({ path }) => {
        for (const file of filesBehind(path)) this.#record(file);
        const text = readFileSync(path, "utf8");
        return path.endsWith(".ts")
          ? { contents: withOwnPlace(text, relative(this.#root, path)), loader: "ts" }
          : { contents: text, loader: "js" };
      });
    },
  };

  #record(file: string): void {
    const path = relative(this.#root, file);
    if (!this.#inputs.has(path)) this.#inputs.set(path, inputFile(this.#root, path));
  }

  inputs(): readonly InputFile[] {
    return [...this.#inputs.values()];
  }
}

/** What a source finds from where it stands, it finds from there in a bundle, too, wherever the repository is moved. */
function withOwnPlace(text: string, path: string): string {
  const place = JSON.stringify(`../../../../${path}`);
  return text.replaceAll(
    "import.meta.url",
    `require("node:url").pathToFileURL(require("node:path").join(__dirname, ${place})).href`,
  );
}

/**
 * What decides what is read from a path: the file, and the manifest of its package, which says where an import of it leads.
 * For the hundreds of files that npm has installed, the one stands in which it notes what it did.
 */
function filesBehind(path: string): readonly string[] {
  const [modules] = /^.*?\/node_modules(?=\/)/u.exec(path) ?? [];
  const notes = modules === undefined ? undefined : join(modules, ".package-lock.json");
  return notes !== undefined && existsSync(notes) ? [notes] : [path, manifestOf(dirname(path))];
}

function manifestOf(directory: string): string {
  const path = join(directory, "package.json");
  return existsSync(path) ? path : manifestOf(dirname(directory));
}

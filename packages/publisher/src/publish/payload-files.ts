import { copyFile, open } from "node:fs/promises";
import type { PublishedFile } from "@ashlar/repository-index";
import { digestFile } from "@ashlar/host";
import type { RepositoryFiles } from "./repository-files.ts";

/** Puts payloads into one directory of a repository, each once it is whole. Nothing refers to them yet. */
export class PayloadFiles {
  readonly #files: RepositoryFiles;
  readonly #directory: string;
  readonly #signal: AbortSignal | undefined;

  constructor(files: RepositoryFiles, directory: string, signal: AbortSignal | undefined) {
    this.#files = files;
    this.#directory = directory;
    this.#signal = signal;
  }

  /**
   * @param make writes the file to the path that it gets
   * @param check is told what it has become, before it gets its place
   */
  async put(
    name: string,
    make: (path: string) => Promise<void>,
    check: (file: Omit<PublishedFile, "name">, path: string) => Promise<void> | void = () => undefined,
  ): Promise<PublishedFile> {
    const unfinished = this.#files.workPath();
    await make(unfinished);
    await sync(unfinished);
    const { sizeBytes, digest: sha256 } = await digestFile(unfinished, { signal: this.#signal });
    await check({ sizeBytes, sha256 }, unfinished);
    await this.#files.makeDirectory(this.#directory);
    await this.#files.place(unfinished, `${this.#directory}/${name}`);
    return { name, sizeBytes, sha256 };
  }

  async putBytes(name: string, content: Uint8Array | string): Promise<PublishedFile> {
    return await this.put(name, async (path) => {
      await using file = await open(path, "w", 0o644);
      await file.writeFile(content);
    });
  }

  async putCopy(
    name: string,
    source: string,
    check?: (digest: Omit<PublishedFile, "name">, path: string) => Promise<void> | void,
  ): Promise<PublishedFile> {
    return await this.put(name, async (path) => await copyFile(source, path), check);
  }
}

/** Served by whatever user runs the web server. */
async function sync(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.chmod(0o644);
  await file.sync();
}

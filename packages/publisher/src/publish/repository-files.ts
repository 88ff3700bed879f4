import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isMissing, withLock } from "@ashlar/host";

/** Where unfinished files lie, on the file system of the repository. Served by nobody: its name begins with a dot. */
const WORK_DIRECTORY = ".work";
/** Not served either. */
const LOCK = ".lock";

/**
 * A repository's directory, while one process changes it. Files come into being beside the repository's own and take
 * their place by renaming, so that no reader ever sees a part.
 */
export class RepositoryFiles {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Does `work` while no other process of this machine changes the repository. */
  static async change<T>(directory: string, what: string, work: (files: RepositoryFiles) => Promise<T>): Promise<T> {
    const root = await realpath(directory).catch(() => {
      throw new AshlarError("not-found", `expected a repository, found no directory ${directory}`, {
        hint: "make it with `ashlar release init`",
      });
    });
    return await withLock(join(root, LOCK), { what: `the repository ${root}`, holder: what }, async () => {
      // What an interrupted command has left.
      await rm(join(root, WORK_DIRECTORY), { recursive: true, force: true });
      for (const name of [WORK_DIRECTORY, "metadata", "releases", "extensions"])
        await mkdir(join(root, name), { recursive: true });
      try {
        return await work(new RepositoryFiles(root));
      } finally {
        await rm(join(root, WORK_DIRECTORY), { recursive: true, force: true });
      }
    });
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** A new path for something that is not finished. */
  workPath(): string {
    return this.path(WORK_DIRECTORY, randomBytes(8).toString("hex"));
  }

  /** The file's bytes; undefined when there is no such file. */
  async read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.path(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async has(path: string): Promise<boolean> {
    return (await stat(this.path(path)).catch(() => undefined)) !== undefined;
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(this.path(path), { recursive: true });
    for (let parent = dirname(path); ; parent = dirname(parent)) {
      await syncDirectory(this.path(parent));
      if (parent === ".") return;
    }
  }

  async write(path: string, content: Uint8Array | string): Promise<void> {
    const unfinished = this.workPath();
    await using file = await open(unfinished, "w", 0o644);
    await file.writeFile(content);
    await file.sync();
    await this.place(unfinished, path);
  }

  /** Gives a finished file, link or directory its place. A file's content must be on the disk already. */
  async place(unfinished: string, path: string): Promise<void> {
    await rename(unfinished, this.path(path));
    await syncDirectory(dirname(this.path(path)));
  }
}

/** After a power cut a renamed file has its new name only if its directory was written. */
async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

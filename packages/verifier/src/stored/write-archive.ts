import { lstat, mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { isMissing } from "@ashlar/host";
import { sha256, TAR_END, tarEntry } from "@ashlar/formats";
import type { StoredAnswer } from "./answer.ts";
import { EvidenceArchive } from "./archive.ts";
import { FLEET, SHARED_CONTENT, SHARED_FILES } from "./layout.ts";
import type { StoredFleet } from "./read-fleet.ts";
import { filesOf } from "./write-answer.ts";
import { filesOfFleet } from "./write-fleet.ts";

/**
 * Writes an archive of evidence: see {@link EvidenceArchive}. It comes to its place when it is whole. Until then, and for good if this
 * process is killed, what was there before stays as it is.
 */
export class ArchiveWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #shared = new Set<string>();
  readonly #nodes = new Set<string>();
  /** Answers come in any order, and at the same time. */
  #last: Promise<void> = Promise.resolve();
  #isDone = false;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /**
   * @throws AshlarError `usage` when something else than evidence is there, or for a node whose name cannot be a directory's; nothing
   *   has changed then
   */
  static async create(path: string, fleet: StoredFleet): Promise<ArchiveWriter> {
    const files = filesOfFleet(fleet);
    await refuseOthers(path);
    const temporary = `${path}.${process.pid}.new`;
    const writer = new ArchiveWriter(path, temporary, await openNew(temporary));
    try {
      for (const [name, text] of files) await writer.#append(name, Buffer.from(text), Date.now());
      return writer;
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Adds what is stored of a node, once. */
  async keep(name: string, answer: StoredAnswer): Promise<void> {
    if (this.#nodes.has(name)) throw new TypeError(`${name} is in the archive`);
    this.#nodes.add(name);
    const last = this.#last.then(async () => this.#keep(name, answer));
    // Whoever waits for the next one is told of this one's fault.
    this.#last = last;
    await last;
  }

  async #keep(name: string, answer: StoredAnswer): Promise<void> {
    const { challengedAtMs } = answer;
    const files = [...filesOf(answer)].map(([file, content]) => ({ file, bytes: Buffer.from(content) }));
    const entries: Buffer[] = [];
    for (const { bytes } of files.filter(({ file }) => SHARED_FILES.has(file))) {
      const path = sharedPath(bytes);
      if (this.#shared.has(path)) continue;
      await this.#append(path, bytes, challengedAtMs);
      this.#shared.add(path);
    }
    for (const { file, bytes } of files) {
      const content = SHARED_FILES.has(file) ? { sameAs: sharedPath(bytes) } : bytes;
      entries.push(tarEntry({ path: `${name}/${file}`, content, modifiedAt: secondsOf(challengedAtMs) }));
    }
    await this.#file.writeFile(Buffer.concat(entries));
  }

  async #append(path: string, content: Uint8Array, atMs: number): Promise<void> {
    await this.#file.writeFile(tarEntry({ path, content, modifiedAt: secondsOf(atMs) }));
  }

  /** Ends the archive and puts it in its place. */
  async finish(): Promise<void> {
    await this.#last;
    await this.#file.writeFile(TAR_END);
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#temporary, this.#path);
    this.#isDone = true;
  }

  /** What was not finished is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return;
    await this.#last.catch(() => undefined);
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, "w");
  } catch (error) {
    const message = `expected a place for an archive of evidence, found that ${path} cannot be written`;
    throw new AshlarError("failed", `${message}: ${messageOf(error)}`, { cause: error });
  }
}

function sharedPath(bytes: Uint8Array): string {
  return `${SHARED_CONTENT}/${sha256(bytes)}`;
}

function secondsOf(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

async function refuseOthers(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new AshlarError("usage", `expected a place for an archive of evidence at ${path}`, { cause: error });
  });
  if (found === undefined) return;
  const refusal = (what: string, cause?: unknown): AshlarError =>
    new AshlarError("usage", `expected no file, or an archive of evidence, at ${path}, found ${what}`, {
      hint: "choose another name for --evidence: this file has not been changed",
      cause,
    });
  if (!found.isFile()) throw refusal("something else");
  let isEvidence;
  try {
    using archive = EvidenceArchive.open(path);
    isEvidence = archive.index.fleet.has(FLEET);
  } catch (error) {
    throw refusal(`another one (${basename(path)})`, error);
  }
  if (!isEvidence) throw refusal(`an archive without ${FLEET}`);
}

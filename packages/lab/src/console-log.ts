import { open } from "node:fs/promises";
import { readTail } from "@ashlar/host";
import { afterLine, plainText, POWERED_ON, type BootProgress } from "./boot-phase.ts";

const MAX_READ_BYTES = 1024 * 1024;
/** A line without an end is cut there: binary output must not fill our memory. */
const MAX_LINE_CHARACTERS = 4096;

/** Follows a machine's console log from its beginning. */
export class ConsoleFollower {
  #offset = 0;
  #partialLine = "";
  readonly #decoder = new TextDecoder();
  #progress = POWERED_ON;
  #news = 0;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** How many lines there were, without those that only say that something still runs. */
  get news(): number {
    return this.#news;
  }

  /** Reads the log to its present end. */
  async readAll(): Promise<BootProgress> {
    let offset;
    do {
      offset = this.#offset;
      await this.read();
    } while (this.#offset !== offset);
    return this.#progress;
  }

  /** Reads what has been added since the last call. A log that is not there yet is empty. */
  async read(): Promise<BootProgress> {
    const buffer = await readFrom(this.#path, this.#offset);
    this.#offset += buffer.length;
    const lines = (this.#partialLine + this.#decoder.decode(buffer, { stream: true })).split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) this.#progress = afterLine(this.#progress, line.slice(0, MAX_LINE_CHARACTERS));
    this.#news += lines.filter((line) => !STILL_RUNNING.test(plainText(line))).length;
    this.#partialLine = last.slice(-MAX_LINE_CHARACTERS);
    // A prompt has no end of line.
    if (last !== "") this.#progress = afterPrompt(this.#progress, this.#partialLine);
    return this.#progress;
  }
}

/** A line that is not complete may be read again: it must not count as one more boot. */
function afterPrompt(progress: BootProgress, partialLine: string): BootProgress {
  const after = afterLine(progress, partialLine);
  return after.boots === progress.boots ? after : progress;
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  let file;
  try {
    file = await open(path, "r");
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const buffer = Buffer.alloc(MAX_READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** systemd draws these several times a second while it waits. */
const STILL_RUNNING = /^\[[ *]+\] /u;

const TAIL_BYTES = 32 * 1024;

/** The last lines of a console that are not blank, as plain text. */
export async function consoleTail(path: string, count: number): Promise<string[]> {
  const text = (await readTail(path, TAIL_BYTES)).toString("utf8");
  return text
    .split("\n")
    .map((line) => plainText(line).trimEnd())
    .filter((line) => line !== "" && !STILL_RUNNING.test(line))
    .slice(-count);
}

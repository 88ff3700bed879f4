import { createHash, hash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { EkRoots } from "@ashlar/identity";
import { pemOf } from "../ek-roots-files.ts";
import type { JudgedNode, JudgeStoredOptions } from "./judge-stored.ts";

/** Where verdicts are remembered, and by which program they were found: none is used by another one. */
export type Remember = { readonly directory: string; readonly program: string };

/** Each is a few MB for 10,000 nodes. */
const MAX_FILES = 8;
const MAX_BYTES: number = 512 * 1024 * 1024;
const DIGEST_BYTES = 32;
/** Others may neither write nor replace it. */
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Verdicts on nodes of an archive that were found before. One is used again only for the same bytes: of all that is stored of the node
 * (what it shares with others is named in them by its SHA-256), of everything that it was judged by, and of the program. The time
 * is no part of it: whoever asks looks whether the evidence is still young enough.
 *
 * Who can write these files decides what is proven. So they lie in a directory of the user's own, and what somebody else owns or may
 * write is not read.
 */
export class VerdictCache {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, JudgedNode>;

  private constructor(path: string, known: ReadonlyMap<string, JudgedNode>) {
    this.#path = path;
    this.#known = known;
  }

  /** @returns undefined where nothing can be remembered: then everything is judged */
  static open({ directory, program }: Remember, place: string, judgedBy: JudgeStoredOptions): VerdictCache | undefined {
    try {
      mkdirSync(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
      if (!isPrivate(directory, "directory")) return undefined;
      const path = join(directory, `${keyOf(program, place, judgedBy)}.verdicts`);
      return new VerdictCache(path, readKnown(path));
    } catch {
      return undefined;
    }
  }

  /** @param entries the digest of all that is stored of it */
  find(name: string, entries: string): JudgedNode | undefined {
    const known = this.#known.get(entries);
    return known?.name === name ? known : undefined;
  }

  /** Remembers these, and forgets the others. What cannot be written is judged again the next time. */
  replace(judged: readonly JudgedNode[]): void {
    const verdicts = new Map<string, JudgedNode["verdict"]>();
    const nodes = new Map<string, JudgedNode>();
    for (const node of judged) {
      const entries = node.seen?.entries;
      if (entries === undefined) continue;
      // Most nodes of a fleet have one of a few verdicts.
      const text = JSON.stringify(node.verdict);
      const verdict = verdicts.get(text) ?? node.verdict;
      verdicts.set(text, verdict);
      nodes.set(entries, { ...node, verdict });
    }
    const temporary = `${this.#path}.${process.pid}.new`;
    try {
      const content = serialize(nodes);
      writeFileSync(temporary, Buffer.concat([createHash("sha256").update(content).digest(), content]), {
        mode: PRIVATE_FILE,
      });
      chmodSync(temporary, PRIVATE_FILE);
      renameSync(temporary, this.#path);
      dropOld(join(this.#path, ".."));
    } catch {
      rmSync(temporary, { force: true });
    }
  }
}

function readKnown(path: string): ReadonlyMap<string, JudgedNode> {
  if (!isPrivate(path, "file")) return new Map();
  const bytes = readFileSync(path);
  const content = bytes.subarray(DIGEST_BYTES);
  // A disk's fault, or a write that was cut off.
  const isWhole = createHash("sha256").update(content).digest().equals(bytes.subarray(0, DIGEST_BYTES));
  if (!isWhole) return new Map();
  const known: unknown = deserialize(content);
  // What has this digest and is the user's own was written above, by this very program: its name says so.
  return known instanceof Map ? (known as ReadonlyMap<string, JudgedNode>) : new Map();
}

function isPrivate(path: string, kind: "directory" | "file"): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || !(kind === "file" ? found.isFile() : found.isDirectory())) return false;
  // oxlint-disable-next-line no-bitwise -- a mode's bits
  return found.uid === process.geteuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0 && found.size <= MAX_BYTES;
}

function dropOld(directory: string): void {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".verdicts"))
    .map((name) => ({ path: join(directory, name), writtenAtMs: lstatSync(join(directory, name)).mtimeMs }));
  for (const { path } of files.toSorted((a, b) => b.writtenAtMs - a.writtenAtMs).slice(MAX_FILES))
    rmSync(path, { force: true });
}

/**
 * Of all that a verdict depends on beside the evidence and the time. Differences name the place.
 *
 * @throws TypeError for what has no form in which it could be compared
 */
function keyOf(program: string, place: string, judgedBy: JudgeStoredOptions): string {
  const { ekRoots, cloudRoots, release, releaseInstead, candidates, extensions, ...others } = judgedBy;
  // As they were parsed, and large: without looking at each value.
  const manifests = JSON.stringify([release, releaseInstead ?? null, candidates, extensions]);
  const roots = [rootsOf(ekRoots), rootsOf(cloudRoots)];
  const rest = JSON.stringify([program, process.version, place, roots, others], plainly);
  return hash("sha256", JSON.stringify([hash("sha256", manifests), rest]));
}

function rootsOf(roots: EkRoots | undefined): object | null {
  return roots === undefined ? null : { pem: pemOf(roots.certificates), acceptExpired: roots.acceptExpired };
}

/** Maps as lists, and nothing that JSON would leave out. */
function plainly(key: string, value: unknown): unknown {
  if (value instanceof Map) return { map: [...value] };
  if (value instanceof Set || typeof value === "function" || typeof value === "symbol" || typeof value === "bigint")
    throw new TypeError(`${key} has no form in which it could be compared`);
  if (ArrayBuffer.isView(value)) throw new TypeError(`${key}: bytes`);
  return value;
}

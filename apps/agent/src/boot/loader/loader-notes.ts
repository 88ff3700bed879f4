import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestFile, isMissing } from "@ashlar/host";
import { AshlarError, membersOf, SHA256_HEX } from "@ashlar/base";
import { sha256 } from "@ashlar/formats";
import { BOOT_LOADER_PATHS, type BootLoaderStatus } from "@ashlar/protocol";
import type { NodePaths } from "../../shared/node-paths.ts";
import { readRunningSystem } from "../../shared/running-system.ts";
import { readStateFile, removeStateFile, writeStateFile } from "../../shared/state-file.ts";
import type { LoaderFacts, LoaderRecord } from "./decide-loader.ts";

/**
 * The running release's systemd-boot. Every byte is read through dm-verity.
 *
 * @throws AshlarError `not-found`
 */
export async function readOwnLoader(paths: Pick<NodePaths, "bootLoaders">): Promise<Buffer> {
  const found = await readIfThere(paths);
  if (found !== undefined) return found;
  throw new AshlarError("not-found", `expected systemd-boot at ${paths.bootLoaders.at(-1)}, found none`, {
    hint: "build the image again: it has lost a file",
  });
}

async function readIfThere({ bootLoaders }: Pick<NodePaths, "bootLoaders">): Promise<Buffer | undefined> {
  for (const path of bootLoaders) {
    try {
      return await readFile(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

export async function readCopies({ esp }: Pick<NodePaths, "esp">): Promise<LoaderFacts["copies"]> {
  return await Promise.all(
    BOOT_LOADER_PATHS.map(async (path) => ({ path, sha256: await digestIfThere(join(esp, path)) })),
  );
}

async function digestIfThere(path: string): Promise<string | null> {
  return await digestFile(path).then(
    ({ digest }) => digest,
    (error: unknown) => {
      if (error instanceof AshlarError && error.code === "not-found") return null;
      throw error;
    },
  );
}

export async function readRecord({ state }: Pick<NodePaths, "state">): Promise<LoaderRecord | undefined> {
  const { version, sha256: digest } = membersOf(await readStateFile(recordFile(state)));
  return typeof version === "string" && typeof digest === "string" && SHA256_HEX.test(digest)
    ? { version, sha256: digest }
    : undefined;
}

/** Once every copy is this one. */
export async function writeRecord({ state }: Pick<NodePaths, "state">, record: LoaderRecord): Promise<void> {
  await writeStateFile(recordFile(state), record);
}

export type LoaderProblem = NonNullable<BootLoaderStatus["problem"]>;

/** In memory: the next boot tries again. */
export async function writeProblem(paths: Pick<NodePaths, "runtime">, problem: LoaderProblem | null): Promise<void> {
  const path = problemFile(paths);
  await (problem === null ? removeStateFile(path) : writeStateFile(path, problem));
}

/** What is on the ESP, and why it is not the running release's when that could not be put there. */
export async function readLoaderStatus(paths: NodePaths): Promise<BootLoaderStatus> {
  const [{ version }, content, record, copies] = await Promise.all([
    readRunningSystem(paths),
    readIfThere(paths),
    readRecord(paths),
    readCopies(paths),
  ]);
  const known = [
    ...(content === undefined ? [] : [{ version, sha256: sha256(content) }]),
    ...(record === undefined ? [] : [record]),
  ];
  const { code, message, hint } = membersOf(await readStateFile(problemFile(paths)));
  return {
    copies: copies.map(({ path, sha256: digest }) => {
      const owner = known.find((each) => each.sha256 === digest);
      return { path, sha256: digest, release: owner?.version ?? null };
    }),
    problem:
      typeof code === "string" && typeof message === "string"
        ? { code, message, ...(typeof hint === "string" ? { hint } : {}) }
        : null,
  };
}

function recordFile(state: string): string {
  return join(state, "boot-loader.json");
}

function problemFile({ runtime }: Pick<NodePaths, "runtime">): string {
  return join(runtime, "boot-loader-problem.json");
}

import { readFile } from "node:fs/promises";
import { AshlarError, formatProblem } from "@ashlar/base";
import { isMissing } from "@ashlar/host";
import type { NodePaths } from "./node-paths.ts";
import { parsePolicy, type UpdatePolicy } from "@ashlar/declaration";

const MAX_ROOT_BYTES = 1024 * 1024;

/**
 * This node's policy, from the first file that exists; undefined when there is none.
 *
 * @throws AshlarError `invalid` with everything that is wrong with the file
 */
export async function readPolicy({ policyFiles }: Pick<NodePaths, "policyFiles">): Promise<UpdatePolicy | undefined> {
  const found = await readFirst(policyFiles);
  if (found === undefined) return undefined;
  const text = found.bytes.toString("utf8");
  const { policy, report } = parsePolicy(text);
  if (policy !== undefined) return policy;
  const problems = report.map((problem) => formatProblem(problem, { name: found.path, text }));
  throw new AshlarError("invalid", problems.join("\n"), {
    hint: "mend the file, for example in the node's Butane file",
  });
}

/**
 * The root of trust for releases.
 *
 * @throws AshlarError `not-found`, `limit`
 */
export async function readTrustedRoot(paths: Pick<NodePaths, "trustedRootFiles">): Promise<Uint8Array> {
  const found = await readFirst(paths.trustedRootFiles);
  if (found === undefined) {
    throw new AshlarError(
      "not-found",
      `expected a trusted root at ${paths.trustedRootFiles.join(" or ")}, found none`,
      {
        hint: "give the node the release-root.json of its repository, by the image or by its Butane file",
      },
    );
  }
  if (found.bytes.length <= MAX_ROOT_BYTES) return found.bytes;
  throw new AshlarError(
    "limit",
    `${found.path}: expected at most ${MAX_ROOT_BYTES} bytes, found ${found.bytes.length}`,
  );
}

async function readFirst(
  paths: readonly string[],
): Promise<{ readonly path: string; readonly bytes: Buffer } | undefined> {
  for (const path of paths) {
    try {
      return { path, bytes: await readFile(path) };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

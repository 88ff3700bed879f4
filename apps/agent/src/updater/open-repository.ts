import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { UpdatePolicy } from "@ashlar/declaration";
import type { openRepository, Repository } from "@ashlar/repository";
import type { NodePaths } from "../shared/node-paths.ts";
import { readTrustedRoot } from "../shared/read-policy.ts";

/**
 * Opens the repository that the node's policy names.
 *
 * @throws AshlarError `not-found` when it names none, or what `open` throws
 */
export async function openOwnRepository(
  paths: NodePaths,
  open: typeof openRepository,
  policy: UpdatePolicy | undefined,
  signal: AbortSignal,
): Promise<Repository> {
  if (policy?.repository === undefined) {
    throw new AshlarError("not-found", "expected a repository to fetch releases and extensions from, found none", {
      hint: `name one in ${paths.policyFiles[0]}: \`repository: https://HOST/PATH/\``,
    });
  }
  return await open({
    url: policy.repository,
    redirectsTo: policy.redirectsTo,
    trustedRoot: await readTrustedRoot(paths),
    stateDirectory: join(paths.state, "metadata"),
    nowMs: Date.now(),
    signal,
  });
}

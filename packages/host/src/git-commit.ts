import { AshlarError } from "@ashlar/base";
import { runForText } from "./run.ts";

/**
 * The commit that a directory is a checkout of, in hexadecimal; undefined when files differ from it, when it is no checkout,
 * or when there is no git.
 */
export async function gitCommitOf(directory: string, signal?: AbortSignal): Promise<string | undefined> {
  // Whoever runs this as root runs the checkout's programs already, whoever owns it.
  const git = async (...args: readonly string[]): Promise<string> =>
    await runForText("git", ["-c", "safe.directory=*", "-C", directory, ...args], { signal });
  try {
    if ((await git("status", "--porcelain")) !== "") return undefined;
    return (await git("rev-parse", "--verify", "HEAD")).trim();
  } catch (error) {
    if (error instanceof AshlarError && error.code !== "interrupted") return undefined;
    throw error;
  }
}

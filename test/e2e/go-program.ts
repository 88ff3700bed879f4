import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { cacheDirectory, run } from "@ashlar/host";

export type GoProgram = {
  readonly name: string;
  /** With what Go needs a list of versions for where it has no module of its own. */
  readonly module: string;
  readonly version: string;
  /** What is built of it. */
  readonly package: string;
};

/** The path of a program that we are held against, built once by Go from the module proxy, and kept. */
export async function goProgram({ name, module, version, package: built }: GoProgram): Promise<string> {
  const directory = join(cacheDirectory(), `${name}-${version}`);
  const program = join(directory, name);
  if (await exists(program)) return program;
  await mkdir(directory, { recursive: true });
  // In a module of its own, Go needs no list of versions, which not every proxy has.
  await writeFile(join(directory, "go.mod"), `module reference\n\ngo 1.25\n\nrequire ${module} ${version}\n`);
  try {
    await run("go", ["build", "-o", program, built], { cwd: directory, env: { GOFLAGS: "-mod=mod" } });
  } catch (error) {
    throw new AshlarError("missing-tool", `expected Go and its module proxy, to build ${name}`, { cause: error });
  }
  return program;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runForText } from "@ashlar/host";
import { HOST_PACKAGES, type HostPackage, type HostPart } from "./host-packages.ts";
import type { HostFacts, MissingPackage } from "./plan.ts";
import { parseSystem } from "./system.ts";

export async function readHostFacts(parts: readonly HostPart[]): Promise<HostFacts> {
  const system = parseSystem(await readFile("/etc/os-release", "utf8").catch(() => ""));
  const wanted = HOST_PACKAGES.filter(
    ({ parts: uses, onlyOn = system.id }) => onlyOn === system.id && uses.some((part) => parts.includes(part)),
  );
  const found = await Promise.all(wanted.map(findWhatIsMissing));
  return {
    system,
    isRoot: process.getuid?.() === 0,
    missing: found.filter((each) => each !== undefined),
  };
}

async function findWhatIsMissing(wanted: HostPackage): Promise<MissingPackage | undefined> {
  for (const name of wanted.provides) {
    if (!(await isPresent(name))) return { wanted, reason: `${name} is missing` };
  }
  if (wanted.oldest === undefined) return undefined;
  const { program, version } = wanted.oldest;
  const found = await programVersion(program);
  const [major, minor] = version;
  if (found[0] > major || (found[0] === major && found[1] >= minor)) return undefined;
  return { wanted, reason: `${program} is release ${found.join(".")}, older than ${version.join(".")}` };
}

async function isPresent(name: string): Promise<boolean> {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  const places = name.startsWith("/") ? [name] : directories.map((directory) => join(directory, name));
  const mode = name.startsWith("/") ? constants.R_OK : constants.X_OK;
  const tries = places.map(async (place) => await access(place, mode));
  return await Promise.any(tries).then(
    () => true,
    () => false,
  );
}

/** The first `N.N` that `program --version` prints. */
async function programVersion(program: string): Promise<[major: number, minor: number]> {
  const text = await runForText(program, ["--version"]);
  const match = /(?<major>\d+)\.(?<minor>\d+)/u.exec(text);
  if (match === null) throw new AshlarError("failed", `expected a version from ${program} --version, found: ${text}`);
  return [Number(match.groups?.["major"]), Number(match.groups?.["minor"])];
}

import { hash } from "node:crypto";
import { glob, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestFile, run, runForText } from "@ashlar/host";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import type { Archive } from "./apt-archive.ts";
import { dpkgStatus, prepareApt } from "./apt-lists.ts";
import { cachedStep } from "./build-cache.ts";
import { type DebianPackage, type DebianTrees, parsePackages, type Step } from "./debian-trees.ts";

/** `sha256`: of the file at `path`. */
export type DownloadedPackage = DebianPackage & { readonly path: string; readonly sha256: string };

/**
 * Downloads packages with what they need and a base has not, from the archive that the trees were made from. apt decides
 * and checks the signatures; to it, the base's packages are what is installed.
 *
 * @throws AshlarError `not-found` or `failed` with apt's words, `conflict` when a package of the base would have to be
 * another version, or is asked for
 */
export async function downloadPackages(
  packages: readonly string[],
  base: Pick<ReleaseManifest, "packages">,
  archive: Archive,
  trees: DebianTrees,
  step: Step,
): Promise<readonly DownloadedPackage[]> {
  const inBase = new Map(base.packages.map(({ name, version }) => [name, version]));
  const present = packages.find((name) => inBase.has(name));
  if (present !== undefined) {
    throw new AshlarError(
      "conflict",
      `${present}: expected a package that the base lacks, it has ${inBase.get(present)}`,
    );
  }
  const inputs = {
    format: 1,
    archive: basename(trees.key),
    base: hash("sha256", JSON.stringify(base.packages)),
    packages: packages.toSorted(),
  };
  const { directory } = await cachedStep("debs", inputs, async (out) => {
    step.onProgress(`downloading ${packages.join(", ")} and what the base lacks of what they need`);
    await downloadWithApt(packages, await statusOf(base, trees, step), archive, out, step);
  });
  const downloaded: DownloadedPackage[] = [];
  for await (const name of glob("*.deb", { cwd: directory })) {
    const path = join(directory, name);
    const text = await runForText("dpkg-deb", [
      "--show",
      "--showformat=${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}",
      path,
    ]);
    const [described] = parsePackages(text);
    const { digest: sha256 } = await digestFile(path, { signal: step.signal });
    if (described !== undefined) downloaded.push({ ...described, path, sha256 });
  }
  const newer = downloaded.find(({ name, version }) => inBase.has(name) && inBase.get(name) !== version);
  if (newer !== undefined) {
    const found = `${newer.name} ${newer.version}`;
    throw new AshlarError("conflict", `${packages.join(", ")} needs ${found}, the base has ${inBase.get(newer.name)}`, {
      hint: "rebuild the base image from the same archive, or name the archive that it was built from with --snapshot",
    });
  }
  // To apt, a package of the base is another than the archive's of the same version, since less is known of it.
  const lacking = downloaded.filter(({ name }) => !inBase.has(name));
  return lacking.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function downloadWithApt(
  packages: readonly string[],
  status: string,
  archive: Archive,
  out: string,
  step: Step,
): Promise<void> {
  const apt = join(out, "apt");
  const how = await prepareApt(apt, status, archive, step);
  await run("apt-get", ["install", "--quiet", "--yes", "--no-remove", "--download-only", ...packages], how);
  for await (const name of glob("cache/archives/*.deb", { cwd: apt })) {
    await run("mv", ["--", join(apt, name), out]);
  }
  await rm(apt, { recursive: true });
}

/**
 * The base's packages as dpkg would list them. What they provide comes from the trees' own list; what they need is left
 * out: it is there, or the base does without it on purpose.
 */
async function statusOf(base: Pick<ReleaseManifest, "packages">, trees: DebianTrees, step: Step): Promise<string> {
  const known = new Map<string, string>();
  for (const stanza of (await dpkgStatus(trees, step)).trimEnd().split("\n\n"))
    known.set(fieldOf(stanza, "Package"), stanza);
  const stanzas = base.packages.map(({ name, version, architecture }) => {
    const stanza = known.get(name) ?? "";
    const fields = [`Package: ${name}`, "Status: install ok installed", `Version: ${version}`];
    const kept = ["Provides", "Multi-Arch", "Source"].map((field) => [field, fieldOf(stanza, field)] as const);
    const more = kept.flatMap(([field, value]) => (value === "" ? [] : [`${field}: ${value}`]));
    return [...fields, `Architecture: ${architecture}`, ...more].join("\n");
  });
  return `${stanzas.join("\n\n")}\n`;
}

function fieldOf(stanza: string, field: string): string {
  return new RegExp(`^${field}: (.+)$`, "mu").exec(stanza)?.[1] ?? "";
}

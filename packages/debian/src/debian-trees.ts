import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { type Archive, SUITE } from "./apt-archive.ts";
import { cachedStep } from "./build-cache.ts";
import type { OsDefinition } from "./os-definition.ts";

/** The results of mmdebstrap, as files: they are unpacked anew for each build. */
export type DebianTrees = {
  /** The node's packages and nothing else: `usr`, `etc` and the kernel in `boot`. */
  readonly nodeTar: string;
  /** The same packages and those that build the initrd, the file system and the UKI. */
  readonly buildTar: string;
  readonly packages: readonly DebianPackage[];
  /** Seconds since 1970: the time that everything in the image carries. */
  readonly sourceDateEpoch: number;
  readonly cached: boolean;
  /** Names the packages: the same as long as the archive offers the same ones. */
  readonly key: string;
};

export type DebianPackage = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** What it was built from. */
  readonly source: { readonly name: string; readonly version: string };
};

export type Step = {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (message: string) => void;
};

/**
 * Installs the packages of `os/` with mmdebstrap, once for each state of the archive.
 *
 * @throws AshlarError `failed` with apt's words, `unavailable` when the archive cannot be read
 */
export async function makeDebianTrees(os: OsDefinition, archive: Archive, step: Step): Promise<DebianTrees> {
  step.onProgress(`asking ${new URL(archive.mirror).host} which packages ${SUITE} has`);
  const suites = suitesOf(archive);
  const indexes = await Promise.all(suites.map(async (suite) => await readIndex(suite, step)));
  const sourceDateEpoch = indexes[0]?.date ?? 0;
  const inputs = {
    format: 3,
    sourceDateEpoch,
    packages: os.packages,
    buildPackages: os.buildPackages,
    indexes: indexes.map(({ packagesDigest }) => packagesDigest),
  };
  const { directory, cached } = await cachedStep("debian", inputs, async (out) => {
    step.onProgress("installing Debian packages (about a minute and a half)");
    await bootstrap(os, archive, sourceDateEpoch, out, step);
  });
  return {
    nodeTar: join(directory, "node.tar"),
    buildTar: join(directory, "build.tar"),
    packages: parsePackages(await readFile(join(directory, "packages"), "utf8")),
    sourceDateEpoch,
    cached,
    key: directory,
  };
}

/** Lines of a sources.list(5) for the suites that packages come from, each held to Debian's own keys. */
export function sourceLines(archive: Archive): string[] {
  return suitesOf(archive).map(({ uri, name }) => `deb [signed-by=${KEYRING}] ${uri} ${name} main`);
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

type Suite = { readonly uri: string; readonly name: string };

function suitesOf({ mirror, securityMirror, suites }: Archive): readonly Suite[] {
  const released = { uri: mirror, name: SUITE };
  if (suites === "released") return [released];
  return [released, { uri: mirror, name: `${SUITE}-updates` }, { uri: securityMirror, name: `${SUITE}-security` }];
}

/** The digest of a suite's list of packages, and the suite's date, from its InRelease file. apt checks the signature later. */
async function readIndex(suite: Suite, step: Step): Promise<{ packagesDigest: string; date: number }> {
  const url = `${suite.uri}/dists/${suite.name}/InRelease`;
  const text = await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "InRelease");
    try {
      // apt's own program knows the machine's proxies and certificates.
      await run("/usr/lib/apt/apt-helper", ["download-file", url, path], { signal: step.signal });
    } catch (error) {
      if (error instanceof AshlarError && error.code !== "failed") throw error;
      throw new AshlarError("unavailable", `expected a Debian archive with ${SUITE} at ${url}, could not read it`, {
        hint: "check the network, or name another archive with --mirror",
        cause: error,
      });
    }
    return await readFile(path, "utf8");
  });
  const digests = [...text.matchAll(/^ ([0-9a-f]{64})\s+\d+ main\/binary-(?:amd64|all)\/Packages$/gmu)];
  const date = Date.parse(/^Date: (.+)$/mu.exec(text)?.[1] ?? "");
  if (digests.length === 0 || Number.isNaN(date)) {
    throw new AshlarError("malformed", `${url}: expected a Release file with a date and an index of main for amd64`);
  }
  return { packagesDigest: hash("sha256", digests.map(([line]) => line).join("\n")), date: date / 1000 };
}

async function bootstrap(
  os: OsDefinition,
  archive: Archive,
  sourceDateEpoch: number,
  out: string,
  step: Step,
): Promise<void> {
  await run(
    "mmdebstrap",
    [
      "--variant=minbase",
      "--mode=root",
      "--architectures=amd64",
      `--keyring=${KEYRING}`,
      '--aptopt=APT::Install-Recommends "false"',
      '--aptopt=Acquire::Languages "none"',
      '--aptopt=Acquire::Retries "3"',
      ...(archive.snapshot ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
      "--dpkgopt=path-exclude=/usr/share/man/*",
      "--dpkgopt=path-exclude=/usr/share/doc/*",
      "--dpkgopt=path-exclude=/usr/share/locale/*",
      `--include=${os.packages.join(",")}`,
      // The node's tree is saved before the packages that only build it come in.
      `--customize-hook=chroot "$1" dpkg-query --show --showformat='\${binary:Package}\\t\${Version}\\t\${Architecture}\\t\${source:Package}\\t\${source:Version}\\n' > "$ASHLAR_OUT/packages"`,
      '--customize-hook=tar -C "$1" --create --file "$ASHLAR_OUT/node.tar" --one-file-system --numeric-owner --xattrs ./bin ./sbin ./lib ./lib64 ./usr ./etc ./boot',
      `--customize-hook=chroot "$1" apt-get install --yes --no-install-recommends ${os.buildPackages.join(" ")}`,
      SUITE,
      join(out, "build.tar"),
      ...suitesOf(archive).map(({ uri, name }) => `deb ${uri} ${name} main`),
    ],
    { env: { ASHLAR_OUT: out, SOURCE_DATE_EPOCH: String(sourceDateEpoch) }, signal: step.signal },
  );
}

/** Of lines as dpkg-query and dpkg-deb write them for us: five fields with tabs between them. */
export function parsePackages(text: string): DebianPackage[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [name = "", version = "", architecture = "", source = "", sourceVersion = ""] = line.split("\t");
      return {
        name: name.replace(/:amd64$/u, ""),
        version,
        architecture,
        source: { name: source, version: sourceVersion },
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, membersOf, withoutCredentials } from "@ashlar/base";
import { digestFile, run } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import type { DeclaredExtension, UpdatePolicy } from "@ashlar/declaration";
import { extensionFileName, matchesVersion, parseImagePath } from "@ashlar/protocol";
import { compareVersions } from "@ashlar/formats";
import type { NodePaths } from "../../shared/node-paths.ts";
import { syncDirectory } from "../../shared/state-file.ts";
import type { OrderContext } from "../order-book.ts";
import { checkSpace } from "../free-space.ts";
import type { ExtensionClient } from "../../extensions/extension-client.ts";
import type { Repository } from "@ashlar/repository";
import type { ExtensionActivity } from "./extensions-status.ts";
import { installImage, writeDefinition } from "./install-image.ts";
import { readTransferOf } from "../../extensions/read-declared.ts";
import { imagePath, storedVersions } from "../../extensions/store.ts";

export type ExtensionOrder = OrderContext<ExtensionActivity>;

/** What somebody wants of an extension. */
export type VersionWish = {
  readonly to?: string | undefined;
  readonly running?: string | undefined;
  readonly allowDowngrade?: boolean | undefined;
  readonly retry?: boolean | undefined;
  readonly failed: readonly string[];
};

/** Where an extension's versions come from. */
export type VersionSource = {
  /** @throws AshlarError why there is no such version: `not-found`, `invalid`, `conflict`, `unavailable` */
  readonly choose: (wish: VersionWish) => Promise<string>;
  /** Brings an image into the store. Nothing has looked at its signature yet. */
  readonly install: (version: string, protectedVersion: string | undefined) => Promise<void>;
};

/**
 * Where to look for versions of a declared extension. A transfer file that names our own repository's server means that
 * repository, whose signed metadata says more than a list of digests does.
 */
export async function versionSource(
  paths: NodePaths,
  extension: DeclaredExtension,
  policy: Pick<UpdatePolicy, "repository" | "maxBytesPerSecond"> | undefined,
  open: () => Promise<{ readonly client: ExtensionClient; readonly repository: Repository }>,
  context: ExtensionOrder,
): Promise<VersionSource> {
  const { name, source } = extension;
  const updatesUrl = source.type === "repository" ? undefined : source.updatesUrl;
  if (updatesUrl === null) return linkSource(paths, extension);
  if (updatesUrl !== undefined && !isOwn(updatesUrl, policy?.repository, name)) {
    return serverSource(paths, extension, context);
  }
  return repositorySource(paths, extension, await open(), policy?.maxBytesPerSecond, context);
}

function isOwn(updatesUrl: string, repository: string | undefined, name: string): boolean {
  if (repository === undefined) return false;
  const withSlash = (url: string): string => (url.endsWith("/") ? url : `${url}/`);
  return new URL(`extensions/${name}/`, withSlash(repository)).href === withSlash(updatesUrl);
}

/** Our own repository: block by block, from earlier versions where they have them. */
function repositorySource(
  paths: NodePaths,
  { name, kind, pattern, tier }: DeclaredExtension,
  { client, repository }: { readonly client: ExtensionClient; readonly repository: Repository },
  maxBytesPerSecond: number | undefined,
  { report, signal }: ExtensionOrder,
): VersionSource {
  return {
    choose: async (wish) => await Promise.resolve(client.chooseExtension(repository.index, { ...wish, name, pattern })),
    install: async (version, protectedVersion) => {
      report({ phase: "fetching", progress: null });
      const directory = join(paths.extensions.state, "work");
      const entry = repository.index.extensions.get(name)?.get(version);
      await mkdir(paths.extensions.state, { recursive: true, mode: 0o700 });
      if (entry !== undefined)
        await checkSpace("/var/lib/ashlar", paths.extensions.state, 2 * entry.files.image.sizeBytes, 0);
      const versions = await storedVersions(paths.extensions, name);
      const staged = await client.stageExtension({
        repository,
        name,
        version,
        sources: versions.map((each) => imagePath(paths.extensions, name, each)),
        directory,
        maxBytesPerSecond,
        signal,
        onProgress: (progress) => report({ progress }),
      });
      if (staged.entry.kind !== kind || (tier !== null && staged.entry.tier !== tier)) {
        const found = `a ${staged.entry.kind} of the tier ${staged.entry.tier}`;
        throw new AshlarError("invalid", `${name}: expected a ${kind} of the tier ${tier ?? "any"}, found ${found}`, {
          hint: "change the declaration in extensions.yaml",
        });
      }
      report({ phase: "installing" });
      await installImage(paths, { kind, name, version, directory, protectedVersion }, signal);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A foreign server: systemd-sysupdate fetches as the transfer file says. */
function serverSource(
  paths: NodePaths,
  { kind, name, pattern }: DeclaredExtension,
  { report, signal }: ExtensionOrder,
): VersionSource {
  // What systemd-sysupdate calls a version is what stands for `@v` in the transfer file.
  const [before = "", after = ""] = pattern.split("*");
  const shortened = (version: string): string => version.slice(before.length, version.length - after.length);
  const onLine = (line: string): void => reportLine(`sysupdate: ${line}`);
  const define = async (protectedVersion?: string): Promise<string> => {
    const text = await readTransferOf(paths.extensions, name);
    return `--definitions=${await writeDefinition(paths, { kind, name, text, protectedVersion })}`;
  };
  return {
    choose: async ({ to, running, failed, retry, allowDowngrade }) => {
      const { stdout } = await run(paths.sysupdate, [await define(), "--json=short", "list"], { signal, onLine });
      const listed = readVersions(stdout.toString("utf8")).map((version) => `${before}${version}${after}`);
      const offered = listed.filter((version) => matchesVersion(version, pattern));
      const isAllowed = (version: string): boolean => retry === true || !failed.includes(version);
      if (to !== undefined && !offered.includes(to)) {
        throw new AshlarError(
          "not-found",
          `expected ${name} ${to} at its server, found ${offered.join(", ") || "nothing"}`,
        );
      }
      const [newest] = offered.filter(isAllowed).toSorted((a, b) => compareVersions(b, a));
      const chosen = to ?? newest ?? running;
      if (chosen === undefined)
        throw new AshlarError("not-found", `the server offers no version of ${name} that matches ${pattern}`);
      if (!isAllowed(chosen)) throw new AshlarError("conflict", `${name} ${chosen} has failed on this node before`);
      if (running === undefined || compareVersions(chosen, running) >= 0 || allowDowngrade === true) return chosen;
      if (to === undefined) return running;
      throw new AshlarError("invalid", `${name} ${to} is older than ${running} (currently merged)`);
    },
    install: async (version, protectedVersion) => {
      report({ phase: "fetching", progress: null });
      const definitions = await define(protectedVersion === undefined ? undefined : shortened(protectedVersion));
      await run(paths.sysupdate, [definitions, "update", shortened(version)], { signal, onLine });
    },
  };
}

/** systemd-sysupdate's `list` as JSON: `{current, all: [...]}`. */
function readVersions(text: string): string[] {
  const { all } = membersOf(JSON.parse(text));
  if (!Array.isArray(all)) throw new AshlarError("malformed", "systemd-sysupdate: expected a list of versions");
  return all.filter((version) => typeof version === "string");
}

const MAX_IMAGE_BYTES: number = 4 * 1024 ** 3;
const FETCH_TIMEOUT_MS: number = 15 * 60_000;

/** A link without a transfer file: the one image that the configuration names. */
function linkSource(paths: NodePaths, { name, source }: DeclaredExtension): VersionSource {
  const version = source.type === "file" ? parseImagePath(source.path)?.version : undefined;
  return {
    choose: async () => {
      if (version !== undefined) return await Promise.resolve(version);
      throw new AshlarError("not-found", `${name}: expected a version in the name of the image`);
    },
    install: async (wanted) => {
      await fetchLinked(paths, { name, version: wanted, source });
    },
  };
}

/** @param expected as Ignition has it: of the decompressed bytes, which systemd-pull would not check */
async function checkHash(path: string, url: string, expected: string): Promise<void> {
  const [algorithm] = expected.split("-", 1);
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw new AshlarError("invalid", `${url}: expected a hash by sha256 or sha512, found ${expected.slice(0, 20)}`);
  }
  const found = `${algorithm}-${(await digestFile(path, { algorithm })).digest}`;
  if (found !== expected) throw new AshlarError("untrusted", `${url}: expected ${expected}, found ${found}`);
}

/** Fetches the image that the configuration has by its URL. */
export async function fetchLinked(
  { extensions }: NodePaths,
  { name, version, source }: Pick<DeclaredExtension, "name" | "source"> & { readonly version: string },
): Promise<void> {
  if (source.type !== "file" || source.url === null) {
    throw new AshlarError("not-found", `${name}: expected to know where its image is, found no source`, {
      hint: "give the file below /opt/extensions a `source`, or put the image there",
    });
  }
  const directory = join(extensions.state, "work");
  const fileName = extensionFileName({ name, version });
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const target = join(directory, fileName);
  const options = ["--direct", "--verify=no", `--size-max=${MAX_IMAGE_BYTES}`];
  await run("/usr/lib/systemd/systemd-pull", [...options, "raw", source.url, target], { timeoutMs: FETCH_TIMEOUT_MS });
  if (source.hash !== null) await checkHash(target, withoutCredentials(source.url), source.hash);
  await mkdir(join(extensions.store, name), { recursive: true });
  await rename(target, join(extensions.store, name, fileName));
  await syncDirectory(join(extensions.store, name));
  await rm(directory, { recursive: true, force: true });
}

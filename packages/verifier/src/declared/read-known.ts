import { dirname } from "node:path";
import { AshlarError } from "@ashlar/base";
import { stateDirectory } from "@ashlar/host";
import { parseKnownRelease, type KnownRelease } from "@ashlar/protocol/answers";
import type { KnownExtension } from "@ashlar/identity";
import type { Repository } from "@ashlar/repository";
import { allowedVersions, readKeptReleases, type UpdateRecord } from "./update-record.ts";
import { extensionsOf, readExtensions } from "./known-extensions.ts";
import type { DeclaredRelease } from "./declared-nodes.ts";
import { readManifestText } from "./read-release.ts";
import type { RepositoryPlace } from "./release-repository.ts";

export type KnownSources = {
  readonly given?: readonly KnownRelease[];
  /** Images or manifests. */
  readonly images: readonly string[];
  /** Manifests of extensions, or directories of them. */
  readonly extensions?: readonly string[] | undefined;
  /** Where an update's record is, and the releases that were kept beside it. */
  readonly recordPath?: string;
  readonly repository?: RepositoryPlace | undefined;
  /** Told when the repository cannot be read; without it that is an error. */
  readonly onUnreadable?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal;
};

export type Known = {
  /** Each once; what comes first counts when two have one version. */
  readonly releases: readonly KnownRelease[];
  /** The repository's first: it knows what has been withdrawn. */
  readonly extensions: readonly KnownExtension[];
  /** The version that each of the repository's channels has. */
  readonly channels: ReadonlyMap<string, string>;
  /** When the repository's index is no longer trusted, milliseconds since 1970; undefined without a repository. */
  readonly expiresMs: number | undefined;
};

/** All that can be known from here of what has been published. */
export async function readKnown(sources: KnownSources): Promise<Known> {
  const { given = [], images, extensions = [], recordPath } = sources;
  const read = await Promise.all(
    [...new Set(images)].map(async (path) => parseKnownRelease(await readManifestText(path))),
  );
  const kept = recordPath === undefined ? [] : await readKeptReleases(recordPath);
  const repository = await readRepository(sources);
  const all = [...given, ...read, ...kept, ...repository.releases];
  return {
    releases: [...Map.groupBy(all, ({ uki }) => uki.sha256).values()].flatMap(([first]) => first ?? []),
    extensions: [...repository.extensions, ...(await readExtensions(extensions))],
    channels: repository.channels,
    expiresMs: repository.expiresMs,
  };
}

async function readRepository(sources: KnownSources): Promise<Known> {
  const { repository: place, recordPath, onUnreadable, signal } = sources;
  if (place === undefined) return NOTHING;
  // What reads a repository takes longer to load than everything else here.
  const { openReleases } = await import("./release-repository.ts");
  try {
    const repository = await openReleases(
      place,
      recordPath === undefined ? stateDirectory() : dirname(recordPath),
      signal,
    );
    const channels = new Map([...repository.index.channels].map(([name, { version }]) => [name, version]));
    const { index, expiresMs } = repository;
    return { releases: await readSummaries(repository), extensions: extensionsOf(index), channels, expiresMs };
  } catch (error) {
    if (!(error instanceof AshlarError) || onUnreadable === undefined || error.code === "interrupted") throw error;
    onUnreadable(error.message);
    return NOTHING;
  }
}

const NOTHING: Known = { releases: [], extensions: [], channels: new Map(), expiresMs: undefined };

/** Enough to keep a network busy. */
const READ_AT_ONCE = 8;

/** The summaries of a repository's releases, also of withdrawn ones: nodes may still run them. */
export async function readSummaries({ index, readSummary }: Repository): Promise<KnownRelease[]> {
  const versions = [...index.releases.keys()];
  const releases: KnownRelease[] = [];
  for (let start = 0; start < versions.length; start += READ_AT_ONCE) {
    const some = versions.slice(start, start + READ_AT_ONCE);
    releases.push(...(await Promise.all(some.map(async (version) => readSummary(version)))));
  }
  return releases;
}

/**
 * What a node was declared to run.
 *
 * @param images those that declarations name, by their paths
 * @throws AshlarError `not-found`
 */
export function declaredRelease(
  wish: DeclaredRelease,
  { releases, channels }: Known,
  images: ReadonlyMap<string, KnownRelease>,
): KnownRelease {
  const version = "channel" in wish ? channels.get(wish.channel) : "version" in wish ? wish.version : undefined;
  const found = "image" in wish ? images.get(wish.image) : releases.find((release) => release.version === version);
  if (found !== undefined) return found;
  const [[what, name] = ["release", ""]] = Object.entries(wish);
  throw new AshlarError("not-found", `expected the ${what} ${name}, which nodes are declared to run, found none`, {
    hint: "`ashlar release list` shows what a repository has",
  });
}

export type RightReleases = { readonly release: KnownRelease; readonly alsoAllowed: readonly KnownRelease[] };

/**
 * The releases that are right for a node: `given` if there is one, else what the record says, else `made`, which the node
 * was made from; and while it is the node's turn in an update, both of that.
 *
 * @throws AshlarError `usage` when no option or record says what the node should run, `not-found` when no such release is known
 */
export function rightReleases(
  node: string,
  record: UpdateRecord,
  known: readonly KnownRelease[],
  { given, made }: { readonly given: KnownRelease | undefined; readonly made: KnownRelease | undefined },
): RightReleases {
  const [version, also] = allowedVersions(record, node, { given: given?.version, made: made?.version });
  if (version === undefined) {
    throw new AshlarError("usage", `expected --image: no option or record says which release ${node} should run`, {
      hint: "give the directory that `ashlar image build` wrote",
    });
  }
  const preferred = [given, made, ...known].filter((release) => release !== undefined);
  const find = (wanted: string): KnownRelease => {
    const release = preferred.find((each) => each.version === wanted);
    if (release !== undefined) return release;
    throw new AshlarError("not-found", `expected the release ${wanted}, which is right for ${node}, among known ones`, {
      hint: "give its image with --known-image, or the repository that has it with --releases",
    });
  };
  return { release: find(version), alsoAllowed: also === undefined ? [] : [find(also)] };
}

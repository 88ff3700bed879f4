import { AshlarError } from "@ashlar/base";
import { parseManifest, type KnownRelease, type ReleaseManifest } from "@ashlar/protocol/answers";
import type { Repository } from "@ashlar/repository";
import { keepRelease, readKeptReleases } from "./update-record.ts";
import { readSummaries } from "./read-known.ts";

/** The manifests that nodes are judged by: given ones, those of earlier updates, and those of the repository. */
export class KnownReleases {
  /** Those whose manifest has been compared with the repository's. */
  readonly #published = new Set<string>();
  readonly #byVersion: Map<string, ReleaseManifest>;
  readonly #recordPath: string;
  readonly #repository: Repository | undefined;
  /** Of all releases in the repository. */
  readonly #summaries: readonly KnownRelease[];

  private constructor(
    releases: readonly ReleaseManifest[],
    recordPath: string,
    repository: Repository | undefined,
    summaries: readonly KnownRelease[],
  ) {
    this.#summaries = summaries;
    this.#byVersion = new Map(releases.map((release) => [release.version, release]));
    this.#recordPath = recordPath;
    this.#repository = repository;
  }

  /** `given` win over what was kept. */
  static async read(
    recordPath: string,
    repository: Repository | undefined,
    given: readonly ReleaseManifest[],
  ): Promise<KnownReleases> {
    const summaries = repository === undefined ? [] : await readSummaries(repository);
    return new KnownReleases([...(await readKeptReleases(recordPath)), ...given], recordPath, repository, summaries);
  }

  /** What a node may have beside the release that it shall run: in its other slot, or as its boot loader. */
  get all(): readonly KnownRelease[] {
    return [...this.#byVersion.values(), ...this.#summaries];
  }

  /**
   * What the repository has is kept, so that later proofs need no repository.
   *
   * @throws AshlarError `not-found`; `conflict` when the repository's release of that name is another one than is known
   */
  async get(version: string): Promise<ReleaseManifest> {
    const known = this.#byVersion.get(version);
    if (this.#repository?.index.releases.has(version) !== true) {
      if (known !== undefined) return known;
      throw new AshlarError("not-found", `expected the manifest of release ${version}, found none`, {
        hint: "name the repository with --releases, or the image that the node was made from with --image",
      });
    }
    if (known !== undefined && this.#published.has(version)) return known;
    const text = (await this.#repository.readFile(version, "manifest")).toString("utf8");
    const release = parseManifest(text);
    if (known !== undefined && known.uki.sha256 !== release.uki.sha256) {
      throw new AshlarError("conflict", `expected one release ${version}, found another one in the repository`, {
        hint: "versions name releases: build the one that is not published under another version",
      });
    }
    await keepRelease(this.#recordPath, text);
    this.#byVersion.set(version, release);
    this.#published.add(version);
    return release;
  }
}

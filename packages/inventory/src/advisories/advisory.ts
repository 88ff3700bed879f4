/** A weakness that is published, and which versions of which packages have it. */
export type Advisory = {
  /** As its source names it, for example CVE-2025-9230, DSA-6015-1 or GO-2025-3849. */
  readonly id: string;
  /** Other names of the same. */
  readonly aliases: readonly string[];
  readonly source: "OSV" | "Debian security tracker";
  readonly affected: readonly Affected[];
};

/** Debian's source packages and Go's modules: what manifests list. */
export type Ecosystem = "debian" | "go";

export type Affected = {
  readonly ecosystem: Ecosystem;
  /** A Debian source package, or a Go module. */
  readonly name: string;
  /** Each by itself says which versions are affected. Empty: only `versions` counts. */
  readonly ranges: readonly (readonly VersionEvent[])[];
  /** Versions that are affected, one by one. */
  readonly versions: readonly string[];
  /** Who has published it does not know yet whether the package is affected. */
  readonly isUndetermined?: true;
};

/** What happens along the versions of a package, in any order. */
export type VersionEvent = {
  /**
   * - `introduced`: from this version on it is affected; "0" is before all versions.
   * - `fixed`: from this version on it is not.
   * - `last-affected`: after this version it is not.
   * - `limit`: nothing is said of this version and later ones.
   */
  readonly kind: "introduced" | "fixed" | "last-affected" | "limit";
  readonly version: string;
};

export type Advisories = {
  readonly advisories: readonly Advisory[];
  /** How many more there were that are about none of the ecosystems, or another Debian. */
  readonly others: number;
  /** How many were withdrawn. */
  readonly withdrawn: number;
};

export type AffectedState = { readonly state: "affected" | "not-affected" | "unknown"; readonly fixedIn?: string };

type Compare = (a: string, b: string) => -1 | 0 | 1 | undefined;

/** Whether a version is in what is affected. */
export function judgeVersion(
  version: string,
  { ranges, versions, isUndetermined }: Affected,
  compare: Compare,
): AffectedState {
  if (isUndetermined === true) return { state: "unknown" };
  const states = ranges.map((events) => judgeRange(version, events, compare));
  const inside = states.find(({ state }) => state === "affected");
  if (inside !== undefined) return inside;
  if (versions.includes(version)) return { state: "affected" };
  return states.find(({ state }) => state === "unknown") ?? { state: "not-affected" };
}

/** As in the OSV schema's "Evaluation": the last event that a version has reached decides. */
function judgeRange(version: string, events: readonly VersionEvent[], compare: Compare): AffectedState {
  const orderOf = (event: VersionEvent): -1 | 0 | 1 | undefined =>
    event.kind === "introduced" && event.version === "0" ? 1 : compare(version, event.version);
  const placed = events.map((event) => ({ event, order: orderOf(event) }));
  if (placed.some(({ order }) => order === undefined)) return { state: "unknown" };
  const limits = placed.filter(({ event }) => event.kind === "limit");
  if (limits.length > 0 && limits.every(({ order }) => order !== -1)) return { state: "not-affected" };
  const reached = placed.filter(({ event, order }) =>
    event.kind === "last-affected" ? order === 1 : event.kind !== "limit" && order !== -1,
  );
  const [last] = reached.toSorted((a, b) => compareEvents(b.event, a.event, compare));
  if (last?.event.kind !== "introduced") return { state: "not-affected" };
  const fixes = placed.filter(({ event, order }) => event.kind === "fixed" && order === -1);
  const [next] = fixes.toSorted((a, b) => compareEvents(a.event, b.event, compare));
  return { state: "affected", ...(next === undefined ? {} : { fixedIn: next.event.version }) };
}

/** Of two at one version, what ends comes first: a version that is introduced again there is affected. */
function compareEvents(a: VersionEvent, b: VersionEvent, compare: Compare): number {
  const [isFirst, isOtherFirst] = [a, b].map(({ kind, version }) => kind === "introduced" && version === "0");
  if (isFirst !== isOtherFirst) return isFirst === true ? -1 : 1;
  const order = compare(a.version, b.version) ?? 0;
  return order === 0 ? Number(a.kind === "introduced") - Number(b.kind === "introduced") : order;
}

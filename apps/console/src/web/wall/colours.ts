/**
 * Colours of identities. What most nodes are is plain stone, so that the others stand out; each of those has a hue that follows from
 * its digest, and keeps it as long as it is there.
 */
const HUES: readonly number[] = [205, 275, 165, 325, 235, 25, 185, 295, 85, 250, 145, 345];

export type IdentityColours = (identity: string | null) => number | "stone" | "none";

/** @param identities those of all nodes, a node's each time */
export function identityColours(identities: Iterable<string | null>): IdentityColours {
  const counts = new Map<string, number>();
  for (const identity of identities) if (identity !== null) counts.set(identity, (counts.get(identity) ?? 0) + 1);
  let most: string | undefined;
  for (const [identity, count] of counts) {
    const other = most === undefined ? 0 : (counts.get(most) ?? 0);
    if (count > other || (count === other && identity < (most ?? ""))) most = identity;
  }
  const hues = new Map<string, number>();
  for (const identity of [...counts.keys()].toSorted()) {
    if (identity === most) continue;
    const start = Number.parseInt(identity.slice(0, 6), 16) % HUES.length;
    const free = HUES.findIndex((_, step) => !taken(hues, HUES[(start + step) % HUES.length]));
    hues.set(identity, HUES[(start + Math.max(0, free)) % HUES.length] ?? 0);
  }
  return (identity) => (identity === null ? "none" : identity === most ? "stone" : (hues.get(identity) ?? "none"));
}

function taken(hues: ReadonlyMap<string, number>, hue: number | undefined): boolean {
  return hues.size < HUES.length && [...hues.values()].includes(hue ?? -1);
}

/** No two stones of a wall are alike: a little lighter or darker, always the same for a name. */
export function shadeOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = (hash * 31 + name.charCodeAt(at)) % 1021;
  return (hash % 7) - 3;
}

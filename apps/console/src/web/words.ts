import { shortened, STATE_WORDS, type LinkState, type NodeSummary } from "@ashlar/views";

/** For who cannot see the stone. */
export function sentenceOf({ name, release, identity, difference }: NodeSummary, level: LinkState): string {
  const parts = [name, STATE_WORDS[level].label];
  if (release !== null) parts.push(`release ${release}`);
  if (identity !== null) parts.push(`identity ${identity.slice(0, 12)}`);
  if (difference !== null) parts.push(`${difference.what}: expected ${difference.expected}, found ${difference.found}`);
  return shortened(parts.join(", "));
}

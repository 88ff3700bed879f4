import { formatAge, isFresh, type ShownProof } from "@ashlar/views";
import type { ReactElement } from "react";
import { WORDS } from "../words.ts";

/** How old a proof is, by the browser's clock. */
export function Age({ ageMs, maxAgeMs }: Pick<ShownProof, "ageMs" | "maxAgeMs">): ReactElement {
  if (ageMs === undefined) return <span className="ashlar-old">{WORDS.never}</span>;
  if (isFresh(ageMs, maxAgeMs)) return <span>{WORDS.ago(formatAge(ageMs))}</span>;
  return <span className="ashlar-old">{ageMs < 0 ? WORDS.future : WORDS.tooOld(formatAge(ageMs))}</span>;
}

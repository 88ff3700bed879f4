import { formatAge, isFresh } from "@ashlar/views";
import type { ReactElement } from "react";

type AgeProps = { readonly ageMs: number | undefined; readonly maxAgeSeconds: number };

/** How old evidence is, by now. */
export function Age({ ageMs, maxAgeSeconds }: AgeProps): ReactElement {
  if (ageMs === undefined) return <span className="old">no evidence</span>;
  if (isFresh(ageMs, maxAgeSeconds * 1000)) return <span>asked {formatAge(ageMs)} ago</span>;
  const words = ageMs < 0 ? "evidence from the future: a clock is wrong" : `asked ${formatAge(ageMs)} ago: too old`;
  return <span className="old">{words}</span>;
}

import type { LinkState } from "@ashlar/views";
import type { ReactElement } from "react";
import { STATE_WORDS } from "../words.ts";

/** A level as a word with a sign and a colour: never a colour alone. */
export function LevelBadge({ level }: { readonly level: LinkState }): ReactElement {
  const { label, sign, says } = STATE_WORDS[level];
  return (
    <span className={`level level-${level}`} title={says}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}

import { STATE_WORDS, type LinkState } from "@ashlar/views";
import type { ReactElement } from "react";

/** A level as a word with a sign and a colour: never a colour alone. */
export function Level({ level }: { readonly level: LinkState }): ReactElement {
  const { label, sign, says } = STATE_WORDS[level];
  return (
    <span className={`ashlar-level ashlar-${level}`} title={says}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}

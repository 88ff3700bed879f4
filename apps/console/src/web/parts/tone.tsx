import { rolloutTone, type RolloutTone } from "@ashlar/views";
import type { ReactElement } from "react";

const SIGNS: Readonly<Record<RolloutTone, string>> = { good: "✓", busy: "→", bad: "!", idle: "·" };

/** A phase or a state as a word with a sign and a colour: never a colour alone. */
export function StateBadge({ word }: { readonly word: string }): ReactElement {
  const tone = rolloutTone(word);
  return (
    <span className={`level tone-${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {word}
    </span>
  );
}

import type { NodeVerdict } from "@ashlar/views";
import type { ReactElement } from "react";
import { WORDS } from "../words.ts";

/** What differs, in words. What nodes have said stays text. */
export function Differences({ list }: { readonly list: NodeVerdict["differences"] }): ReactElement | null {
  if (list.length === 0) return null;
  return (
    <ul className="ashlar-differences">
      {list.map(({ code, what, expected, found }, index) => (
        <li key={`${index} ${code}`}>
          <strong>{what}</strong>: {WORDS.expected} <code>{expected}</code>, {WORDS.found} <code>{found}</code>
        </li>
      ))}
    </ul>
  );
}

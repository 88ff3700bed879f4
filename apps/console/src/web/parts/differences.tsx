import type { NodeVerdict } from "@ashlar/views";
import { useState, type ReactElement } from "react";

const SHOWN = 20;

/** What differs, in words: as many as can be read, and the others when they are asked for. */
export function Differences({ list }: { readonly list: NodeVerdict["differences"] }): ReactElement | null {
  const [limit, setLimit] = useState(SHOWN);
  if (list.length === 0) return null;
  return (
    <>
      <ul className="differences">
        {list.slice(0, limit).map(({ code, what, expected, found }, index) => (
          <li key={`${index} ${code}`}>
            <strong>{what}</strong>
            <span>
              expected <code>{expected}</code>
            </span>
            <span>
              found <code>{found}</code>
            </span>
          </li>
        ))}
      </ul>
      {list.length > limit && (
        <button type="button" onClick={() => setLimit(limit + 200)}>
          {list.length - limit} more
        </button>
      )}
    </>
  );
}

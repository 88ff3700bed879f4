import { useTheme } from "@mui/material";
import type { ReactElement, ReactNode } from "react";
import { WORDS } from "../words.ts";
import type { Proofs } from "../use-proofs.ts";

/** In the colours of Headlamp's theme, light or dark. */
export function Root({ children }: { readonly children: ReactNode }): ReactElement {
  const { mode } = useTheme().palette;
  return <div className={`ashlar ashlar-${mode}`}>{children}</div>;
}

/** What is wrong about what is shown, above it. */
export function Problems({ problem, areClassesHidden }: Proofs): ReactElement | null {
  const said = [
    ...(problem === "no-kind" ? [WORDS.noKind] : []),
    ...(problem === "forbidden" ? [WORDS.forbidden] : []),
    ...(problem === "away" ? [WORDS.away] : []),
    ...(problem === undefined && areClassesHidden ? [WORDS.classesForbidden] : []),
  ];
  if (said.length === 0) return null;
  return (
    <div role="alert" className="ashlar-problems">
      {said.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </div>
  );
}

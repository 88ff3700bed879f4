import { LINK_WORDS, linkValues, type ChainLink, type Measured, type NodeVerdict } from "@ashlar/views";
import type { ReactElement } from "react";
import { Differences } from "./differences.tsx";
import { LevelBadge } from "./level.tsx";

type ChainProps = {
  readonly links: readonly ChainLink[];
  readonly verdict: NodeVerdict;
  readonly measured: Measured | null;
};

/** The courses of one node, from the foundation up: each has measured the next one before it started it. */
export function Chain({ links, verdict, measured }: ChainProps): ReactElement {
  return (
    <ol className="chain">
      {links.map(({ name, state, differences }) => (
        <li key={name} className={`link link-${state}`}>
          <div className="link-head">
            <h3>{LINK_WORDS[name].title}</h3>
            <LevelBadge level={state} />
            <p className="quiet">{LINK_WORDS[name].says}</p>
          </div>
          <dl className="values">
            {linkValues(name, verdict, measured).map(({ what, value }) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>
                  <code>{value}</code>
                </dd>
              </div>
            ))}
          </dl>
          <Differences list={differences} />
        </li>
      ))}
    </ol>
  );
}

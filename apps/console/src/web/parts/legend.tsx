import { STATE_WORDS } from "@ashlar/views";
import type { ReactElement } from "react";

const LEVELS = ["proven", "reported", "mismatch", "unknown"] as const;

export function Legend(): ReactElement {
  return (
    <section className="card legend">
      <h2>Reading the wall</h2>
      <ul>
        {LEVELS.map((level) => (
          <li key={level}>
            <span className={`sample sample-${level}`} aria-hidden="true" />
            <span>
              <strong>{STATE_WORDS[level].label}</strong>: {STATE_WORDS[level].says}
            </span>
          </li>
        ))}
      </ul>
      <p className="quiet">Colour is identity: what most nodes are is plain stone.</p>
      <dl className="keys">
        <dt>arrows</dt>
        <dd>move</dd>
        <dt>Enter</dt>
        <dd>open</dd>
        <dt>n</dt>
        <dd>next that is not proven</dd>
        <dt>c</dt>
        <dd>compare</dd>
        <dt>+ − 0</dt>
        <dd>zoom</dd>
        <dt>/</dt>
        <dd>filter</dd>
      </dl>
    </section>
  );
}

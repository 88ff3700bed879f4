import { compareNodes, levelNow, type ComparedRow, type NodeSummary, type NodeView } from "@ashlar/views";
import { useState, type FormEvent, type ReactElement } from "react";
import { useDocument, useServerNow } from "../data/use-document.ts";
import { LevelBadge } from "../parts/level.tsx";
import { hrefOf } from "../route.ts";
import { nodePath } from "./node-page.tsx";

type CompareProps = { readonly left: string; readonly right: string; readonly nodes: readonly NodeSummary[] };

const MAX_SUGGESTED = 500;

/** Two nodes side by side. */
export function ComparePage({ left, right, nodes }: CompareProps): ReactElement {
  return (
    <main className="compare">
      <h1>Compare two nodes</h1>
      <Choice key={`${left}\n${right}`} left={left} right={right} nodes={nodes} />
      {left !== "" && right !== "" && <Comparison left={left} right={right} />}
    </main>
  );
}

function Choice({ left, right, nodes }: CompareProps): ReactElement {
  const [names, setNames] = useState({ left, right });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    location.hash = hrefOf({ page: "compare", ...names });
  };
  return (
    <form className="tools" onSubmit={submit}>
      {(["left", "right"] as const).map((side) => (
        <label key={side}>
          {side === "left" ? "One node" : "The other"}{" "}
          <input
            list="node-names"
            value={names[side]}
            onChange={({ target }) => setNames({ ...names, [side]: target.value })}
            required
          />
        </label>
      ))}
      <button type="submit">Compare</button>
      <datalist id="node-names">
        {nodes.slice(0, MAX_SUGGESTED).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}

function Comparison({ left, right }: Pick<CompareProps, "left" | "right">): ReactElement {
  const one = useDocument<NodeView>(nodePath(left));
  const other = useDocument<NodeView>(nodePath(right));
  const now = [useServerNow(one.received, 1000), useServerNow(other.received, 1000)];
  const problem = one.problem ?? other.problem;
  if (one.document === undefined || other.document === undefined)
    return <p role="status">{problem ?? "Waiting for answers…"}</p>;
  const rows = compareNodes(one.document, other.document);
  const shared = rows.filter(({ isOwn }) => !isOwn);
  const differing = shared.filter(({ verdict }) => verdict === "differs").length;
  const unknown = shared.filter(({ verdict }) => verdict === "unknown").length;
  const levels = [one.document, other.document].map((view, index) => levelOf(view, now[index]));
  const isProven = levels.every((level) => level === "proven");
  const sentence =
    differing > 0
      ? `They differ in ${differing} of ${shared.length} values`
      : unknown > 0
        ? `No difference is known; ${unknown} of ${shared.length} values are not`
        : isProven
          ? "The same, and both are proven"
          : "The same, but not both are proven";
  return (
    <>
      <p className={`headline headline-${differing > 0 ? "bad" : unknown === 0 && isProven ? "good" : "open"}`}>
        {sentence}
      </p>
      <table className="comparison">
        <thead>
          <tr>
            <td />
            {[one.document, other.document].map((view, index) => (
              <th key={index === 0 ? "left" : "right"} scope="col">
                <a href={hrefOf({ page: "node", name: view.name })}>{view.name}</a>{" "}
                <LevelBadge level={levels[index] ?? "unknown"} />
              </th>
            ))}
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <Rows title="What makes their identity" rows={shared} />
        <Rows title="Each one's own" rows={rows.filter(({ isOwn }) => isOwn)} />
      </table>
    </>
  );
}

function levelOf(view: NodeView, now: number | undefined): NodeView["verdict"]["level"] {
  const ageMs = view.provedAt === null || now === undefined ? undefined : now - Date.parse(view.provedAt);
  return levelNow(view.verdict.level, ageMs, view.maxAgeSeconds * 1000);
}

const WORDS = { same: "= same", differs: "≠ differs", unknown: "? not known" } as const;

function Rows({ title, rows }: { readonly title: string; readonly rows: readonly ComparedRow[] }): ReactElement {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={4} className="rowgroup">
          {title}
        </th>
      </tr>
      {rows.map(({ what, left, right, verdict, isOwn }) => (
        <tr key={what} className={`row-${isOwn ? "own" : verdict}`}>
          <th scope="row">{what}</th>
          <td>
            <code>{left}</code>
          </td>
          <td>
            <code>{right}</code>
          </td>
          <td>{WORDS[verdict]}</td>
        </tr>
      ))}
    </tbody>
  );
}

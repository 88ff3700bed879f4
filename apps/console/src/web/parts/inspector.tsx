import { shortened } from "@ashlar/views";
import type { ReactElement } from "react";
import { hrefOf } from "../route.ts";
import type { Stone } from "../wall/draw-wall.ts";
import { Age } from "./age.tsx";
import { LevelBadge } from "./level.tsx";

type InspectorProps = {
  readonly stone: Stone | undefined;
  readonly now: number;
  readonly maxAgeSeconds: number;
  readonly marked: string | undefined;
  readonly onCompare: (name: string) => void;
};

/** The node that the keyboard or the mouse is at, in short. */
export function Inspector({ stone, now, maxAgeSeconds, marked, onCompare }: InspectorProps): ReactElement {
  if (stone === undefined) {
    return (
      <section className="card">
        <h2>No node chosen</h2>
        <p className="quiet">Click a stone, or press Tab and the arrow keys. Enter opens it.</p>
      </section>
    );
  }
  const { node, level } = stone;
  const ageMs = node.provedAt === null ? undefined : now - Date.parse(node.provedAt);
  return (
    <section className="card" aria-live="off">
      <h2 className="name">{node.name}</h2>
      <p>
        <LevelBadge level={level} /> <Age ageMs={ageMs} maxAgeSeconds={maxAgeSeconds} />
      </p>
      <dl className="facts">
        <dt>Release</dt>
        <dd>{node.release ?? "-"}</dd>
        <dt>Next boot</dt>
        <dd>{node.nextBoot === null ? "-" : `${node.nextBoot.release ?? ""} ${node.nextBoot.level}`}</dd>
        <dt>Identity</dt>
        <dd>
          <code>{node.identity?.slice(0, 16) ?? "-"}</code>
        </dd>
        {node.class !== null && (
          <>
            <dt>Class</dt>
            <dd>{node.class}</dd>
          </>
        )}
      </dl>
      {node.difference !== null && (
        <p className="first-difference">
          <strong>{node.difference.what}</strong>: expected {shortened(node.difference.expected)}, found{" "}
          {shortened(node.difference.found)}
          {node.differences > 1 && <span className="quiet"> and {node.differences - 1} more</span>}
        </p>
      )}
      <p className="actions">
        <a className="button" href={hrefOf({ page: "node", name: node.name })}>
          Open
        </a>
        <button type="button" onClick={() => onCompare(node.name)}>
          {marked === undefined ? "Compare…" : marked === node.name ? "Do not compare" : `Compare with ${marked}`}
        </button>
      </p>
    </section>
  );
}

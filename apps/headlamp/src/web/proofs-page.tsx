import { CommonComponents } from "@kinvolk/headlamp-plugin/lib";
import {
  filterNodes,
  GROUPINGS,
  groupNodes,
  headlineOf,
  plural,
  shortened,
  type Grouping,
  type ShownProof,
} from "@ashlar/views";
import { useState, type ReactElement } from "react";
import { Age } from "./parts/age.tsx";
import { Level } from "./parts/level.tsx";
import { Problems, Root } from "./parts/root.tsx";
import { useProofs } from "./use-proofs.ts";
import { WORDS } from "./words.ts";

const { Link, SectionBox } = CommonComponents;
const MAX_GROUPS = 50;
/** More rows are slow, and nobody reads them: the filter is for that. */
const MAX_ROWS = 200;
const ALL: ReadonlySet<never> = new Set();

/** All nodes, by what they share. */
export function ProofsPage(): ReactElement {
  const found = useProofs();
  const [text, setText] = useState("");
  const [grouping, setGrouping] = useState<Grouping>("identity");
  const { proofs } = found;
  const shown = filterNodes(proofs ?? [], text, ALL);
  const head = proofs && headlineOf(proofs);
  return (
    <SectionBox title={WORDS.title}>
      <Root>
        <Problems {...found} />
        {head === undefined ? (
          <p role="status">{found.problem === undefined ? WORDS.waiting : ""}</p>
        ) : (
          <p role="status" className={`ashlar-headline ashlar-${head.state}`}>
            {proofs?.length === 0 ? WORDS.none : head.headline}
          </p>
        )}
        <div className="ashlar-tools">
          <label>
            {WORDS.filter}{" "}
            <input
              type="search"
              value={text}
              placeholder={WORDS.filterHint}
              onChange={(event) => setText(event.target.value)}
            />
          </label>
          <label>
            {WORDS.groupBy}{" "}
            <select value={grouping} onChange={(event) => setGrouping(groupingOf(event.target.value))}>
              {GROUPINGS.map((each) => (
                <option key={each} value={each}>
                  {WORDS.groupings[each]}
                </option>
              ))}
            </select>
          </label>
        </div>
        {proofs !== undefined && proofs.length > 0 && shown.length === 0 && <p>{WORDS.noneMatches}</p>}
        {groupNodes(shown, grouping, MAX_GROUPS).map(({ key, nodes }) => (
          <Group key={String(key)} title={grouping === "none" ? undefined : titleOf(key)} nodes={nodes} />
        ))}
      </Root>
    </SectionBox>
  );
}

function groupingOf(value: string): Grouping {
  return GROUPINGS.find((each) => each === value) ?? "identity";
}

function titleOf(key: string | null | undefined): string {
  return key === undefined ? WORDS.others : key === null ? WORDS.without : shortened(key);
}

type GroupProps = { readonly title: string | undefined; readonly nodes: readonly ShownProof[] };

function Group({ title, nodes }: GroupProps): ReactElement {
  const [limit, setLimit] = useState(MAX_ROWS);
  return (
    <section className="ashlar-group">
      {title !== undefined && (
        <h3>
          <code>{title}</code> {plural(nodes.length, "node")}
        </h3>
      )}
      <div className="ashlar-scroll" tabIndex={0} role="region" aria-label={title ?? WORDS.title}>
        <table>
          <thead>
            <tr>
              {WORDS.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {nodes.slice(0, limit).map((proof) => (
              <Row key={proof.node.name} {...proof} />
            ))}
          </tbody>
        </table>
      </div>
      {nodes.length > limit && (
        <button type="button" onClick={() => setLimit(limit + MAX_ROWS)}>
          {WORDS.more(nodes.length - limit)}
        </button>
      )}
    </section>
  );
}

function Row({ node, level, ageMs, maxAgeMs }: ShownProof): ReactElement {
  const { name, release, identity, nextBoot, difference } = node;
  return (
    <tr>
      <th scope="row" className="ashlar-name">
        <Link routeName="node" params={{ name }}>
          {name}
        </Link>
      </th>
      <td>
        <Level level={level} />
      </td>
      <td>{release ?? "-"}</td>
      <td>
        {nextBoot === null ? (
          "-"
        ) : (
          <>
            {nextBoot.release} <Level level={nextBoot.level} />
          </>
        )}
      </td>
      <td>{identity === null ? "-" : <code>{shortened(identity)}</code>}</td>
      <td>{node.class ?? "-"}</td>
      <td>
        <Age ageMs={ageMs} maxAgeMs={maxAgeMs} />
      </td>
      <td>
        {difference === null
          ? "-"
          : `${difference.what}: ${WORDS.expected} ${shortened(difference.expected)}, ${WORDS.found} ${shortened(difference.found)}`}
      </td>
    </tr>
  );
}

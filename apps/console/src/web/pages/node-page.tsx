import { chainOf, levelNow, type NodeView } from "@ashlar/views";
import type { ReactElement } from "react";
import { useDocument, useServerNow } from "../data/use-document.ts";
import { Age } from "../parts/age.tsx";
import { Chain } from "../parts/chain.tsx";
import { Differences } from "../parts/differences.tsx";
import { EvidenceFiles } from "../parts/evidence-files.tsx";
import { LevelBadge } from "../parts/level.tsx";
import { hrefOf } from "../route.ts";

export function nodePath(name: string): string {
  return `/v1/nodes/${encodeURIComponent(name)}`;
}

/** One node: the chain that its verdict rests on, what it boots next, and the evidence for who wants to check it. */
export function NodePage({ name }: { readonly name: string }): ReactElement {
  const { document: view, received, problem } = useDocument<NodeView>(nodePath(name));
  const now = useServerNow(received, 1000);
  if (view === undefined || now === undefined) {
    return (
      <main className="node">
        <h1 className="name">{name}</h1>
        <p role="status">{problem ?? "Waiting for an answer…"}</p>
      </main>
    );
  }
  const { verdict, measured, evidence, maxAgeSeconds } = view;
  const ageMs = view.provedAt === null ? undefined : now - Date.parse(view.provedAt);
  const level = levelNow(verdict.level, ageMs, maxAgeSeconds * 1000);
  return (
    <main className="node">
      <div className="node-head">
        <h1 className="name">{name}</h1>
        <LevelBadge level={level} />
        <Age ageMs={ageMs} maxAgeSeconds={maxAgeSeconds} />
        <a className="button" href={hrefOf({ page: "compare", left: name, right: "" })}>
          Compare with another
        </a>
      </div>
      <dl className="facts wide">
        <dt>Release</dt>
        <dd>{verdict.release ?? "-"}</dd>
        <dt>Identity</dt>
        <dd>
          <code>{verdict.identity ?? "-"}</code>
        </dd>
        {view.class !== null && (
          <>
            <dt>Class</dt>
            <dd>{view.class}</dd>
          </>
        )}
      </dl>
      <section aria-labelledby="chain">
        <h2 id="chain">What its verdict rests on</h2>
        <Chain links={chainOf(verdict, level)} verdict={verdict} measured={measured} />
      </section>
      <NextBoot verdict={verdict} isOld={level === "unknown"} />
      {verdict.notes.length > 0 && (
        <section>
          <h2>Worth knowing</h2>
          <ul>
            {verdict.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
      {evidence.length > 0 && <EvidenceFiles path={nodePath(name)} files={evidence} />}
      {measured !== null && <PcrTable measured={measured} />}
    </main>
  );
}

function NextBoot({
  verdict: { nextBoot },
  isOld,
}: {
  readonly verdict: NodeView["verdict"];
  readonly isOld: boolean;
}): ReactElement {
  return (
    <section>
      <h2>What it boots next</h2>
      {nextBoot === null ? (
        <p>
          <LevelBadge level="unknown" /> Nobody has answered.
        </p>
      ) : (
        <>
          <p>
            <LevelBadge level={isOld ? "unknown" : nextBoot.level} /> {nextBoot.release ?? "no known release"}
            {nextBoot.fallback !== null && `, then ${nextBoot.fallback.release} (${nextBoot.fallback.state})`}
          </p>
          <Differences list={nextBoot.differences} />
          {nextBoot.notes.map((note) => (
            <p key={note} className="quiet">
              {note}
            </p>
          ))}
        </>
      )}
    </section>
  );
}

function PcrTable({ measured }: { readonly measured: NonNullable<NodeView["measured"]> }): ReactElement {
  return (
    <section>
      <h2>PCR values, {measured.bank}</h2>
      <table className="pcrs">
        <thead>
          <tr>
            <th scope="col">PCR</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(measured.pcrs).map(([pcr, value]) => (
            <tr key={pcr}>
              <th scope="row">{pcr}</th>
              <td>
                <code>{value}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

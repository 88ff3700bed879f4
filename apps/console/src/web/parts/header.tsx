import { formatAge, type FleetView } from "@ashlar/views";
import type { ReactElement } from "react";
import { useServerNow, type Fetched } from "../data/use-document.ts";
import { hrefOf, type Route } from "../route.ts";

const SOURCES = { lab: "lab", fleet: "fleet", evidence: "stored evidence", cluster: "cluster" } as const;

export function Header({ fleet, route }: { readonly fleet: Fetched<FleetView>; readonly route: Route }): ReactElement {
  const { document: view } = fleet;
  const current = (page: Route["page"]): "page" | undefined => (route.page === page ? "page" : undefined);
  return (
    <header className="header">
      <a className="brand" href={hrefOf({ page: "fleet" })}>
        <img src="/page.svg" alt="" width="28" height="28" />
        Ashlar
      </a>
      <nav aria-label="Pages">
        <a href={hrefOf({ page: "fleet" })} aria-current={current("fleet")}>
          Fleet
        </a>
        {view?.source.kind === "cluster" && (
          <a href={hrefOf({ page: "rollouts" })} aria-current={current("rollouts") ?? current("rollout")}>
            Rollouts
          </a>
        )}
        <a href={hrefOf({ page: "compare", left: "", right: "" })} aria-current={current("compare")}>
          Compare
        </a>
      </nav>
      {view !== undefined && (
        <p className="source">
          {SOURCES[view.source.kind]} <strong>{view.source.name}</strong>
        </p>
      )}
      <Connection fleet={fleet} />
    </header>
  );
}

function Connection({ fleet }: { readonly fleet: Fetched<FleetView> }): ReactElement {
  const now = useServerNow(fleet.received, 1000);
  const { document: view, received, problem } = fleet;
  const since =
    now === undefined || received === undefined
      ? ""
      : ` The last answer came ${formatAge(now - received.serverMs)} ago.`;
  if (problem !== undefined) {
    const hint = problem.startsWith("401")
      ? "This page's token is not valid any more: open the URL that was printed."
      : `${problem}.`;
    return (
      <p className="connection is-broken" role="status">
        {hint}
        {since}
      </p>
    );
  }
  const trouble = view?.problem ?? null;
  if (trouble !== null) {
    return (
      <p className="connection is-broken" role="status">
        Nodes could not be asked: {trouble}
      </p>
    );
  }
  const text = view === undefined ? "connecting…" : view.asking ? "asking nodes…" : "connected";
  return (
    <p className="connection" role="status">
      {text}
    </p>
  );
}

import type { FleetView } from "@ashlar/views";
import { useEffect, useState, type ReactElement } from "react";
import { useDocument } from "./data/use-document.ts";
import { ComparePage } from "./pages/compare-page.tsx";
import { FleetPage } from "./pages/fleet-page.tsx";
import { NodePage } from "./pages/node-page.tsx";
import { RolloutPage, RolloutsPage } from "./pages/rollout-page.tsx";
import { Header } from "./parts/header.tsx";
import { parseRoute, type Route } from "./route.ts";

/** What the fleet page shows stays while another page is looked at. */
export function App(): ReactElement {
  const route = useRoute();
  const fleet = useDocument<FleetView>("/v1/fleet");
  useEffect(() => {
    document.title = `${"name" in route ? route.name : TITLES[route.page]} - Ashlar console`;
  }, [route]);
  return (
    <>
      <Header fleet={fleet} route={route} />
      <div hidden={route.page !== "fleet"} className="page-fleet">
        <FleetPage fleet={fleet} isShown={route.page === "fleet"} />
      </div>
      {route.page === "node" && <NodePage key={route.name} name={route.name} />}
      {route.page === "rollouts" && <RolloutsPage />}
      {route.page === "rollout" && <RolloutPage name={route.name} />}
      {route.page === "compare" && (
        <ComparePage left={route.left} right={route.right} nodes={fleet.document?.nodes ?? []} />
      )}
    </>
  );
}

const TITLES = { fleet: "Fleet", rollouts: "Rollouts", compare: "Compare" } as const;

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = (): void => setHash(location.hash);
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, []);
  return parseRoute(hash);
}

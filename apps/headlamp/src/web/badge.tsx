import { CommonComponents, K8s } from "@kinvolk/headlamp-plugin/lib";
import { headlineOf } from "@ashlar/views";
import type { ReactElement } from "react";
import { Root } from "./parts/root.tsx";
import { useProofs } from "./use-proofs.ts";
import { WORDS } from "./words.ts";

/** In the bar at the top: how many nodes are proven, of how many. */
export function Badge({ routeName }: { readonly routeName: string }): ReactElement | null {
  // A hook of Headlamp needs a cluster to ask.
  return K8s.useCluster() === null ? null : <ClusterBadge routeName={routeName} />;
}

function ClusterBadge({ routeName }: { readonly routeName: string }): ReactElement | null {
  const { proofs, problem } = useProofs();
  if (proofs === undefined || proofs.length === 0) return null;
  const { headline, state } = headlineOf(proofs);
  const proven = proofs.filter(({ level, node }) => level === "proven" && node.nextBoot?.level !== "mismatch").length;
  return (
    <Root>
      <CommonComponents.Link routeName={routeName}>
        <span className={`ashlar-badge ashlar-${state}`} title={problem === "away" ? WORDS.away : headline}>
          {WORDS.badge(proven, proofs.length)}
        </span>
      </CommonComponents.Link>
    </Root>
  );
}

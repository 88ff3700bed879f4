import type { ChainLink, Measured, NodeVerdict } from "@ashlar/views";
import type { ReactElement } from "react";
import { LINK_WORDS } from "../words.ts";
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
            {valuesOf(name, verdict, measured).map(({ what, value }) => (
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

type Value = { readonly what: string; readonly value: string };

function valuesOf(name: ChainLink["name"], verdict: NodeVerdict, measured: Measured | null): readonly Value[] {
  const pcr = (number: number): Value[] => {
    const value = measured?.pcrs[number];
    return value === undefined ? [] : [{ what: `PCR ${number}`, value }];
  };
  const known = (what: string, value: string | null | undefined): Value[] => (value ? [{ what, value }] : []);
  const isKnown = measured?.programs.length === 3;
  const values: Readonly<Record<ChainLink["name"], readonly Value[]>> = {
    tpm: [
      ...known("Endorsement key", measured?.ekSha256),
      ...known("Attestation key", measured?.akName),
      ...known("Enrolled", measured?.enrolledAt),
    ],
    firmware: [0, 2, 3, 7].flatMap(pcr),
    loader: programs(measured).slice(0, isKnown ? 1 : undefined),
    uki: [...(isKnown ? programs(measured).slice(1) : []), ...pcr(11)],
    usr: [...known("Release", verdict.release), ...known("Root hash", measured?.usrRootHash)],
    configuration: [...known("Class", verdict.config), ...known("Node", verdict.nodeConfig)],
    extensions: verdict.extensions.map(({ kind, name: what, version, rootHash }) => ({
      what: `${what} ${version ?? "unknown version"} (${kind})`,
      value: rootHash,
    })),
  };
  return values[name];
}

/** Three programs are those of a release, in this order; of others only the firmware's own words say what they are. */
function programs(measured: Measured | null): readonly Value[] {
  const all = measured?.programs ?? [];
  const names = all.length === 3 ? ["systemd-boot", "UKI", "Kernel"] : [];
  return all.map(({ digest, what }, index) => ({
    what: names[index] ?? `${index + 1}. ${what}`,
    value: digest || "-",
  }));
}

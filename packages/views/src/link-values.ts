import type { NodeVerdict } from "@ashlar/identity";
import type { ChainLink } from "./chain.ts";
import type { Measured } from "./documents.ts";

export type LinkValue = { readonly what: string; readonly value: string };

/** What is known of a link of the chain, as people see it. */
export function linkValues(
  name: ChainLink["name"],
  verdict: NodeVerdict,
  measured: Partial<Measured> | null,
): readonly LinkValue[] {
  const pcr = (number: number): LinkValue[] => {
    const value = measured?.pcrs?.[number];
    return value === undefined ? [] : [{ what: `PCR ${number}`, value }];
  };
  const known = (what: string, value: string | null | undefined): LinkValue[] => (value ? [{ what, value }] : []);
  const isKnown = measured?.programs?.length === 3;
  const values: Readonly<Record<ChainLink["name"], readonly LinkValue[]>> = {
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
function programs(measured: Partial<Measured> | null): readonly LinkValue[] {
  const all = measured?.programs ?? [];
  const names = all.length === 3 ? ["systemd-boot", "UKI", "Kernel"] : [];
  return all.map(({ digest, what }, index) => ({
    what: names[index] ?? `${index + 1}. ${what}`,
    value: digest || "-",
  }));
}

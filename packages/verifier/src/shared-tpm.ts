import type { PinnedKeys } from "@ashlar/identity";

/** What tells one machine from another, as far as it is known. */
export type Machine = PinnedKeys & { readonly machineId?: string | undefined };

/**
 * The name of another node whose pin is of the same machine. A machine has one name: under two, one that was proved would
 * stand for one that is not there.
 *
 * @param except names whose pins are about to be replaced
 */
export function findSharer(
  pins: ReadonlyMap<string, Machine>,
  name: string,
  machine: Machine,
  except: ReadonlySet<string> = new Set(),
): string | undefined {
  for (const [other, pin] of pins) {
    if (other !== name && !except.has(other) && isSame(machine, pin)) return other;
  }
  return undefined;
}

/** A TPM may have two EK certificates, of which each has an attestation key: then its machine's ID shows it. */
function isSame(one: Machine, other: Machine): boolean {
  if (one.ekSha256 === other.ekSha256 || one.akName === other.akName) return true;
  return one.machineId !== undefined && one.machineId === other.machineId;
}

import { AshlarError } from "@ashlar/base";
import { type BootEntry, chooseBootEntry } from "@ashlar/formats";
import { triesOf } from "../slots/boot-entries.ts";
import { recordOf, type ScrubRecord } from "../slots/scrub-records.ts";
import { isRunningSlot, type Slot } from "../slots/slots.ts";

/** A release as its signed summary describes it. */
export type WantedRelease = {
  readonly version: string;
  /** Somebody named this very version: it is not just what the channel has. */
  readonly isNamed: boolean;
  readonly rootHash: string;
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
};

/** What the disk says before an order is carried out. */
export type UpdateFacts = {
  readonly running: { readonly version: string; readonly rootHash: string };
  /** The running release has not been found healthy yet. */
  readonly trial: boolean;
  readonly slots: readonly Slot[];
  readonly entries: readonly BootEntry[];
  readonly records: readonly ScrubRecord[];
};

/**
 * - `nothing`: it boots next, and every block of it has been read since it was written.
 * - `boot-running`: it runs; let it boot next again.
 * - `activate`: a slot holds it: read the slot, and let it boot next.
 * - `install`: fetch it, and write it to the target.
 */
export type UpdateDecision =
  | { readonly kind: "nothing" }
  | { readonly kind: "boot-running" }
  | { readonly kind: "activate"; readonly slot: Slot }
  | { readonly kind: "install"; readonly target: Slot };

/**
 * What has to be done so that a release boots next.
 *
 * @throws AshlarError `conflict`, `untrusted`, `not-found`: why it is not done
 */
export function decideUpdate(wanted: WantedRelease, facts: UpdateFacts): UpdateDecision {
  const { running, slots, entries } = facts;
  const next = chooseBootEntry(entries)?.version;
  if (wanted.version === running.version) {
    const own = entries.find(({ version }) => version === running.version);
    // An operator has rolled it back; the channel does not know better.
    const isKept = next === running.version || (!wanted.isNamed && own !== undefined && triesOf(own)?.left === 0);
    if (wanted.rootHash === running.rootHash) return { kind: isKept ? "nothing" : "boot-running" };
    throw new AshlarError(
      "untrusted",
      `the running ${running.version} is not the ${wanted.version} of the repository`,
      {
        hint: "give every build a version of its own",
      },
    );
  }
  refuseDuringTrial(facts);
  const slot = slots.find((each) => holds(each, wanted));
  if (slot === undefined || !entries.some(({ version }) => version === wanted.version)) {
    return { kind: "install", target: slot ?? findTarget(facts) };
  }
  const record = recordOf(facts.records, slot);
  const isRead = record?.rootHash === wanted.rootHash && record.badBlockCount === 0;
  return isRead && next === wanted.version ? { kind: "nothing" } : { kind: "activate", slot };
}

/**
 * The slot whose release boots after a rollback; undefined when it boots next anyhow.
 *
 * @throws AshlarError `not-found`, `conflict`
 */
export function decideRollback({ running, slots, entries }: UpdateFacts): Slot | undefined {
  const slot = slots.find(
    (each) => !isRunningSlot(each, running.rootHash) && entries.some(({ version }) => version === each.version),
  );
  const entry = entries.find(({ version }) => version === slot?.version);
  if (slot === undefined || entry === undefined) {
    throw new AshlarError("not-found", "expected a release in the other slot, found none", {
      hint: `install one with \`ashlar agent update --to VERSION\``,
    });
  }
  if (chooseBootEntry(entries)?.version === slot.version) return undefined;
  if (!hasFailed(entry)) return slot;
  throw new AshlarError("conflict", `the other slot holds ${slot.version}, which has failed on this node`, {
    hint: `try it again with \`ashlar agent update --to ${slot.version} --retry\``,
  });
}

/** Whether the slot's release could be what this node falls back on: it has an entry that was not given up. */
export function isBootable(slot: Slot, entries: readonly BootEntry[]): boolean {
  return entries.some((entry) => entry.version === slot.version && !hasFailed(entry));
}

/** Entries of releases that no slot holds any more once the target is written: they must not boot then. */
export function replacedEntries({ slots, entries, running }: UpdateFacts, target: Slot): BootEntry[] {
  const kept = new Set([running.version, ...slots.filter((slot) => slot !== target).map(({ version }) => version)]);
  return entries.filter(({ version }) => !kept.has(version));
}

/**
 * A running slot with damaged blocks may not boot again. Then a good release in the other slot is the only one.
 *
 * @throws AshlarError `conflict`
 */
export function refuseLastGood(target: Slot, running: ScrubRecord, other: ScrubRecord): void {
  if (running.badBlockCount === 0 && running.rootHash !== null) return;
  if (other.badBlockCount > 0 || other.rootHash === null) return;
  const [first] = running.badBlocks;
  const files = first === undefined || first.files.length === 0 ? "" : ` (${first.files.join(", ")})`;
  throw new AshlarError(
    "conflict",
    `the running slot ${running.label} has ${running.badBlockCount} damaged blocks${files}: ` +
      `${target.label} in the other slot is the only good release, and is not overwritten`,
    { hint: "boot it first: `ashlar agent rollback && systemctl reboot`, then update" },
  );
}

/** Until the running release is kept, the other slot is what this node falls back on. */
function refuseDuringTrial({ trial, running, slots, entries }: UpdateFacts): void {
  const hasOther = slots.some((slot) => !isRunningSlot(slot, running.rootHash) && isBootable(slot, entries));
  if (!trial || !hasOther) return;
  throw new AshlarError(
    "conflict",
    `expected the running ${running.version} to have been found healthy, found a trial`,
    {
      hint: "ask again when its health checks have passed: see `ashlar agent status`",
    },
  );
}

function findTarget({ slots, running }: UpdateFacts): Slot {
  const target = slots.find((slot) => !isRunningSlot(slot, running.rootHash));
  if (target !== undefined) return target;
  throw new AshlarError("not-found", "expected a second slot for /usr on this disk, found none");
}

function holds(slot: Slot, wanted: WantedRelease): boolean {
  return (
    slot.version === wanted.version &&
    slot.dataPartitionUuid === wanted.dataPartitionUuid &&
    slot.hashPartitionUuid === wanted.hashPartitionUuid
  );
}

function hasFailed(entry: BootEntry): boolean {
  const tries = triesOf(entry);
  return tries !== undefined && tries.left === 0 && tries.done > 0;
}

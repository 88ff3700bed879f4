import { AshlarError } from "@ashlar/base";
import { chooseBootEntry } from "@ashlar/formats";
import type { NodePaths } from "../shared/node-paths.ts";
import { bootNext } from "./boot-next.ts";
import { findSlotProblem } from "../slots/check-installed.ts";
import { decideRollback } from "./decide-update.ts";
import type { OrderContext } from "./order-book.ts";
import { readUpdateFacts } from "./update-facts.ts";
import { refuseBelowMinimum } from "./update-notes.ts";

/**
 * Lets the other slot's release boot next. The running one's boot entry gets no tries, so that systemd-boot passes it
 * over, and it counts as given up from the next boot on.
 *
 * @throws AshlarError `not-found`, `conflict`; `failed` when the other slot would not boot
 */
export async function carryOutRollback(paths: NodePaths, { report, signal }: OrderContext): Promise<void> {
  const facts = await readUpdateFacts(paths);
  const slot = decideRollback(facts);
  const version = slot?.version ?? chooseBootEntry(facts.entries)?.version;
  // Also when it boots next already: it may have been staged before the minimum rose.
  if (version !== undefined) await refuseBelowMinimum(paths, version, facts.running.version);
  if (slot?.version === undefined) return;
  report({ phase: "checking-slots", target: slot.version });
  const problem = await findSlotProblem(paths, slot, facts.slots, signal);
  if (problem !== undefined) {
    throw new AshlarError("failed", `not rolled back: ${problem}`, {
      hint: `install it again with \`ashlar agent update --to ${slot.version} --allow-downgrade\``,
    });
  }
  await bootNext(paths, slot.version, facts.running.version);
}

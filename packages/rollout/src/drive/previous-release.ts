import { randomBytes } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import { parseNextBootReport } from "@ashlar/protocol/answers";
import { NONCE_BYTES, type NextBootReport, type UpdateStatus } from "@ashlar/protocol";
import { AgentClient } from "@ashlar/verifier";
import type { Turn, UpdateRecord } from "@ashlar/verifier/declared";

/**
 * The release that a node would go back to. What the node says about it is only where to look: that it boots, and is
 * whole, is proven before the node restarts.
 *
 * @throws AshlarError `not-found` when its other slot has none, `conflict` when a release is staged
 */
export async function findPreviousRelease(
  node: { readonly name: string; readonly url: string },
  { turn }: UpdateRecord,
  signal: AbortSignal,
): Promise<string> {
  if (turn?.node === node.name) return previousOfTurn(turn);
  using client = new AgentClient(node.url, { signal });
  const status = await client.updateStatus();
  const { answer } = await client.nextBoot(randomBytes(NONCE_BYTES));
  return otherRelease(status, parseNextBootReport(answer.reportText));
}

/** An interrupted rollback goes on; an interrupted update, to an older release too, leads back to where it came from. */
function previousOfTurn({ from, to, order }: Turn): string {
  if (order !== undefined) return order === "rollback" ? to : from;
  return compareVersions(from, to) < 0 ? from : to;
}

const LABEL = /^ashlar_([^_]+)$/u;

/** The release in the slot that the node does not run from. */
export function otherRelease({ version, staged }: UpdateStatus, { slots }: NextBootReport): string {
  if (staged !== null) {
    throw new AshlarError("conflict", `expected nothing staged, found ${staged}: it still runs ${version}`, {
      hint: "there is nothing to go back from; stage another release with `ashlar update --no-reboot`",
    });
  }
  const versions = slots.map(({ label }) => LABEL.exec(label)?.[1]).filter((found) => found !== undefined);
  const other = versions.find((found) => found !== version);
  if (other !== undefined) return other;
  throw new AshlarError("not-found", `expected a release in its other slot, found none: it has only ${version}`, {
    hint: "name an older release: ashlar update --to VERSION --allow-downgrade",
  });
}

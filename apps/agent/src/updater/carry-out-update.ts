import { join } from "node:path";
import { reportLine, reportText } from "@ashlar/host/terminal";
import { chooseBootEntry } from "@ashlar/formats";
import type { UpdateRequest } from "@ashlar/protocol";
import { ENTRY_DIRECTORY, removeBootEntries } from "../slots/boot-entries.ts";
import { forgetFailures, readFailures } from "../boot/failures.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { bootNext } from "./boot-next.ts";
import { findSlotProblem, findUkiProblem } from "../slots/check-installed.ts";
import { decideUpdate, isBootable, refuseLastGood, replacedEntries, type UpdateFacts } from "./decide-update.ts";
import { checkSpace, sizeOfEntries, sizeOfFiles } from "./free-space.ts";
import { installRelease } from "./install-release.ts";
import { openOwnRepository } from "./open-repository.ts";
import type { OrderContext } from "./order-book.ts";
import type { UpdatePolicy } from "@ashlar/declaration";
import { readPolicy } from "../shared/read-policy.ts";
import { beginWork, finishWork, removeReady, workDirectory } from "./ready-directory.ts";
import type { ReleaseClient } from "./release-client.ts";
import type { ReleaseSummary } from "@ashlar/repository-index";
import type { Repository } from "@ashlar/repository";
import { refuseUnsigned } from "./refuse-unsigned.ts";
import { noteRebootRequired } from "./reboot-required.ts";
import { removeLeftovers } from "./remove-leftovers.ts";
import { scrubSlots } from "../slots/scrub.ts";
import { isRunningSlot, type Slot } from "../slots/slots.ts";
import { readUpdateFacts } from "./update-facts.ts";
import { isBelowMinimum, readUpdateNotes, refuseBelowMinimum, writeUpdateNotes } from "./update-notes.ts";

/**
 * Carries out an order: afterwards the release boots next. It may be interrupted at any point, by a power cut too, and
 * ordered again: what is on the disk decides what is left to do.
 *
 * @throws AshlarError why the release was not installed
 */
export async function carryOutUpdate(
  paths: NodePaths,
  client: ReleaseClient,
  request: UpdateRequest,
  context: OrderContext,
): Promise<void> {
  const { report, signal } = context;
  report({ phase: "checking", target: request.to ?? null });
  const policy = await readPolicy(paths);
  const repository = await openOwnRepository(paths, client.openRepository, policy, signal);
  const facts = await readUpdateFacts(paths);
  await noteMinimum(paths, repository, policy);
  if (request.to === undefined && (await isWaiting(paths, repository, facts))) return;
  const version = await choose(paths, client, repository, request, policy, facts);
  report({ target: version });
  await refuseBelowMinimum(paths, version, facts.running.version);
  await writeUpdateNotes(paths.state, { named: request.to ?? null });
  const summary = await repository.readSummary(version);
  // What was staged before the minimum rose is taken back, whoever has staged it.
  const isNamed = request.to !== undefined || (await isBelowMinimum(paths, chooseBootEntry(facts.entries)?.version));
  const decision = decideUpdate({ version, isNamed, ...summary.usr }, facts);
  if (decision.kind === "install" || decision.kind === "activate") await refuseUnsigned(paths.efiVariables, summary);
  // Whoever wants it tried again wants it judged anew.
  if (request.retry === true) await forgetFailures(paths.state, version);
  if (decision.kind === "nothing" && version !== facts.running.version) {
    // Whoever was interrupted at the very end has not said so.
    await noteRebootRequired(paths, version);
    await removeReady(paths);
  }
  if (decision.kind === "boot-running") await bootNext(paths, version, facts.running.version);
  if (decision.kind === "activate") {
    report({ phase: "checking-slots" });
    const problem =
      (await findSlotProblem(paths, decision.slot, facts.slots, signal)) ?? (await findUkiProblem(paths, summary));
    if (problem !== undefined) {
      reportText(`${version} is in a slot, but is installed again: ${problem}`);
      // It must not boot as it is.
      await removeBootEntries(paths.esp, version);
      await install(paths, client, repository, summary, policy, { ...facts, target: decision.slot }, context);
    } else await bootNext(paths, version, facts.running.version);
  }
  if (decision.kind === "install") {
    await install(paths, client, repository, summary, policy, { ...facts, target: decision.target }, context);
  }
}

async function noteMinimum(
  { state }: NodePaths,
  { index }: Repository,
  policy: UpdatePolicy | undefined,
): Promise<void> {
  const channel = policy === undefined ? undefined : index.channels.get(policy.channel);
  if (channel !== undefined) await writeUpdateNotes(state, { minimumVersion: channel.minimumVersion });
}

/** Whether a release boots next that somebody has ordered by its name, and that is still good: allowed, not withdrawn. */
async function isWaiting(
  { state }: NodePaths,
  { index }: Repository,
  { running, entries }: UpdateFacts,
): Promise<boolean> {
  const { named } = await readUpdateNotes(state);
  const next = chooseBootEntry(entries)?.version;
  if (named === null || next !== named || next === running.version) return false;
  if (await isBelowMinimum({ state }, named)) return false;
  const release = index.releases.get(named);
  return release !== undefined && release.withdrawn === undefined;
}

async function install(
  paths: NodePaths,
  client: ReleaseClient,
  repository: Repository,
  summary: ReleaseSummary,
  policy: UpdatePolicy | undefined,
  facts: UpdateFacts & { readonly target: Slot },
  context: OrderContext,
): Promise<void> {
  const { version, usr, uki } = summary;
  const { target, slots, running } = facts;
  const { report, signal } = context;
  await removeLeftovers(paths.esp);
  const espBytes = await sizeOfEntries(join(paths.esp, ENTRY_DIRECTORY), replacedEntries(facts, target));
  await checkSpace("the ESP", paths.esp, uki.sizeBytes, espBytes);

  await beginWork(paths);
  const collected = await sizeOfFiles(workDirectory(paths));
  const neededBytes = usr.dataSizeBytes + usr.verity.sizeBytes + uki.sizeBytes;
  await checkSpace("/var/lib/ashlar", paths.state, neededBytes, collected);
  report({ phase: "fetching", progress: null });
  const staged = await client.stageRelease({
    repository,
    version,
    // What runs is known to be good: its blocks have been checked by the kernel.
    sources: slots.toSorted(
      (a, b) => Number(isRunningSlot(b, running.rootHash)) - Number(isRunningSlot(a, running.rootHash)),
    ),
    directory: workDirectory(paths),
    maxBytesPerSecond: policy?.maxBytesPerSecond,
    signal,
    onProgress: (progress) => report({ progress }),
  });
  for (const { label, block } of staged.badSourceBlocks) {
    reportLine(`block ${block} of ${label} is damaged and was fetched instead: run \`ashlar agent scrub\``);
  }
  await keepLastGood(paths, facts, staged.goodSourceBlocks, context);
  await finishWork(paths);
  await installRelease(paths, facts, target, summary, context);
  await bootNext(paths, version, running.version);
  await removeReady(paths);
}

/**
 * Reads what copying has not read of the running slot, which is what the node falls back on from now on. When it would not
 * boot again, and the slot that is about to be overwritten would, there is no way on.
 */
async function keepLastGood(
  paths: NodePaths,
  { target, slots, entries, running }: UpdateFacts & { readonly target: Slot },
  good: ReadonlyMap<string, Uint8Array>,
  { report, signal }: OrderContext,
): Promise<void> {
  const runningSlot = slots.find((slot) => isRunningSlot(slot, running.rootHash));
  if (runningSlot === undefined) return;
  report({ phase: "checking-slots" });
  const [runningRecord] = await scrubSlots(paths, [runningSlot], slots, signal, good);
  const isGood = runningRecord?.badBlockCount === 0 && runningRecord.rootHash !== null;
  if (isGood || runningRecord === undefined || !isBootable(target, entries)) return;
  const [otherRecord] = await scrubSlots(paths, [target], slots, signal);
  if (otherRecord !== undefined) refuseLastGood(target, runningRecord, otherRecord);
}

async function choose(
  paths: NodePaths,
  client: ReleaseClient,
  { index }: Repository,
  request: UpdateRequest,
  policy: UpdatePolicy | undefined,
  { running }: UpdateFacts,
): Promise<string> {
  const failures = await readFailures(paths.state);
  const failed = failures.map(({ version }) => version).filter((version) => version !== running.version);
  const channel = request.channel ?? policy?.channel;
  return client.chooseRelease(index, {
    ...request,
    running: running.version,
    failed,
    ...(channel === undefined ? {} : { channel }),
    // Who names a version means it.
    ...(policy?.pin === undefined || request.to !== undefined ? {} : { pin: policy.pin }),
  });
}

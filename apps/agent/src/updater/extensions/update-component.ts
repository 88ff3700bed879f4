import { readFile } from "node:fs/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import { reportText } from "@ashlar/host/terminal";
import type { ComponentFailure, ComponentRequest } from "@ashlar/protocol";
import type { DeclaredExtension } from "@ashlar/declaration";
import type { NodePaths } from "../../shared/node-paths.ts";
import { bringImage, Unacceptable } from "./bring-image.ts";
import type { ComponentChecks } from "./check-component.ts";
import {
  changeComponentStates,
  type ComponentState,
  declarationKey,
  readComponentStates,
  withComponent,
  withFailure,
  withoutFailure,
} from "../../extensions/component-state.ts";
import { type MergeRecord, readMergeRecord } from "../../extensions/merge-record.ts";
import type { ExtensionOrder, VersionSource } from "./version-source.ts";

type Merged = MergeRecord["merged"][number];

/** A version that ends the boot each time it is tried is given up after so many. */
const MAX_ATTEMPTS = 3;

/**
 * Takes an extension that is merged to another version: fetches, verifies, has it measured and merged, restarts its units
 * and checks its health. When anything fails the former version is merged again, and the new one is not tried again
 * unless it is asked for. A power cut at any point ends the trial: the next boot merges the former version.
 *
 * @throws AshlarError why the version was not taken, or given up
 */
export async function updateComponent(
  paths: NodePaths,
  extension: DeclaredExtension,
  source: VersionSource,
  request: Omit<ComponentRequest, "component">,
  checks: ComponentChecks,
  { report, signal }: Pick<ExtensionOrder, "report" | "signal">,
): Promise<void> {
  const { name } = extension;
  const running = await findMerged(paths, name);
  if (running === undefined) {
    throw new AshlarError("not-found", `expected ${name} to be merged, found it missing`, {
      hint: "see why with `ashlar agent extensions status`, and fetch it with `ashlar agent extensions fetch`",
    });
  }
  const { failures } = await readComponentStates(paths.extensions);
  const failed = failures.flatMap((failure) => (failure.name === name ? [failure.version] : []));
  const version = await source.choose({ ...request, running: running.version, failed });
  report({ target: { name, version } });
  if (version === running.version) return;
  if (request.retry === true)
    await changeComponentStates(paths.extensions, (known) => withoutFailure(known, { name, version }));
  await beginTrial(paths, extension, running, version, request.retry === true);
  // Which check a failure would be of. Before the first one nothing has been found out about the version.
  let check: string | undefined;
  let isRefreshed = false;
  checks.announceRefresh();
  try {
    await bringImage(paths, extension, version, async () => await source.install(version, running.version));
    report({ phase: "merging", progress: null });
    isRefreshed = true;
    await checks.refresh();
    check = "merge";
    const merged = await expectMerged(paths, name, version);
    report({ phase: "checking-health" });
    check = "units";
    await checks.switchUnits(running, merged);
    check = merged.behaviour.healthCheck ?? "health";
    await checks.checkHealth(merged);
  } catch (error) {
    if (error instanceof Unacceptable) check = "fetch";
    // An order that was interrupted says nothing about the version, whatever has failed then.
    if (signal.aborted) check = undefined;
    await endTrial(paths, name, check === undefined ? undefined : failureOf(name, version, check, messageOf(error)));
    if (isRefreshed) await goBack(paths, { extension, running, version, error }, checks, report);
    throw error;
  }
  await keep(paths, extension, running, version);
}

/** Written before the new image is in the store, so that no boot merges it by itself. */
async function beginTrial(
  paths: NodePaths,
  extension: DeclaredExtension,
  running: Merged,
  version: string,
  retry: boolean,
): Promise<void> {
  const { name } = extension;
  const bootId = (await readFile(paths.bootId, "utf8")).trim();
  const declaration = declarationKey(extension);
  const { components } = await readComponentStates(paths.extensions);
  const known = components[name]?.declaration === declaration ? components[name] : undefined;
  const earlier = known?.trial?.version === version && !retry ? known.trial.attempts : 0;
  const state: ComponentState = {
    declaration,
    current: running.version,
    former: known?.former ?? null,
    trial: { version, bootId, attempts: earlier + 1 },
  };
  await changeComponentStates(paths.extensions, (states) => withComponent(states, name, state));
  if (earlier < MAX_ATTEMPTS) return;
  const message = `${name} ${version} was tried ${earlier} times, and each time the node restarted before it was found healthy`;
  await changeComponentStates(paths.extensions, (states) =>
    withFailure(withComponent(states, name, { ...state, trial: null }), failureOf(name, version, "trial", message)),
  );
  throw new AshlarError("conflict", message, { hint: "try it again with --retry" });
}

async function expectMerged(paths: NodePaths, name: string, version: string): Promise<Merged> {
  const merged = await findMerged(paths, name);
  if (merged?.version === version) return merged;
  const { setAside } = await readMergeRecord(paths.extensions);
  const reason = setAside.find((each) => each.name === name && each.version === version)?.reason;
  throw new AshlarError(
    "failed",
    `${name} ${version} is not merged: ${reason ?? `found ${merged?.version ?? "none"}`}`,
  );
}

async function findMerged({ extensions }: NodePaths, name: string): Promise<Merged | undefined> {
  return (await readMergeRecord(extensions)).merged.find((each) => each.name === name);
}

/** @param failure what was found out about the version, if anything was */
async function endTrial({ extensions }: NodePaths, name: string, failure: ComponentFailure | undefined): Promise<void> {
  await changeComponentStates(extensions, (known) => {
    const component = known.components[name];
    const ended = component === undefined ? known : withComponent(known, name, { ...component, trial: null });
    return failure === undefined ? ended : withFailure(ended, failure);
  });
}

type Attempt = {
  readonly extension: DeclaredExtension;
  readonly running: Merged;
  readonly version: string;
  readonly error: unknown;
};

/** @throws AshlarError when that fails, too */
async function goBack(
  paths: NodePaths,
  { extension: { name }, running, version, error }: Attempt,
  checks: ComponentChecks,
  report: ExtensionOrder["report"],
): Promise<void> {
  reportText(`${name} ${version} is given up: ${messageOf(error)}`);
  report({ phase: "reverting", target: { name, version: running.version } });
  const bad = await findMerged(paths, name);
  try {
    // Even if the former version seems to be merged: whoever answered too late may have merged the new one.
    await checks.refresh();
    const merged = await expectMerged(paths, name, running.version);
    if (bad?.rootHash !== running.rootHash) await checks.switchUnits(bad, merged);
  } catch (failure) {
    const message = `${messageOf(error)}; and ${name} ${running.version} could not be restored: ${messageOf(failure)}`;
    throw new AshlarError("failed", message, { hint: "restart the node", cause: error });
  }
}

async function keep(paths: NodePaths, extension: DeclaredExtension, running: Merged, version: string): Promise<void> {
  const { name } = extension;
  const state = { declaration: declarationKey(extension), current: version, former: running.version, trial: null };
  await changeComponentStates(paths.extensions, (known) =>
    withoutFailure(withComponent(known, name, state), { name, version }),
  );
}

function failureOf(name: string, version: string, check: string, message: string): ComponentFailure {
  return { name, version, at: new Date().toISOString(), check, message };
}

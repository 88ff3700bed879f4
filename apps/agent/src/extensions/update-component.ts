import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import type { ComponentFailure, ComponentRequest, DeclaredExtension } from "@ashlar/identity/extensions";
import type { NodePaths } from "../node-paths.ts";
import { acceptImage, readHost } from "./accept-image.ts";
import type { ComponentChecks } from "./check-component.ts";
import {
  changeComponentStates,
  type ComponentState,
  declarationKey,
  readComponentStates,
  withComponent,
  withFailure,
  withoutFailure,
} from "./component-state.ts";
import { type MergeRecord, readMergeRecord } from "./merge-record.ts";
import { imagePath } from "./store.ts";
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
  { report }: Pick<ExtensionOrder, "report">,
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
  let check = "fetch";
  checks.announceRefresh();
  try {
    await bring(paths, extension, source, version, running.version);
    report({ phase: "merging", progress: null });
    check = "merge";
    await checks.refresh();
    const merged = await expectMerged(paths, name, version);
    report({ phase: "checking-health" });
    check = "units";
    await checks.switchUnits(running, merged);
    check = merged.behaviour.healthCheck ?? "health";
    await checks.checkHealth(merged);
  } catch (error) {
    await goBack(paths, { extension, running, version, check, error }, checks, report);
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

/** Makes sure that there is an acceptable image of the version in the store. */
async function bring(
  paths: NodePaths,
  { kind, name }: DeclaredExtension,
  source: VersionSource,
  version: string,
  protectedVersion: string,
): Promise<void> {
  const path = imagePath(paths.extensions, name, version);
  const { base } = paths.extensions;
  const host = readHost(base, join(base, "usr/lib/os-release"));
  try {
    acceptImage(path, { kind, name, version }, host);
    return;
  } catch {
    // It is not there yet, or was damaged since it came.
  }
  await rm(path, { force: true });
  await source.install(version, protectedVersion);
  try {
    acceptImage(path, { kind, name, version }, host);
  } catch (error) {
    await rm(path, { force: true });
    throw new Unacceptable(`${name} ${version} is not acceptable: ${messageOf(error)}`, error);
  }
}

/** An image that was fetched whole and will never be better. */
class Unacceptable extends AshlarError {
  constructor(message: string, cause: unknown) {
    super("untrusted", message, { cause });
  }
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

type Attempt = {
  readonly extension: DeclaredExtension;
  readonly running: Merged;
  readonly version: string;
  readonly check: string;
  readonly error: unknown;
};

async function goBack(
  paths: NodePaths,
  { extension: { name }, running, version, check, error }: Attempt,
  checks: ComponentChecks,
  report: ExtensionOrder["report"],
): Promise<void> {
  // A server that does not answer, or an order that was interrupted, says nothing about the version.
  const isVerdict = check !== "fetch" || error instanceof Unacceptable;
  await changeComponentStates(paths.extensions, (known) => {
    const component = known.components[name];
    const ended = component === undefined ? known : withComponent(known, name, { ...component, trial: null });
    return isVerdict ? withFailure(ended, failureOf(name, version, check, messageOf(error))) : ended;
  });
  if (check === "fetch") return;
  console.error(`${name} ${version} is given up: ${messageOf(error)}`);
  report({ phase: "reverting", target: { name, version: running.version } });
  const bad = await findMerged(paths, name);
  // It was set aside: the former version is still there.
  if (bad?.rootHash === running.rootHash) return;
  await checks.refresh();
  await checks.switchUnits(bad, await expectMerged(paths, name, running.version));
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

import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { run } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import { parseImagePath, type ComponentRequest, type DebugRequest, type MaintainRequest } from "@ashlar/protocol";
import type { DeclaredExtension } from "@ashlar/declaration";
import type { NodePaths } from "../../shared/node-paths.ts";
import { readPolicy } from "../../shared/read-policy.ts";
import { openOwnRepository } from "../open-repository.ts";
import { bringImage } from "./bring-image.ts";
import type { ComponentChecks } from "./check-component.ts";
import { readComponentStates } from "../../extensions/component-state.ts";
import { debugFile, removeDebugSession, writeDebugSession } from "../../extensions/debug-sessions.ts";
import type { ExtensionClient } from "../../extensions/extension-client.ts";
import type { Repository } from "@ashlar/repository";
import { readMergeRecord } from "../../extensions/merge-record.ts";
import { readDeclared } from "../../extensions/read-declared.ts";
import { updateComponent } from "./update-component.ts";
import { type ExtensionOrder, fetchLinked, type VersionSource, versionSource } from "./version-source.ts";

/** What orders about extensions are carried out with. */
export type ExtensionTools = {
  readonly paths: NodePaths;
  readonly client: () => Promise<ExtensionClient>;
  readonly checks: ComponentChecks;
};

/** Takes one declared extension to another version. */
export async function carryOutComponentUpdate(
  tools: ExtensionTools,
  { component, ...request }: ComponentRequest,
  context: ExtensionOrder,
): Promise<void> {
  context.report({ target: { name: component, version: request.to ?? null } });
  const { declared } = await readDeclared(tools.paths.extensions);
  const extension = declared.find(({ name }) => name === component);
  if (extension === undefined) {
    const names = declared.map(({ name }) => name).join(", ") || "none";
    throw new AshlarError("not-found", `expected a declared extension, found ${component}; declared: ${names}`);
  }
  const source = await sourceOf(tools, extension, context);
  await updateComponent(tools.paths, extension, source, request, tools.checks, context);
}

/**
 * Fetches what is declared and missing, and with `updates` takes the automatic ones to their newest versions. What fails
 * keeps nothing else from being done.
 *
 * @throws AshlarError the first failure, in the end
 */
export async function maintainExtensions(
  tools: ExtensionTools,
  { updates }: MaintainRequest,
  context: ExtensionOrder,
): Promise<void> {
  const { paths, checks } = tools;
  const { declared } = await readDeclared(paths.extensions);
  const problems: unknown[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (context.signal.aborted) throw error;
      reportText(`${what}: ${messageOf(error)}`);
      problems.push(error);
    }
  };
  const merged = new Set((await readMergeRecord(paths.extensions)).merged.map(({ name }) => name));
  const missing = declared.filter(({ name, source }) => !merged.has(name) && (updates || source.type !== "track"));
  let fetched = 0;
  if (missing.length > 0) checks.announceRefresh();
  for (const extension of missing) {
    context.report({ phase: "fetching", target: { name: extension.name, version: null } });
    await attempt(extension.name, async () => {
      await fetchFirst(tools, extension, context);
      fetched += 1;
    });
  }
  if (fetched > 0) {
    context.report({ phase: "merging", target: null, progress: null });
    await checks.refresh();
  }
  for (const extension of declared.filter((each) => updates && each.updates === "automatic" && merged.has(each.name))) {
    context.report({ phase: "checking", target: { name: extension.name, version: null } });
    await attempt(extension.name, async () => {
      const source = await sourceOf(tools, extension, context);
      await updateComponent(paths, extension, source, {}, checks, context).catch((error: unknown) => {
        // What has failed here is known, and waits for somebody's decision.
        if (!(error instanceof AshlarError && error.code === "conflict")) throw error;
        reportText(`${extension.name}: ${error.message}`);
      });
    });
  }
  const [first] = problems;
  if (first !== undefined) throw first;
}

/** Brings the first image of a declared extension. There is nothing to go back to: it needs no trial. */
async function fetchFirst(tools: ExtensionTools, extension: DeclaredExtension, context: ExtensionOrder): Promise<void> {
  const { name, source } = extension;
  const version = source.type === "file" ? parseImagePath(source.path)?.version : undefined;
  if (version !== undefined && source.type === "file" && source.url !== null) {
    await bringImage(tools.paths, extension, version, async () => {
      await fetchLinked(tools.paths, { name, source, version });
    });
    return;
  }
  const { failures } = await readComponentStates(tools.paths.extensions);
  const failed = failures.flatMap((failure) => (failure.name === name ? [failure.version] : []));
  const versions = await sourceOf(tools, extension, context);
  const chosen = await versions.choose({ to: version, failed });
  context.report({ target: { name, version: chosen } });
  await bringImage(tools.paths, extension, chosen, async () => await versions.install(chosen, undefined));
}

async function sourceOf(
  { paths, client }: ExtensionTools,
  extension: DeclaredExtension,
  context: ExtensionOrder,
): Promise<VersionSource> {
  const policy = await readPolicy(paths);
  const open = async (): Promise<{ client: ExtensionClient; repository: Repository }> => {
    const loaded = await client();
    return {
      client: loaded,
      repository: await openOwnRepository(paths, loaded.openRepository, policy, context.signal),
    };
  };
  return await versionSource(paths, extension, policy, open, context);
}

/** Merges an undeclared extension for a while, or ends that. */
export async function carryOutDebug(
  tools: ExtensionTools,
  { extension: name, seconds }: DebugRequest,
  context: ExtensionOrder,
): Promise<void> {
  const { paths, checks } = tools;
  const { extensions } = paths;
  if (seconds === 0) {
    await removeDebugSession(extensions, name);
    await checks.refresh();
    await rm(debugDirectory(paths, name), { recursive: true, force: true });
    return;
  }
  const { declared } = await readDeclared(extensions);
  if (declared.some((each) => each.name === name)) {
    throw new AshlarError("conflict", `expected an extension that is not declared, found ${name}`, {
      hint: "it is part of this node: change its version with `ashlar update --component`",
    });
  }
  const policy = await readPolicy(paths);
  const client = await tools.client();
  const repository = await openOwnRepository(paths, client.openRepository, policy, context.signal);
  const version = client.chooseExtension(repository.index, { name, pattern: "*", failed: [] });
  context.report({ phase: "fetching", target: { name, version } });
  checks.announceRefresh();
  const { path } = await client.stageExtension({
    repository,
    name,
    version,
    sources: [],
    directory: join(extensions.state, "work"),
    maxBytesPerSecond: policy?.maxBytesPerSecond,
    signal: context.signal,
    onProgress: (progress) => context.report({ progress }),
  });
  const target = join(debugDirectory(paths, name), `${name}.raw`);
  await mkdir(debugDirectory(paths, name), { recursive: true });
  await rename(path, target);
  const until = new Date(Date.now() + seconds * 1000).toISOString();
  await writeDebugSession(extensions, { name, version, path: target, until });
  await scheduleEnd(debugFile(extensions, name), name, seconds);
  context.report({ phase: "merging", progress: null });
  await checks.refresh();
  const { merged, setAside } = await readMergeRecord(extensions);
  if (merged.some((each) => each.name === name)) return;
  const reason = setAside.find((each) => each.name === name)?.reason ?? "it was left out";
  throw new AshlarError("failed", `${name} ${version} is not merged: ${reason}`);
}

/** systemd's clock counts, not this process, which may have ended by then. A longer session replaces the earlier timer. */
async function scheduleEnd(file: string, name: string, seconds: number): Promise<void> {
  const unit = `ashlar-debug-${name}`;
  await run("systemctl", ["stop", `${unit}.timer`], { acceptStatus: [0, 5] });
  // Not the refresh service: if that one runs just then, starting it again would do nothing.
  const script = `rm -f ${file} && exec /usr/bin/ashlar agent extensions apply`;
  await run("systemd-run", ["--quiet", "--collect", `--unit=${unit}`, `--on-active=${seconds}`, "sh", "-c", script]);
}

function debugDirectory({ extensions }: NodePaths, name: string): string {
  return join(extensions.state, "debug", name);
}

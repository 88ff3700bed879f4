import { join } from "node:path";
import { withLock } from "@ashlar/host";
import { type ComponentFailure, EXTENSION_VERSION_PATTERN } from "@ashlar/protocol";
import type { DeclaredExtension } from "@ashlar/declaration";
import { canonicalJson, membersOf } from "@ashlar/base";
import type { ExtensionPaths } from "../shared/node-paths.ts";
import { readStateFile, writeStateFile } from "../shared/state-file.ts";

/** What is known of an extension's versions on this node. It counts only as long as the declaration is the same. */
export type ComponentState = {
  /** The declaration that this was decided for: see {@link declarationKey}. */
  readonly declaration: string;
  readonly current: string;
  /** What `current` replaced. */
  readonly former: string | null;
  /** A version that is being tried: it is merged in this boot only, until it has been found healthy. */
  readonly trial: { readonly version: string; readonly bootId: string; readonly attempts: number } | null;
};

export type ComponentStates = {
  readonly components: Readonly<Record<string, ComponentState>>;
  /** The newest first. */
  readonly failures: readonly ComponentFailure[];
};

const MAX_FAILURES = 16;
const MAX_MESSAGE_CHARACTERS = 2000;
const LOCK_WAIT_MS = 10_000;

/** Another declaration is another wish: what an earlier one has led to does not bind it. */
export function declarationKey({ kind, name, pattern, source }: DeclaredExtension): string {
  return canonicalJson([kind, name, pattern, source.type === "file" ? source.path : source.type]);
}

export async function readComponentStates({ state }: Pick<ExtensionPaths, "state">): Promise<ComponentStates> {
  const { components, failures } = membersOf(await readStateFile(fileIn(state)));
  const found = Object.entries(membersOf(components)).flatMap(([name, value]) => {
    const component = toState(value);
    return component === undefined ? [] : [[name, component] as const];
  });
  const known = Array.isArray(failures) ? failures.flatMap((each: unknown) => toFailure(each)) : [];
  return { components: Object.fromEntries(found), failures: known.slice(0, MAX_FAILURES) };
}

/** On the disk when this returns. */
export async function changeComponentStates(
  { state }: Pick<ExtensionPaths, "state">,
  change: (known: ComponentStates) => ComponentStates,
): Promise<void> {
  const path = fileIn(state);
  await withLock(`${path}.lock`, { what: path, holder: "ashlar agent", waitMs: LOCK_WAIT_MS }, async () => {
    const { components, failures } = change(await readComponentStates({ state }));
    await writeStateFile(path, { components, failures: failures.slice(0, MAX_FAILURES) });
  });
}

export function withComponent(known: ComponentStates, name: string, component: ComponentState): ComponentStates {
  return { ...known, components: { ...known.components, [name]: component } };
}

export function withFailure(known: ComponentStates, failure: ComponentFailure): ComponentStates {
  const message = failure.message.slice(0, MAX_MESSAGE_CHARACTERS);
  return { ...known, failures: [{ ...failure, message }, ...without(known.failures, failure)] };
}

/** After this the version counts as new. */
export function withoutFailure(
  known: ComponentStates,
  which: Pick<ComponentFailure, "name" | "version">,
): ComponentStates {
  return { ...known, failures: without(known.failures, which) };
}

function without(
  failures: readonly ComponentFailure[],
  { name, version }: Pick<ComponentFailure, "name" | "version">,
): ComponentFailure[] {
  return failures.filter((each) => each.name !== name || each.version !== version);
}

function toState(value: unknown): ComponentState | undefined {
  const { declaration, current, former, trial } = membersOf(value);
  if (typeof declaration !== "string" || !isVersion(current)) return undefined;
  const { version, bootId, attempts } = membersOf(trial);
  const isTrial = isVersion(version) && typeof bootId === "string" && typeof attempts === "number";
  return {
    declaration,
    current,
    former: isVersion(former) ? former : null,
    trial: isTrial ? { version, bootId, attempts } : null,
  };
}

function toFailure(value: unknown): ComponentFailure[] {
  const { name, version, at, check, message } = membersOf(value);
  const isText = (each: unknown): each is string => typeof each === "string" && each.length <= MAX_MESSAGE_CHARACTERS;
  if (!isText(name) || !isVersion(version) || !isText(at) || !isText(check) || !isText(message)) return [];
  return [{ name, version, at, check, message }];
}

function isVersion(value: unknown): value is string {
  return typeof value === "string" && EXTENSION_VERSION_PATTERN.test(value);
}

function fileIn(state: string): string {
  return join(state, "components.json");
}

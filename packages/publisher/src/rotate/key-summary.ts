import type { Root } from "@tufjs/models";
import { KEY_NAMES, type KeyName } from "@ashlar/keys";
import { goodKeys } from "../publish/root-role.ts";

/** Which keys are good, by their identifiers. */
export type KeySummary = {
  readonly version: number;
  readonly expires: string;
} & Readonly<Record<KeyName, { readonly threshold: number; readonly keyIds: readonly string[] }>>;

export function summarizeKeys(root: Root): KeySummary {
  const good = goodKeys(root);
  const of = (name: KeyName): KeySummary[KeyName] => ({
    threshold: good[name].threshold,
    keyIds: good[name].keys.map(({ keyID }) => keyID),
  });
  const { version, expires } = root;
  return { version, expires, root: of("root"), targets: of("targets"), online: of("online") };
}

/** What one root role changes of the one before. */
export type KeyDifference = {
  readonly name: KeyName;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly threshold: { readonly from: number; readonly to: number };
};

/** @returns nothing for roles that stay as they are */
export function compareKeys(from: KeySummary, to: KeySummary): KeyDifference[] {
  return KEY_NAMES.map((name) => ({
    name,
    added: to[name].keyIds.filter((id) => !from[name].keyIds.includes(id)),
    removed: from[name].keyIds.filter((id) => !to[name].keyIds.includes(id)),
    threshold: { from: from[name].threshold, to: to[name].threshold },
  })).filter(({ added, removed, threshold }) => added.length + removed.length > 0 || threshold.from !== threshold.to);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RepositoryIndex } from "@ashlar/repository-index";
import { chooseTarget, requireMinimum } from "./choose-target.ts";

function release(version: string, reason?: string): [string, { version: string; files: never; withdrawn?: never }] {
  const withdrawn = reason === undefined ? {} : { withdrawn: { reason, at: "2026-11-22T12:00:00Z" } };
  // Only version and withdrawal are looked at.
  return [version, { version, files: {}, ...withdrawn } as never];
}

const INDEX: RepositoryIndex = {
  serial: 7,
  extensions: new Map(),
  channels: new Map([
    ["stable", { version: "1.1.0", minimumVersion: "1.0.0" }],
    ["next", { version: "1.2.0", minimumVersion: "1.1.0" }],
  ]),
  releases: new Map([
    release("0.9.0"),
    release("1.0.0"),
    release("1.1.0"),
    release("1.1.1", "it hangs"),
    release("1.2.0"),
  ]),
};

test("a channel's release, or one that is named", () => {
  assert.equal(chooseTarget(INDEX, {}), "1.1.0");
  assert.equal(chooseTarget(INDEX, { channel: "next" }), "1.2.0");
  assert.equal(chooseTarget(INDEX, { version: "1.2.0" }), "1.2.0");
  assert.equal(chooseTarget(INDEX, { version: "1.0.0" }), "1.0.0");
});

test("what may not be run is refused, and why", () => {
  const refused: readonly [Parameters<typeof chooseTarget>[1], string, RegExp][] = [
    [{ channel: "none" }, "not-found", /the channel none .*found stable, next/u],
    [{ version: "3.0.0" }, "not-found", /no release 3\.0\.0/u],
    [{ version: "1.1.1" }, "invalid", /withdrawn: it hangs/u],
    [{ version: "0.9.0" }, "invalid", /below 1\.0\.0, the minimum version of channel stable/u],
    [{ version: "1.0.0", channel: "next" }, "invalid", /below 1\.1\.0/u],
  ];
  for (const [wish, code, message] of refused) assert.throws(() => chooseTarget(INDEX, wish), { code, message });
  const empty = { ...INDEX, channels: new Map() };
  assert.throws(() => chooseTarget(empty, {}), { code: "not-found", message: /found none/u });
  requireMinimum(empty, undefined, "0.1.0");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { parseCommandLine } from "./command-line.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";

await test("commands", () => {
  assert.deepEqual(parseCommandLine(["agent"]), { kind: "agent", idleTimeoutMs: 60_000 });
  assert.deepEqual(parseCommandLine(["agent", "--idle-timeout", "5"]), { kind: "agent", idleTimeoutMs: 5000 });
  assert.deepEqual(parseCommandLine(["agent", "--help"]), { kind: "help" });
  assert.deepEqual(parseCommandLine(["--version"]), { kind: "version" });
});

for (const args of [
  [],
  ["operator"],
  ["agent", "agent"],
  ["agent", "--unknown"],
  ["agent", "--idle-timeout"],
  ["agent", "--idle-timeout", "0"],
  ["agent", "--idle-timeout", "1.5"],
  ["agent", "--idle-timeout", "x"],
  ["agent", "--idle-timeout", "86401"],
]) {
  await test(`wrong usage: ashlar ${args.join(" ")}`, () => {
    assert.throws(
      () => parseCommandLine(args),
      (error) => error instanceof AshlarError && error.code === "usage",
    );
  });
}

await test("systemd's descriptors have names and are for one process", () => {
  const environment = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "https:firmware-log" };
  assert.deepEqual(
    [...inheritedDescriptors(environment, 7)],
    [
      ["https", 3],
      ["firmware-log", 4],
    ],
  );
  for (const [wrong, processId] of [
    [{}, 7],
    [environment, 8],
    [{ ...environment, LISTEN_FDS: "0" }, 7],
    [{ ...environment, LISTEN_FDS: "-1" }, 7],
    [{ ...environment, LISTEN_FDS: "1e9" }, 7],
    [{ ...environment, LISTEN_FDS: "x" }, 7],
  ] as const) {
    assert.throws(() => inheritedDescriptors(wrong, processId), AshlarError);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { parseCommandLine } from "./command-line.ts";
import { inheritedDescriptors } from "../shared/inherited-descriptors.ts";

await test("commands", () => {
  const cases: readonly [string, unknown][] = [
    ["agent", { kind: "agent", idleTimeoutMs: 60_000 }],
    ["agent --idle-timeout 5", { kind: "agent", idleTimeoutMs: 5000 }],
    ["agent updater --idle-timeout=7", { kind: "updater", idleTimeoutMs: 7000 }],
    ["agent update", { kind: "update", request: {}, policy: false, json: false }],
    ["agent update --policy", { kind: "update", request: {}, policy: true, json: false }],
    [
      "agent update --to 1.1.0 --allow-downgrade --retry --json",
      { kind: "update", request: { to: "1.1.0", allowDowngrade: true, retry: true }, policy: false, json: true },
    ],
    ["agent update --channel beta", { kind: "update", request: { channel: "beta" }, policy: false, json: false }],
    ["agent status --json", { kind: "status", json: true }],
    ["agent rollback", { kind: "rollback", json: false }],
    ["agent scrub", { kind: "scrub", json: false }],
    ["agent health --time-limit 5", { kind: "health", limitMs: 5000, json: false }],
    ["agent extensions status --json", { kind: "extensions-status", json: true }],
    ["agent extensions apply", { kind: "apply-extensions", json: false }],
    ["agent extensions fetch", { kind: "extensions-fetch", limitMs: 300_000, json: false }],
    ["agent extensions update --policy", { kind: "extensions-policy", json: false }],
    [
      "agent extensions update --component kubernetes --to v1.33.5 --retry",
      { kind: "extensions-update", request: { component: "kubernetes", to: "v1.33.5", retry: true }, json: false },
    ],
    [
      "agent extensions debug --with tools --for 60",
      { kind: "extensions-debug", request: { extension: "tools", seconds: 60 }, json: false },
    ],
    [
      "agent extensions debug --with tools --end",
      { kind: "extensions-debug", request: { extension: "tools", seconds: 0 }, json: false },
    ],
    ["--version", { kind: "version" }],
    ["agent status --version", { kind: "version" }],
  ];
  for (const [line, expected] of cases) assert.deepEqual(parseCommandLine(line.split(" ")), expected, line);
});

await test("each command has its own help", () => {
  for (const line of ["", "agent", "agent updater", "agent update", "agent status", "agent rollback", "agent scrub"]) {
    const command = parseCommandLine([...line.split(" ").filter(Boolean), "--help"]);
    assert.ok(command.kind === "help");
    assert.ok(command.text.startsWith(`Usage: ashlar ${line}`), line);
  }
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
  ["agent", "status", "--retry"],
  ["agent", "status", "--json", "twice"],
  ["agent", "update", "1.1.0"],
  ["agent", "update", "--to", "1.1.0", "--channel", "stable"],
  ["agent", "update", "--policy", "--retry"],
  ["agent", "health", "--time-limit", "0"],
  ["agent", "extensions"],
  ["agent", "extensions", "update"],
  ["agent", "extensions", "update", "--policy", "--component", "tools"],
  ["agent", "extensions", "debug", "--for", "60"],
  ["agent", "extensions", "debug", "--with", "tools", "--for", "60", "--end"],
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

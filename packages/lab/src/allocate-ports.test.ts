import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { allocatePorts } from "./allocate-ports.ts";

test("ports in use and reserved ports are passed over", async () => {
  const ports = await allocatePorts(3, new Set([22_001]), async (port) => port !== 22_002);
  assert.deepEqual(ports, [22_000, 22_003, 22_004]);
});

test("too few ports are an error that says how many there are", async () => {
  await assert.rejects(
    allocatePorts(2, new Set(), async (port) => port === 28_999),
    (error) => error instanceof AshlarError && error.code === "unavailable" && error.message.endsWith("found 1"),
  );
});

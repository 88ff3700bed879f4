import assert from "node:assert/strict";
import { test } from "node:test";
import { serverNow } from "./server-clock.ts";

const DAY_MS = 86_400_000;

test("only what has passed since the answer counts, by the clock that says more", () => {
  for (const skewMs of [0, DAY_MS, -DAY_MS]) {
    const received = { serverMs: 1000, monotonicMs: 50, wallMs: 1000 + skewMs };
    assert.equal(serverNow(received, 50, received.wallMs), 1000);
    assert.equal(serverNow(received, 5050, received.wallMs + 5000), 6000);
    // The machine has slept.
    assert.equal(serverNow(received, 51, received.wallMs + DAY_MS), 1000 + DAY_MS);
    // The clock was set back.
    assert.equal(serverNow(received, 5050, received.wallMs - DAY_MS), 6000);
    assert.equal(serverNow(received, 40, received.wallMs - DAY_MS), 1000);
  }
});

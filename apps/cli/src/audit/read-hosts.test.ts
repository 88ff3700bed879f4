import assert from "node:assert/strict";
import { test } from "node:test";
import { hostsOf } from "./read-hosts.ts";
import { timeLeft } from "./words.ts";

test("a list of hosts", () => {
  assert.deepEqual(hostsOf("a\n  admin@b  # the other\n\n#c\nssh://d:22\n", "f"), ["a", "admin@b", "ssh://d:22"]);
  assert.throws(() => hostsOf("a\nb c\n", "f"), /one host on line 2 of f, found "b c"/u);
  assert.throws(() => hostsOf("-oProxyCommand=x\n", "f"), /line 1/u);
  assert.throws(() => hostsOf("# none\n", "f"), /found none/u);
});

test("how long it will take is told from how long it took", () => {
  assert.equal(timeLeft(5, 20, 60_000), "; about 3:00 left");
  assert.equal(timeLeft(20, 20, 60_000), "");
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { MAX_INPUT_BYTES, mutate } from "./mutate.ts";
import { seededRandom } from "./random.ts";
import { TARGETS } from "./targets.ts";
import { tryInput } from "./try-input.ts";

test("a seed stands for one input, and different seeds for different ones", () => {
  const seeds = [Buffer.from("a valid input, long enough to change"), Buffer.alloc(300, 7)];
  const inputs = Array.from({ length: 2000 }, (_, seed) => Buffer.from(mutate(seeds, seededRandom(seed))));
  for (const [seed, input] of inputs.entries()) {
    assert.deepEqual(Buffer.from(mutate(seeds, seededRandom(seed))), input);
    assert.ok(input.length <= MAX_INPUT_BYTES);
  }
  assert.ok(new Set(inputs.map((input) => input.toString("hex"))).size > 1800);
  assert.equal(seeds[0]?.toString(), "a valid input, long enough to change");
});

test("every target accepts one of its seeds at least, and fails with none", () => {
  for (const { name, seeds, parse } of TARGETS) {
    const outcomes = seeds.map((seed) => tryInput(parse, seed));
    assert.ok(outcomes.includes("accepted"), `${name}: ${JSON.stringify(outcomes)}`);
    assert.ok(
      outcomes.every((outcome) => typeof outcome === "string"),
      `${name}: ${JSON.stringify(outcomes)}`,
    );
  }
});

test("what no input may do is noticed", () => {
  const bytes = Uint8Array.of(1);
  const outcomeOf = (parse: () => unknown): unknown => tryInput(parse, bytes);
  assert.equal(
    outcomeOf(() => {
      throw new AshlarError("malformed", "no");
    }),
    "refused",
  );
  assert.match(JSON.stringify(outcomeOf(() => new Uint8Array(-1))), /threw RangeError/u);
  const kept: Buffer[] = [];
  assert.match(JSON.stringify(outcomeOf(() => kept.push(Buffer.alloc(100e6)))), /allocated \d{8,9} bytes/u);
  const much = Buffer.alloc(1e6);
  const busy = (): void => {
    for (const { user } = process.threadCpuUsage(); process.threadCpuUsage().user - user < 1.01e6;)
      createHash("sha256").update(much).digest();
  };
  assert.match(JSON.stringify(outcomeOf(busy)), /took \d\.\d+ s/u);
});

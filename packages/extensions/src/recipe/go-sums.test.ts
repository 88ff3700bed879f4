import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { parseGoSums } from "./go-sums.ts";

const SUM = `h1:${"A".repeat(43)}=`;
const TEXT = `k8s.io/kubernetes v1.33.4 ${SUM}\nk8s.io/api v0.33.4 ${SUM}\n`;

test("modules with their versions and digests, the built one first", () => {
  assert.deepEqual(parseGoSums(TEXT, "test.sum"), [
    { path: "k8s.io/kubernetes", version: "v1.33.4", sum: SUM },
    { path: "k8s.io/api", version: "v0.33.4", sum: SUM },
  ]);
});

test("malformed: nothing, half a line, another kind of digest, a path that leaves its place, too much", () => {
  for (const text of ["", "k8s.io/api v0.33.4\n", TEXT.replace("h1:", "h2:"), TEXT.replace("k8s.io/api", "../api")]) {
    assert.throws(() => parseGoSums(text, "test.sum"), { code: "malformed" }, text);
  }
  assert.throws(() => parseGoSums(TEXT.replace("v0.33.4", "../x"), "test.sum"), /test\.sum, line 2/u);
  assert.throws(() => parseGoSums("\n".repeat(70_000), "test.sum"), { code: "limit" });
});

test("fuzz: modules or an AshlarError", () => {
  fc.assert(
    fc.property(fc.nat(TEXT.length), fc.string({ maxLength: 12 }), fc.nat(20), (at, text, removed) => {
      try {
        assert.ok(parseGoSums(TEXT.slice(0, at) + text + TEXT.slice(at + removed), "test.sum").length > 0);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});

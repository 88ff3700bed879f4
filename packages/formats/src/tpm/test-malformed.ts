import assert from "node:assert/strict";
import { AshlarError, type ErrorCode } from "@ashlar/base";
import fc from "fast-check";

/** A copy of `bytes` with `replacement` written over it at `offset`. */
export function patched(bytes: Uint8Array, offset: number, ...replacement: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(replacement, offset);
  return copy;
}

export function joined(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))));
}

/** Asserts an AshlarError with this code whose message matches. */
export function refuses(work: () => unknown, message: RegExp, code: ErrorCode = "malformed"): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof AshlarError, `expected an AshlarError, found ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** Asserts that every proper prefix, and one byte more, are refused. */
export function refusesEveryOtherLength(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  for (let length = 0; length < bytes.length; length++) {
    refuses(() => parse(bytes.subarray(0, length)), /needs|expected/u);
  }
  refuses(() => parse(joined(bytes, Uint8Array.of(0))), /expected the end|needs/u);
}

/** Asserts that for mutations of the seeds, and for noise, only a value or an AshlarError comes out. */
export function survivesAnything(parse: (bytes: Uint8Array) => unknown, seeds: readonly Uint8Array[]): void {
  const mutation = fc.record({ offset: fc.nat(10_000), removed: fc.nat(8), inserted: fc.uint8Array({ maxLength: 8 }) });
  const mutated = fc.tuple(fc.constantFrom(...seeds), fc.array(mutation, { maxLength: 6 })).map(([seed, mutations]) =>
    mutations.reduce((bytes, { offset, removed, inserted }) => {
      const start = offset % (bytes.length + 1);
      return joined(bytes.subarray(0, start), inserted, bytes.subarray(start + removed));
    }, seed),
  );
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 512 })), (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
}

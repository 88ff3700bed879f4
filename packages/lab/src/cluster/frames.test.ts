import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AshlarError } from "@ashlar/base";
import { MAX_FRAME_BYTES, PREFIX_BYTES, splitFrames } from "./frames.ts";

function framed(frame: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
}

test("frames come out as they went in, however the stream is cut", () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 30 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(framed));
      const received: Buffer[] = [];
      let rest: Buffer = Buffer.alloc(0);
      for (let start = 0, turn = 0; start < stream.length; turn++) {
        const end = start + 1 + (cuts[turn % cuts.length] ?? 0);
        const split = splitFrames(Buffer.concat([rest, stream.subarray(start, end)]));
        received.push(...split.frames);
        ({ rest } = split);
        start = end;
      }
      assert.deepEqual(received, sent.map(framed));
      assert.equal(rest.length, 0);
    }),
  );
});

test("whatever a machine sends, less than one frame is kept of it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      try {
        assert.ok(splitFrames(Buffer.from(bytes)).rest.length < PREFIX_BYTES + MAX_FRAME_BYTES);
      } catch (error) {
        assert.ok(error instanceof AshlarError && error.code === "limit");
      }
    }),
  );
});

test("the longest frame is taken, a longer one is refused before it has come", () => {
  assert.equal(splitFrames(framed(Buffer.alloc(MAX_FRAME_BYTES))).frames.length, 1);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(MAX_FRAME_BYTES + 1);
  assert.throws(() => splitFrames(prefix), /expected a frame of at most 65549 bytes, found one of 65550/u);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { answers, isUnmemorable, nameError, parseDnsQuery } from "./dns-message.ts";

/** Header, question for a name, its type A and class IN, and as systemd-resolved does an OPT record. */
function queryFor(labels: readonly string[], { flags = 0x0120, tail = "00010001" } = {}): Buffer {
  const name = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const header = Buffer.from(`beef${flags.toString(16).padStart(4, "0")}0001000000000001`, "hex");
  const opt = Buffer.from("0000290200000080000000", "hex");
  return Buffer.concat([header, ...name, Buffer.from([0]), Buffer.from(tail, "hex"), opt]);
}

test("the answer that there is no such name repeats the question, and may be remembered for a minute", () => {
  const query = queryFor(["ntp", "example"]);
  const answer = nameError(parseDnsQuery(query));
  assert.equal(
    answer.toString("hex"),
    // QR, RD, RA, NXDOMAIN; one question, one authority, one additional record.
    "beef81830001000000010001" +
      "036e7470076578616d706c650000010001" +
      "00" + // the root
      "000600010000003c0016" +
      "0000" +
      "00000000000000000000000000000000" +
      "0000003c" +
      "00002904d0000000000000",
  );
  assert.ok(answers(answer, parseDnsQuery(query)));
  assert.ok(!answers(query, parseDnsQuery(query)));
  assert.ok(!isUnmemorable(answer));
});

test("without EDNS the answer has none", () => {
  const query = queryFor(["a"]);
  query.writeUInt16BE(0, 10);
  const answer = nameError(parseDnsQuery(query));
  assert.equal(answer.readUInt16BE(10), 0);
  assert.ok(answer.toString("hex").endsWith("0000003c"));
});

test("what is no query with one question is refused", () => {
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(11), /at least 12 bytes, found 11/u],
    [queryFor(["a"], { flags: 0x8180 }), /a query, found a response/u],
    [Buffer.alloc(12), /one question, found 0/u],
    [queryFor(["a".repeat(64)]), /at most 63 bytes, found 64/u],
    [queryFor(Array.from({ length: 5 }, () => "a".repeat(63))), /at most 255 bytes/u],
    [queryFor(["a"]).subarray(0, 14), /a name that ends/u],
    [queryFor(["a"]).subarray(0, 18), /19 bytes of header and question, found 18/u],
    // A pointer to itself (section 4.1.4).
    [Buffer.concat([queryFor([]).subarray(0, 12), Buffer.from("c00c00010001", "hex")]), /at most 63 bytes/u],
  ];
  for (const [message, expected] of cases) {
    assert.throws(() => parseDnsQuery(message), { name: "AshlarError", code: "malformed", message: expected });
  }
});

test("any bytes give a query or a refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const message = Buffer.from(bytes);
      if (message.length > 5) message.writeUInt16BE(1, 4);
      if (message.length > 3) message[2] = (message[2] ?? 0) & 0x7f;
      try {
        const query = parseDnsQuery(message);
        assert.ok(nameError(query).length <= 12 + 259 + 33 + 11);
      } catch (error) {
        assert.ok(error instanceof AshlarError);
      }
    }),
  );
});

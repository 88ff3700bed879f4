import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "@ashlar/host";
import { AshlarError } from "@ashlar/base";
import { reportFailure } from "./failure.ts";

test("a missing program has the hint of this machine, unless the error knows better", async (context) => {
  const { mock } = context.mock.method(process.stderr, "write", () => true);
  const missing = await run("no-such-program-here", []).catch((error: unknown) => error);
  assert.equal(reportFailure(missing), 69);
  assert.equal(reportFailure(new AshlarError("privilege", "no root", { hint: "use sudo" })), 77);
  assert.equal(reportFailure(new AshlarError("failed", "it broke")), 69);
  assert.deepEqual(
    mock.calls.map((call) => call.arguments),
    [
      ["error: the program no-such-program-here is not installed\n"],
      ["hint: run `./ashlar setup` to install what Ashlar needs\n"],
      ["error: no root\n"],
      ["hint: use sudo\n"],
      ["error: it broke\n"],
    ],
  );
});

test("what nobody expected keeps its stack trace, and has a status of its own", (context) => {
  const { mock } = context.mock.method(process.stderr, "write", () => true);
  assert.equal(reportFailure(new TypeError("x is not a function")), 70);
  const text = mock.calls.map((call) => String(call.arguments[0])).join("");
  assert.match(text, /TypeError: x is not a function\n {4}at [^]*this is a bug in Ashlar/u);
});

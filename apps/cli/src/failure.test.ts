import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "@ashlar/host";
import { AshlarError } from "@ashlar/base";
import { reportFailure } from "./failure.ts";

test("a missing program has the hint of this machine, unless the error knows better", async (context) => {
  const { mock } = context.mock.method(console, "error", () => undefined);
  const missing = await run("no-such-program-here", []).catch((error: unknown) => error);
  assert.equal(reportFailure(missing), 3);
  assert.equal(reportFailure(new AshlarError("missing-tool", "no root", { hint: "use sudo" })), 3);
  assert.equal(reportFailure(new AshlarError("failed", "it broke")), 1);
  assert.deepEqual(
    mock.calls.map((call) => call.arguments),
    [
      ["error: the program no-such-program-here is not installed"],
      ["hint: run `./ashlar setup` to install what Ashlar needs"],
      ["error: no root"],
      ["hint: use sudo"],
      ["error: it broke"],
    ],
  );
});

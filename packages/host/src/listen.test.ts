import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { closeServer, listen } from "./listen.ts";
import { withTemporaryDirectory } from "./temporary-directory.ts";

test("what cannot be listened on is named; a socket file that was left is replaced", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "socket");
    writeFileSync(path, "left");
    const [first, second] = [createServer(), createServer()];
    await listen(first, { path });
    await closeServer(first);
    await listen(first, { host: "127.0.0.1", port: 0 });
    const address = first.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const taken = { code: "conflict", message: new RegExp(`^cannot listen on ${port}: `, "u"), hint: "take another" };
    await assert.rejects(listen(second, { host: "127.0.0.1", port }, "take another"), taken);
    await closeServer(first);
    await assert.rejects(listen(second, { path: join(directory, "none/socket") }), { code: "usage" });
  });
});

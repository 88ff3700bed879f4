import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { buildAgentExecutable } from "./agent-executable.ts";

const skip = needs("strip");

/** Debuggers' symbols of Node alone are 33 MB, and `/usr` has a budget. */
const MAX_SIZE_BYTES = 120_000_000;

await test("the executable has the same bytes each time, starts and answers", { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-executable-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [first, second] = await Promise.all(
    ["first", "second"].map(async (name) => await buildAgentExecutable({ out: join(directory, name) })),
  );
  assert.equal(first?.sha256, second?.sha256);
  const executable = join(directory, "first");
  assert.ok(statSync(executable).size < MAX_SIZE_BYTES);

  await t.test("it knows its version, whatever NODE_OPTIONS says", () => {
    const { stdout } = spawnSync(executable, ["--version"], {
      encoding: "utf8",
      env: { NODE_OPTIONS: "--no-such-option" },
    });
    assert.match(stdout, /^ashlar \d+\.\d+\.\d+\n$/u);
  });

  await t.test("wrong usage ends with status 64, a message and a hint", () => {
    const wrong = spawnSync(executable, ["agent", "--no-such-option"], { encoding: "utf8" });
    assert.equal(wrong.status, 64);
    assert.match(wrong.stderr, /^error: .*\nhint: /u);
  });

  await t.test("it answers on the socket that it was given and idles out", async () => {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    // Node has no public way to a socket's descriptor.
    const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const command = ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", executable, "agent", "--idle-timeout", "1"];
    const agent = spawn("sh", command, {
      stdio: ["ignore", "ignore", "inherit", fd],
      env: { PATH: process.env["PATH"], LISTEN_FDS: "1", LISTEN_FDNAMES: "https", RUNTIME_DIRECTORY: directory },
    });
    listener.close();
    const outgoing = request({ port, host: "127.0.0.1", path: "/", agent: false, rejectUnauthorized: false }).end();
    const [incoming] = await once(outgoing, "response");
    assert.equal(incoming.resume().statusCode, 404);
    // What MemoryDenyWriteExecute= would have refused: executable memory that is not a mapped file.
    const mappings = readFileSync(`/proc/${agent.pid}/maps`, "utf8").split("\n");
    assert.ok(mappings.length > 10);
    assert.deepEqual(
      mappings.filter((mapping) => /^\S+ ..x/u.test(mapping) && !/ (?:\/|\[vdso\]|\[vsyscall\])/u.test(mapping)),
      [],
    );
    const [status] = await once(agent, "exit");
    assert.equal(status, 0);
  });
});

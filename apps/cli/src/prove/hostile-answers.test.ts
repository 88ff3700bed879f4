/** Whoever answers at a node's address writes text of a verdict, and nothing else on the terminal of who asks. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";

const directory = mkdtempSync(join(tmpdir(), "ashlar-hostile-"));
after(() => rmSync(directory, { recursive: true, force: true }));
writeFileSync(join(directory, "manifest.json"), JSON.stringify(testRelease("1.0.0")));
writeFileSync(join(directory, "class.ign"), "{}");

const IDENTITY = execFileSync(
  "openssl",
  ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=n", "-keyout", "-"],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);

const DRAWING =
  "\r\u001b[2K\u001b[1A127.0.0.1  proven\n1 node, 1 identity: all proven\u001b[8m\u001b]0;x\u0007\u009b2K\u202e\u2029 https://u:secret@h/";

/** Everything but what is for reading, and the line ends of the program itself. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u;

const BODIES: Readonly<Record<string, readonly [number, string]>> = {
  "a refusal that is none": [500, DRAWING],
  "a refusal": [500, JSON.stringify({ error: { code: "x", message: DRAWING, hint: DRAWING } })],
  "no JSON": [200, DRAWING],
  "a member of no schema": [200, JSON.stringify({ ak: "AA==", [DRAWING]: 1 })],
  "a member of the wrong shape": [200, JSON.stringify({ ak: DRAWING, ekCertificate: "AA==", ekPublic: "AA==" })],
  "a certificate": [
    200,
    JSON.stringify({ ak: "AA==", ekPublic: "AA==", ekCertificate: Buffer.from(DRAWING).toString("base64") }),
  ],
};

for (const [what, [status, body]] of Object.entries(BODIES)) {
  for (const more of [[], ["--json"]]) {
    test(`${what} is text${more.length === 0 ? "" : ", in JSON too"}`, async () => {
      await using server = createServer({ key: IDENTITY, cert: IDENTITY }, (request, response) => {
        request.resume();
        response.writeHead(status).end(body);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const { output, code } = await prove("--nodes", `https://127.0.0.1:${port}`, ...more);
      server.closeAllConnections();
      assert.doesNotMatch(output, UNPRINTABLE);
      assert.doesNotMatch(output, /secret/u);
      // The drawing's second line is no line of the table.
      assert.doesNotMatch(output, /^1 node, 1 identity: all proven/mu);
      assert.ok(code === 1 || code === 2, output);
      if (more.length > 0) assert.doesNotThrow(() => JSON.parse(output.slice(output.indexOf("{"))));
    });
  }
}

async function prove(...args: readonly string[]): Promise<{ readonly output: string; readonly code: unknown }> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const declared = ["--image", directory, "--config", join(directory, "class.ign")];
  const state = ["--pins", join(directory, "pins.json")];
  // Output of both streams in the order in which a terminal shows it.
  const child = spawn(process.execPath, [main, "prove", ...declared, ...state, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let output = "";
  for (const stream of [child.stderr, child.stdout]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const [code]: unknown[] = await once(child, "close");
  return { output, code };
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test } from "node:test";
import { jsonAnswers } from "./json-answers.ts";

test("a client hears that the answer is still being made", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "ashlar-json-answers-"));
  const socketPath = join(directory.path, "socket");
  const answer = Promise.withResolvers<object>();
  const called = Promise.withResolvers<void>();
  const handle = async (): Promise<object> => {
    called.resolve();
    return await answer.promise;
  };
  mock.timers.enable({ apis: ["setInterval"] });
  await using server = createServer(jsonAnswers(new Map([["/", { GET: { handle } }]]), "some.service")).listen(
    socketPath,
  );
  await once(server, "listening");
  const outgoing = request({ socketPath, agent: false }).end();
  await called.promise;
  for (const _time of [1, 2]) {
    const heard = once(outgoing, "information");
    mock.timers.tick(15_000);
    assert.equal((await heard)[0].statusCode, 102);
  }
  answer.resolve({ done: true });
  const [incoming]: IncomingMessage[] = await once(outgoing, "response");
  assert.equal(incoming?.statusCode, 200);
  assert.deepEqual(await incoming?.toArray(), [Buffer.from('{"done":true}')]);
  mock.timers.reset();
});

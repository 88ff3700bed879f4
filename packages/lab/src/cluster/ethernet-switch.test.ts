import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { withTemporaryDirectory } from "@ashlar/host";
import { startEthernetSwitch } from "./ethernet-switch.ts";
import { PREFIX_BYTES, splitFrames } from "./frames.ts";

const EVERYBODY = "ffffffffffff";
const [A, B, C] = ["020000000001", "020000000002", "020000000003"] as const;

/** A machine's card: what it receives, without the prefixes. */
class Card {
  readonly received: string[] = [];
  readonly socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = splitFrames(Buffer.concat([this.#rest, chunk]));
      this.received.push(...frames.map((each) => each.toString("hex", PREFIX_BYTES)));
      this.#rest = rest;
    });
  }

  static async connect(path: string): Promise<Card> {
    const card = new Card(createConnection({ path }));
    await once(card.socket, "connect");
    return card;
  }

  send(text: string): void {
    const bytes = Buffer.from(text, "hex");
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(bytes.length);
    this.socket.write(Buffer.concat([prefix, bytes]));
  }

  /** Waits for a frame, and gives those before it. */
  async until(text: string): Promise<string[]> {
    while (!this.received.includes(text)) await sleep(2);
    return this.received.splice(0);
  }
}

function frame(to: string, from: string, payload: string): string {
  return `${to}${from}0800${payload}`;
}

async function withSwitch(work: (path: string, problems: readonly string[]) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const socketPath = join(directory, "switch");
    const problems: string[] = [];
    const running = await startEthernetSwitch({ socketPath, onProblem: (message) => problems.push(message) });
    try {
      await work(socketPath, problems);
    } finally {
      await running.close();
    }
  });
}

test("a frame goes to everybody until it is known where its receiver is, then to that one alone", async () => {
  await withSwitch(async (path) => {
    const [a, b, c] = [await Card.connect(path), await Card.connect(path), await Card.connect(path)];
    a.send(frame(B, A, "01"));
    assert.deepEqual(await b.until(frame(B, A, "01")), [frame(B, A, "01")]);
    assert.deepEqual(await c.until(frame(B, A, "01")), [frame(B, A, "01")]);
    b.send(frame(A, B, "02"));
    await a.until(frame(A, B, "02"));
    a.send(frame(B, A, "03"));
    a.send(frame(EVERYBODY, A, "04"));
    assert.deepEqual(await b.until(frame(EVERYBODY, A, "04")), [frame(B, A, "03"), frame(EVERYBODY, A, "04")]);
    assert.deepEqual(await c.until(frame(EVERYBODY, A, "04")), [frame(EVERYBODY, A, "04")], "not what was B's");
    assert.deepEqual(a.received, [], "nothing of its own");
  });
});

test("an address moves with its machine", async () => {
  await withSwitch(async (path) => {
    const [a, old, other] = [await Card.connect(path), await Card.connect(path), await Card.connect(path)];
    old.send(frame(EVERYBODY, B, "01"));
    await a.until(frame(EVERYBODY, B, "01"));
    const moved = await Card.connect(path);
    moved.send(frame(EVERYBODY, B, "02"));
    await a.until(frame(EVERYBODY, B, "02"));
    a.send(frame(B, A, "03"));
    await moved.until(frame(B, A, "03"));
    moved.socket.destroy();
    await once(moved.socket, "close");
    // Its place is forgotten: everybody gets it again.
    while (!other.received.includes(frame(B, A, "04"))) {
      a.send(frame(B, A, "04"));
      await sleep(5);
    }
  });
});

test("a machine that sends what is no frame is disconnected; the others go on", async () => {
  await withSwitch(async (path, problems) => {
    const [a, b, bad] = [await Card.connect(path), await Card.connect(path), await Card.connect(path)];
    bad.socket.write(Buffer.from("ffffffff", "hex"));
    await once(bad.socket, "close");
    assert.match(problems.join("\n"), /^disconnected a machine: expected a frame of at most 65549 bytes/u);
    a.send("0102");
    a.send(frame(EVERYBODY, A, "01"));
    assert.deepEqual(await b.until(frame(EVERYBODY, A, "01")), [frame(EVERYBODY, A, "01")], "a runt is not passed on");
  });
});

test("a machine with more addresses than any has does not push out what is known", async () => {
  await withSwitch(async (path) => {
    const [a, b, c] = [await Card.connect(path), await Card.connect(path), await Card.connect(path)];
    b.send(frame(EVERYBODY, B, "01"));
    await a.until(frame(EVERYBODY, B, "01"));
    for (let number = 0; number < 1000; number++) {
      a.send(frame(EVERYBODY, `0600${number.toString(16).padStart(8, "0")}`, "02"));
    }
    a.send(frame(B, A, "03"));
    await b.until(frame(B, A, "03"));
    c.send(frame(B, C, "04"));
    c.send(frame(EVERYBODY, C, "05"));
    assert.deepEqual(await a.until(frame(EVERYBODY, C, "05")), [frame(EVERYBODY, C, "05")], "not what was B's");
  });
});

test("a machine that does not read loses frames; nobody waits for it and memory does not grow", async () => {
  await withSwitch(async (path) => {
    const [a, b, deaf] = [await Card.connect(path), await Card.connect(path), await Card.connect(path)];
    deaf.socket.pause();
    const before = process.memoryUsage().external;
    const large = "ab".repeat(60_000);
    for (let number = 0; number < 400; number++) {
      const text = frame(EVERYBODY, A, number.toString(16).padStart(4, "0") + large);
      a.send(text);
      await b.until(text);
    }
    assert.ok(process.memoryUsage().external - before < 16 * 2 ** 20, "400 frames have 24 MB");
  });
});

test("whatever machines send, the switch lives", async () => {
  await withSwitch(async (path) => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(chunks, async (sent) => {
        const wild = await Card.connect(path);
        for (const bytes of sent) wild.socket.write(bytes);
        wild.socket.end();
        await Promise.race([once(wild.socket, "close"), sleep(5)]);
        wild.socket.destroy();
      }),
      { numRuns: 100 },
    );
    const [a, b] = [await Card.connect(path), await Card.connect(path)];
    a.send(frame(EVERYBODY, A, "01"));
    assert.ok((await b.until(frame(EVERYBODY, A, "01"))).length > 0);
  });
});

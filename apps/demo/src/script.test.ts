import assert from "node:assert/strict";
import { test } from "node:test";
import { clock } from "@ashlar/host/terminal";
import { secondsOf } from "./demo-report.ts";
import { Script } from "./script.ts";

const outcome = (attempt: string) => ({ attempt, result: "as it must", held: true });

test("what is played beside others is reported, and its time counted once", async () => {
  const said: string[] = [];
  const script = new Script((line) => said.push(line));
  script.enter("attacks");
  const machine = Promise.withResolvers<void>();
  const beside = script.attemptBeside("Attack 4", async () => {
    await machine.promise;
    return outcome("boot");
  });
  await script.attempt("Attack 2", async () => [outcome("plant"), outcome("reboot")]);
  machine.resolve();
  await beside;
  const { acts, steps } = script.played;
  assert.deepEqual(
    acts.map(({ title, act, attempt }) => `${act}: ${title}: ${attempt}`),
    ["attacks: Attack 2: plant", "attacks: Attack 2: reboot", "attacks: Attack 4: boot"],
  );
  assert.equal(secondsOf([{ act: "attacks", title: "", startedAt: "", seconds: 7 }, ...steps.slice(1)]), 7);
  assert.match(
    said.join("\n"),
    /^\n== Attack 4 {2}\[0:00\]\n\n== Attack 2 {2}\[0:00\]\n {2}done in 0:00\n {2}held: as it must/u,
  );
});

test("what fails beside others is the failure of who waits for it, not of the process", async () => {
  const script = new Script(() => undefined);
  const beside = script.attemptBeside("Attack 4", async () => Promise.reject(new Error("no machine")));
  await new Promise(setImmediate);
  await assert.rejects(beside, /no machine/u);
});

test("an act that is played again replaces what it was", async () => {
  const first = new Script(() => undefined);
  for (const act of ["update", "kubelet"] as const) {
    first.enter(act);
    await first.attempt(act, async () => outcome(act));
    first.addRequests([{ at: "", answered: 1, second: 0, failed: 0 }]);
  }
  const again = new Script(() => undefined, first.played);
  again.forget("kubelet");
  assert.deepEqual(
    again.played.acts.map(({ act }) => act),
    ["update"],
  );
  assert.equal(again.played.steps.length, 1);
  assert.deepEqual(again.played.requests, [{ at: "", answered: 1, second: 0, failed: 0, act: "update" }]);
});

test("times", () => {
  assert.deepEqual([0, 59_600, 3_599_000].map(clock), ["0:00", "1:00", "59:59"]);
});

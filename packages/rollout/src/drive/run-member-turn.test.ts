import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import type { UpdateStatus } from "@ashlar/protocol";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import type { EvictionAnswer, Member, Pod } from "../cluster/member.ts";
import { testPod } from "../cluster/test-pod.ts";
import { TEST_GOAL } from "../turn/test-goal.ts";
import type { MemberAccess, PodList } from "./drain-member.ts";
import { runMemberTurn, type MemberTurnResult } from "./run-member-turn.ts";
import type { NodeAccess } from "./run-turn.ts";

/** A node, and what its cluster knows of it, in this process: all that is done to them is written down. */
class World {
  readonly done: string[] = [];
  status: UpdateStatus = testUpdateStatus({ version: "1.0.0", bootId: "a" });
  member: Member = { name: "node-1", isReady: true, readiness: "", cordon: "none", bootId: "a" };
  answer: EvictionAnswer = { kind: "accepted" };
  fallsBack = false;
  loggedIn = true;
  onEvict: () => void = () => undefined;
  onReboot: () => void = () => undefined;
  readonly pods: Pod[] = [testPod("web-1")];

  get node(): NodeAccess {
    return {
      name: "node-1",
      status: async () => this.status,
      prove: async () => undefined,
      proveNextBoot: async () => undefined,
      order: async () => (this.status = { ...this.status, staged: "1.1.0" }),
      reboot: async () => this.#reboot(),
    };
  }

  #reboot(): void {
    this.done.push(`reboot with ${this.pods.length} pods, ${this.member.cordon}`);
    this.onReboot();
    const failure = { version: "1.1.0", bootId: "b", at: "2026-11-22T12:00:00Z", check: "containerd", message: "" };
    const after = this.fallsBack ? { failures: [failure] } : { version: "1.1.0" };
    this.status = { ...this.status, ...after, staged: null, bootId: "b" };
    this.member = { ...this.member, bootId: "b" };
  }

  get access(): MemberAccess {
    const list: PodList = {
      items: this.pods,
      change: async () => {
        await sleep(5);
      },
      refresh: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
    return {
      name: "node-1",
      look: async () => {
        if (!this.loggedIn) throw new AshlarError("privilege", "the Node: 401: Unauthorized");
        return this.member;
      },
      cordon: async () => void (this.member = { ...this.member, cordon: "ours" }),
      uncordon: async () => {
        this.done.push("uncordon");
        if (this.member.cordon === "ours") this.member = { ...this.member, cordon: "none" };
      },
      pods: async () => list,
      evict: async (_, { rehearse }) => {
        if (rehearse) return this.answer;
        this.onEvict();
        if (this.answer.kind === "accepted") this.pods.pop();
        return this.answer;
      },
      askHook: async () => [],
      endHook: async () => undefined,
      budgetsOf: async () => ["web"],
    };
  }

  async turn(signal: AbortSignal = new AbortController().signal): Promise<MemberTurnResult> {
    return await runMemberTurn(this.node, TEST_GOAL, {
      member: this.access,
      policy: { timeoutMs: 100, graceSeconds: undefined, deleteEmptyDirs: false, force: false },
      resumed: false,
      beforeChange: async () => undefined,
      onEvent: () => undefined,
      pollMs: 1,
      signal,
    });
  }
}

test("drained, restarted, uncordoned, in this order", async () => {
  const world = new World();
  const { end, cluster } = await world.turn();
  assert.deepEqual(end, { kind: "done", how: "updated" });
  assert.deepEqual(world.done, ["reboot with 0 pods, ours", "uncordon"]);
  assert.deepEqual(cluster, { evicted: 1, blocked: [], cordoned: false, note: null });
});

test("a node that cannot be drained is not restarted, and gets its place back", async () => {
  const world = new World();
  world.answer = { kind: "budget", message: "needs 2 healthy pods and has 2", retryAfterMs: undefined };
  const { end, cluster, proven } = await world.turn();
  assert.ok(end.kind === "stop" && end.reason.code === "not-drained");
  assert.match(end.reason.message, /shop\/web-1: PodDisruptionBudget web: needs 2 healthy pods and has 2/u);
  assert.deepEqual(world.done, ["uncordon"]);
  assert.equal(world.member.cordon, "none");
  assert.equal(proven, "1.0.0");
  assert.deepEqual(
    cluster.blocked.map(({ name, budgets }) => ({ name, budgets })),
    [{ name: "web-1", budgets: ["web"] }],
  );
});

test("a node with a pod that may not be lost is told nothing; one that has the release already is none of it", async () => {
  const world = new World();
  world.pods.push(testPod("db-1", { emptyDirs: ["data"] }));
  const { end, cluster } = await world.turn();
  assert.ok(end.kind === "stop" && end.reason.code === "not-drained");
  assert.match(end.reason.message, /shop\/db-1: its emptyDir data would be lost: --delete-emptydir-data allows that/u);
  assert.deepEqual([world.status.staged, world.done, cluster.evicted], [null, [], 0]);
  world.status = testUpdateStatus({ version: "1.1.0", bootId: "a" });
  assert.deepEqual((await world.turn()).end, { kind: "done", how: "already" });
});

test("Ctrl-C while it is drained: uncordoned; after the order to restart: left as it is", async () => {
  const early = new World();
  const ending = new AbortController();
  early.answer = { kind: "busy", message: "", retryAfterMs: undefined };
  early.onEvict = () => ending.abort();
  await assert.rejects(early.turn(ending.signal), { code: "interrupted" });
  assert.deepEqual([early.done, early.member.cordon], [["uncordon"], "none"]);

  const late = new World();
  const reboots = new AbortController();
  late.member = { ...late.member, isReady: false };
  const turn = late.turn(reboots.signal);
  while (late.done.length === 0) await sleep(1);
  reboots.abort();
  await assert.rejects(turn, { code: "interrupted" });
  assert.deepEqual([late.done, late.member.cordon], [["reboot with 0 pods, ours"], "ours"]);
});

test("a node that somebody else has cordoned stays so", async () => {
  const world = new World();
  world.member = { ...world.member, cordon: "foreign" };
  const { end, cluster } = await world.turn();
  assert.equal(end.kind, "done");
  assert.deepEqual([world.done, cluster.cordoned], [["reboot with 0 pods, foreign"], true]);
  assert.match(cluster.note ?? "", /somebody else/u);
});

test("a login that has ended stops the rollout, and leaves what is known of the node", async () => {
  const world = new World();
  world.onReboot = () => void (world.loggedIn = false);
  const { end, cluster, proven } = await world.turn();
  assert.ok(end.kind === "stop" && end.reason.code === "not-ready");
  assert.equal(end.reason.message, "it may still be cordoned: the Node: 401: Unauthorized");
  assert.deepEqual([proven, cluster.cordoned], ["1.1.0", null]);

  const early = new World();
  early.loggedIn = false;
  const stopped = await early.turn();
  assert.ok(stopped.end.kind === "stop" && stopped.end.reason.code === "not-drained");
  assert.match(stopped.end.reason.message, /401: Unauthorized; it may still be cordoned/u);
});

test("a node that fell back stops the rollout, and serves on as what it is proven to be", async () => {
  const world = new World();
  world.fallsBack = true;
  const { end } = await world.turn();
  assert.ok(end.kind === "stop" && end.reason.code === "fell-back");
  assert.deepEqual(world.done, ["reboot with 0 pods, ours", "uncordon"]);
});

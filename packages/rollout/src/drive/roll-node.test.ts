import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import type { UpdateStatus } from "@ashlar/protocol";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import type { Hooks } from "../cluster/hooks.ts";
import type { EvictionAnswer, Member, Pod } from "../cluster/member.ts";
import { testPod } from "../cluster/test-pod.ts";
import type { NodeRecord } from "../fleet/fleet.ts";
import type { Job } from "../fleet/look-at-fleet.ts";
import type { NodeEvent } from "../fleet/transition.ts";
import { TEST_GOAL } from "../turn/test-goal.ts";
import type { MemberAccess, PodList } from "./drain-member.ts";
import { rollNode } from "./roll-node.ts";
import type { NodeAccess } from "./run-turn.ts";

const TURN: Job = { kind: "turn", mayRestart: true };
const HOME: Job = { kind: "turn", mayRestart: false };

/** A node, and what its cluster knows of it, in this process: all that is done and told is written down. */
class World {
  readonly done: string[] = [];
  status: UpdateStatus | undefined = testUpdateStatus({ version: "1.0.0", bootId: "a" });
  member: Member = { name: "node-1", isReady: true, readiness: "", cordon: "none", bootId: "a" };
  answer: EvictionAnswer = { kind: "accepted" };
  pods: Pod[] = [testPod("web-1")];
  problem: string | undefined;
  fallsBack = false;
  isRefused = false;
  /** Labels of checks that run. */
  readonly hooks: Set<string> = new Set();
  agrees: (label: string) => boolean = () => true;
  /** How often the API server does not answer when a check ends. */
  away = 0;
  onTell: (event: NodeEvent) => void = () => undefined;

  get node(): NodeAccess {
    const status = async (): Promise<UpdateStatus> => {
      if (this.status === undefined) throw new AshlarError("unavailable", "it does not answer");
      return this.status;
    };
    return {
      name: "node-1",
      status,
      prove: async () => this.problem,
      proveNextBoot: async () => undefined,
      order: async () => {
        this.done.push("order");
        this.status = { ...(await status()), staged: "1.1.0" };
        return this.status;
      },
      reboot: async () => {
        this.done.push(`reboot with ${this.pods.length} pods, ${this.member.cordon}`);
        this.restart();
      },
    };
  }

  restart(): void {
    const failure = { version: "1.1.0", bootId: "b", at: "2026-11-22T12:00:00Z", check: "containerd", message: "" };
    const after = this.fallsBack ? { failures: [failure] } : { version: "1.1.0" };
    this.status = { ...testUpdateStatus(), ...after, staged: null, bootId: "b" };
    this.member = { ...this.member, bootId: "b" };
  }

  get access(): MemberAccess {
    const pods = (): readonly Pod[] => this.pods;
    const list: PodList = {
      get items() {
        return pods();
      },
      change: async () => {
        await sleep(5);
      },
      refresh: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
    return {
      name: "node-1",
      look: async () => this.member,
      cordon: async () => void (this.member = { ...this.member, cordon: "ours" }),
      uncordon: async () => {
        this.done.push("uncordon");
        if (this.member.cordon === "ours") this.member = { ...this.member, cordon: "none" };
      },
      pods: async () => list,
      evict: async (_, { rehearse }) => {
        if (!rehearse && this.answer.kind === "accepted") this.pods = [];
        return this.answer;
      },
      askHook: async ({ label }) => {
        if (!this.hooks.has(label)) this.done.push(`begin ${label}`);
        this.hooks.add(label);
        return this.agrees(label) ? [] : [`${label}-ok`];
      },
      endHook: async ({ label }) => {
        this.away -= 1;
        if (this.away >= 0) throw new AshlarError("unavailable", "the API server is away");
        if (this.hooks.delete(label)) this.done.push(`end ${label}`);
      },
      budgetsOf: async () => ["web"],
    };
  }

  async roll(
    job: Job,
    change: Partial<NodeRecord> = {},
    signal: AbortSignal = new AbortController().signal,
    hooks: Hooks = {},
  ): Promise<void> {
    const record: NodeRecord = {
      name: "node-1",
      wave: "rest",
      state: "Draining",
      sinceMs: 0,
      message: "",
      drains: 0,
      ...change,
    };
    await rollNode(job, this.node, this.access, {
      goal: { ...TEST_GOAL, bootTimeoutMs: 300 },
      policy: { timeoutMs: 100, graceSeconds: undefined, deleteEmptyDirs: false, force: false },
      hooks,
      record,
      tell: async (event) => {
        this.onTell(event);
        this.done.push(textOf(event));
        return !(event.kind === "drained" && this.isRefused);
      },
      nowMs: () => 60_000,
      signal,
      pollMs: 1,
    });
  }
}

function textOf(event: NodeEvent): string {
  if (event.kind === "ended") return `ended ${event.how}`;
  if (event.kind === "reached") return event.state;
  return event.kind === "drained" ? `drained in ${event.bootId}` : event.kind;
}

test("it is written down that a node is drained, and in which boot, before it is told to restart", async () => {
  const world = new World();
  await world.roll(TURN);
  assert.deepEqual(world.done, [
    "order",
    "drained in a",
    "reboot with 0 pods, ours",
    "Proving",
    "Rejoining",
    "Uncordoning",
    "uncordon",
    "ended Done",
  ]);
});

test("a release is fetched without a restart; one that cannot be is said, and a node that is silent is asked again", async () => {
  const world = new World();
  await world.roll({ kind: "stage" }, { state: "Staging" });
  assert.deepEqual(world.done, ["order", "staged"]);
  const wrong = new World();
  wrong.problem = "class: expected a, found b";
  await wrong.roll({ kind: "stage" }, { state: "Staging" });
  assert.deepEqual(wrong.done, ["ended Failed"]);
});

test("a drain that does not end names what blocks it, and restarts nothing", async () => {
  const world = new World();
  const said: string[] = [];
  world.answer = { kind: "budget", message: "needs 2 healthy pods and has 2", retryAfterMs: undefined };
  world.onTell = (event) => void (event.kind === "waits" && said.push(event.message));
  await world.roll(TURN);
  assert.deepEqual(world.done, ["order", "waits", "ended Blocked"]);
  assert.deepEqual(said, ["shop/web-1: PodDisruptionBudget web: needs 2 healthy pods and has 2"]);
  assert.equal(world.member.cordon, "ours", "what was taken is given back by a job of its own");
  await world.roll({ kind: "give-back" }, { state: "Returning", returnsTo: "Blocked" });
  assert.deepEqual(world.done.slice(3), ["uncordon", "given-back"]);
});

test("what may not be written down is not done", async () => {
  const world = new World();
  world.isRefused = true;
  await world.roll(TURN);
  assert.deepEqual(world.done, ["order", "drained in a", "ended Blocked"]);
});

test("interrupted, it takes nothing back: what follows is decided by what is written down", async () => {
  const world = new World();
  const ending = new AbortController();
  world.onTell = ({ kind }) => void (kind === "drained" && ending.abort());
  await assert.rejects(world.roll(TURN, {}, ending.signal), { code: "interrupted" });
  assert.deepEqual([world.member.cordon, world.done.includes("uncordon")], ["ours", false]);
});

test("told, and not restarted: drained again and told again, for the same boot", async () => {
  const world = new World();
  world.member = { ...world.member, cordon: "ours" };
  await world.roll(TURN, { state: "Rebooting", restartedFrom: "a" });
  assert.deepEqual(world.done.slice(0, 3), ["order", "drained in a", "reboot with 0 pods, ours"]);
  assert.equal(world.done.at(-1), "ended Done");
});

test("told, and restarted since: it is not told again", async () => {
  const world = new World();
  world.member = { ...world.member, cordon: "ours" };
  world.restart();
  await world.roll(TURN, { state: "Rebooting", restartedFrom: "a" });
  assert.deepEqual(world.done, ["Proving", "Rejoining", "Uncordoning", "uncordon", "ended Done"]);
});

test("told, and the rollout has halted since: it is waited for, and comes home; held, it gets back what it had", async () => {
  const world = new World();
  world.member = { ...world.member, cordon: "ours" };
  const rolling = world.roll(HOME, { state: "Rebooting", restartedFrom: "a" });
  await sleep(50);
  assert.deepEqual(world.done, []);
  world.restart();
  await rolling;
  assert.deepEqual(world.done, ["Proving", "Rejoining", "Uncordoning", "uncordon", "ended Done"]);

  const held = new World();
  await held.roll(HOME, { state: "Held", restartedFrom: "a" });
  assert.deepEqual(held.done, ["ended Failed"]);
});

test("a node that fell back takes pods again as what it is; one that is not proven stays cordoned", async () => {
  const world = new World();
  world.fallsBack = true;
  await world.roll(TURN);
  assert.deepEqual(world.done.slice(-3), ["Uncordoning", "uncordon", "ended FellBack"]);
  const odd = new World();
  odd.onTell = ({ kind }) => void (kind === "drained" && (odd.problem = "kernel: expected a, found b"));
  await odd.roll(TURN);
  assert.deepEqual([odd.done.at(-1), odd.member.cordon], ["ended Held", "ours"]);
  odd.problem = undefined;
  odd.done.length = 0;
  await odd.roll(HOME, { state: "Held", restartedFrom: "a" });
  assert.deepEqual(odd.done, ["Proving", "Rejoining", "uncordon", "ended Done"]);
});

const HOOKS: Hooks = {
  beforeReboot: { label: "before", annotations: ["before-ok"] },
  afterReboot: { label: "after", annotations: ["after-ok"] },
};

test("others agree before anything is taken from a node, and before it takes pods again", async () => {
  const world = new World();
  await world.roll(TURN, { state: "BeforeReboot" }, undefined, HOOKS);
  assert.deepEqual(world.done, [
    "order",
    "begin before",
    "Draining",
    "end before",
    "drained in a",
    "reboot with 0 pods, ours",
    "Proving",
    "Rejoining",
    "AfterReboot",
    "begin after",
    "Uncordoning",
    "end after",
    "uncordon",
    "ended Done",
  ]);
});

test("who does not agree keeps a node as it is, in words, until somebody ends that", async () => {
  const world = new World();
  const ending = new AbortController();
  world.agrees = () => false;
  world.onTell = ({ kind }) => void (kind === "waits" && ending.abort());
  await assert.rejects(world.roll(TURN, { state: "BeforeReboot" }, ending.signal, HOOKS), { code: "interrupted" });
  assert.deepEqual(world.done, ["order", "begin before", "waits"]);
  assert.deepEqual([world.member.cordon, world.pods.length], ["none", 1]);
  const home = new World();
  const late = new AbortController();
  home.agrees = (label) => label === "before";
  home.onTell = ({ kind }) => void (kind === "waits" && late.abort());
  await assert.rejects(home.roll(TURN, { state: "BeforeReboot" }, late.signal, HOOKS), { code: "interrupted" });
  assert.deepEqual(home.done.slice(-3), ["AfterReboot", "begin after", "waits"]);
  assert.equal(home.member.cordon, "ours");
  // It is held after its time limit, and comes home as soon as they agree.
  home.agrees = () => true;
  home.done.length = 0;
  await home.roll(HOME, { state: "Held", restartedFrom: "a" }, undefined, HOOKS);
  assert.deepEqual(home.done, ["Proving", "Rejoining", "AfterReboot", "end after", "uncordon", "ended Done"]);
});

test("a check that was passed is not asked for again by whoever goes on, and leaves nothing behind", async () => {
  const drained = new World();
  drained.hooks.add("before");
  drained.away = 20;
  drained.agrees = (label) => label === "after";
  await drained.roll(TURN, { state: "Draining" }, undefined, HOOKS);
  assert.ok(!drained.done.includes("begin before") && drained.done.includes("end before"));
  const home = new World();
  home.restart();
  home.pods = [];
  home.member = { ...home.member, cordon: "ours" };
  home.hooks.add("after");
  home.agrees = () => false;
  await home.roll(TURN, { state: "Uncordoning", restartedFrom: "a" }, undefined, HOOKS);
  assert.deepEqual(home.done, ["Proving", "Rejoining", "end after", "uncordon", "ended Done"]);
  const back = new World();
  back.hooks.add("before");
  await back.roll({ kind: "give-back" }, { state: "Returning" }, undefined, HOOKS);
  assert.deepEqual(back.done, ["end before", "uncordon", "given-back"]);
});

import { createHash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import type { JobGate, OperatedCluster, PrometheusGate, RolloutGate, RolloutObject, SourceObject } from "@ashlar/kube";
import { closed, judgeQuery, judgeWebhook, quoted, type GateVerdict } from "../decide/gate-answers.ts";
import { gateServerOf, type GateServer } from "../decide/gate-server.ts";
import { askServer } from "./ask-server.ts";

export type GateContext = {
  readonly cluster: OperatedCluster;
  /** Of the operator's namespace, as they are now. */
  readonly secret: (name: string) => SourceObject | undefined;
  readonly rollout: RolloutObject;
  readonly point: string;
};

/** Reads a gate once. What cannot be read is closed, and says why. @throws AshlarError `interrupted` */
export async function readGate(gate: RolloutGate, context: GateContext, signal: AbortSignal): Promise<GateVerdict> {
  const { prometheus, webhook, job } = gate;
  const serverOf = (name: string): GateServer => gateServerOf(name, context.secret(name));
  try {
    if (prometheus !== undefined) return await askPrometheus(serverOf(prometheus.server), prometheus, signal);
    if (webhook !== undefined) {
      const asked = { path: "", contentType: "application/json", body: JSON.stringify(bodyOf(gate, context)) };
      return judgeWebhook(await askServer(serverOf(webhook.server), asked, webhook.timeoutSeconds * 1000, signal));
    }
    return job === undefined ? closed("it asks nothing") : await runJob(gate, job, context, signal);
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
    return closed(`it cannot be read: ${quoted(error.message)}`);
  }
}

async function askPrometheus(
  server: GateServer,
  { query, is, value, timeoutSeconds }: PrometheusGate,
  signal: AbortSignal,
): Promise<GateVerdict> {
  const asked = {
    path: "/api/v1/query",
    contentType: "application/x-www-form-urlencoded",
    body: new URLSearchParams({ query, timeout: `${timeoutSeconds}s` }).toString(),
  };
  return judgeQuery(await askServer(server, asked, timeoutSeconds * 1000, signal), is, value);
}

/** What a webhook is told. Who answers decides by it. */
function bodyOf({ name, before }: RolloutGate, { rollout, point }: GateContext): object {
  const { spec, status } = rollout;
  return {
    schema: "ashlar.gate/v1",
    gate: name,
    before,
    rollout: rollout.name,
    class: spec?.class,
    release: spec?.release,
    wave: status?.wave ?? null,
    done: status?.done ?? 0,
    total: status?.total ?? 0,
    point,
  };
}

const HASH_CHARACTERS = 20;

async function runJob(
  { name: gate }: RolloutGate,
  { namespace, cronJob }: JobGate,
  { cluster, rollout, point }: GateContext,
  signal: AbortSignal,
): Promise<GateVerdict> {
  const hash = createHash("sha256")
    .update(JSON.stringify([rollout.uid, gate, point]))
    .digest("hex");
  const name = `ashlar-gate-${hash.slice(0, HASH_CHARACTERS)}`;
  const annotations = { "ashlar.dev/rollout": rollout.name, "ashlar.dev/gate": gate, "ashlar.dev/point": point };
  const state = await cluster.runJob({ namespace, cronJob, name, annotations }, signal);
  if (state.kind === "succeeded") return { isOpen: true };
  if (state.kind === "running") return closed(`the Job ${namespace}/${name} runs`);
  return closed(`the Job ${namespace}/${name} has failed: ${quoted(state.message)}`);
}

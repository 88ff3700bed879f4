import { AshlarError, membersOf } from "@ashlar/base";
import type { ApiClient } from "./client/api-client.ts";

/** A Job that is made from the template of a CronJob, as `kubectl create job --from` does. */
export type GateJob = {
  readonly namespace: string;
  readonly cronJob: string;
  /** Of the Job: the same for the same question, so that it is asked once. */
  readonly name: string;
  /** Says for people what it is about. */
  readonly annotations: Readonly<Record<string, string>>;
};

export type GateJobState =
  | { readonly kind: "running" }
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly message: string };

/** How it is with a Job, which is made when there is none. @throws AshlarError */
export async function runGateJob(client: ApiClient, job: GateJob, signal: AbortSignal): Promise<GateJobState> {
  const { namespace, cronJob, name } = job;
  const of = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}`;
  const path = `${of}/jobs/${encodeURIComponent(name)}`;
  try {
    return stateOf(await client.json({ method: "GET", path, what: `the Job ${namespace}/${name}` }, signal));
  } catch (error) {
    if (!(error instanceof AshlarError && error.code === "not-found")) throw error;
  }
  const from = `${of}/cronjobs/${encodeURIComponent(cronJob)}`;
  const found = await client.json({ method: "GET", path: from, what: `the CronJob ${namespace}/${cronJob}` }, signal);
  const { spec, metadata } = membersOf(membersOf(membersOf(found)["spec"])["jobTemplate"]);
  const { labels, annotations } = membersOf(metadata);
  const manual = { "cronjob.kubernetes.io/instantiate": "manual" };
  const body = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels, annotations: { ...membersOf(annotations), ...manual, ...job.annotations } },
    spec,
  };
  await client.json({ method: "POST", path: `${of}/jobs`, body, what: `the Job ${namespace}/${name}` }, signal);
  return { kind: "running" };
}

/** Its conditions say how it has ended (batch/v1, JobStatus). */
function stateOf(object: unknown): GateJobState {
  const { conditions } = membersOf(membersOf(object)["status"]);
  const holding = (Array.isArray(conditions) ? conditions : [])
    .map((each: unknown) => membersOf(each))
    .filter(({ status }) => status === "True");
  if (holding.some(({ type }) => type === "Complete")) return { kind: "succeeded" };
  const failed = holding.find(({ type }) => type === "Failed");
  if (failed === undefined) return { kind: "running" };
  return { kind: "failed", message: `${String(failed["reason"])}: ${String(failed["message"])}` };
}

import { AshlarError } from "@ashlar/base";

/** Says which role helps who may not read what is asked for. */
export async function withRights<T>(
  work: Promise<T>,
  role: "ashlar-view" | "ashlar-rollouts" = "ashlar-view",
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "privilege") throw error;
    const hint = `ask for the ClusterRole ${role}, which \`kubectl apply -k deploy\` makes (deploy/operator/people.yaml)`;
    throw new AshlarError("privilege", error.message, { cause: error, hint });
  }
}

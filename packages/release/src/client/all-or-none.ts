import { AshlarError } from "@ashlar/base";

/**
 * Does things at the same time, and waits for all of them. As soon as one fails, the others are told to stop; what they say
 * then is of no interest.
 *
 * @throws what the first that failed has thrown
 */
export async function allOrNone<const Works extends readonly ((signal: AbortSignal) => Promise<unknown>)[]>(
  works: Works,
  outer: AbortSignal | undefined,
): Promise<Results<Works>> {
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(outer ? [outer] : [])]);
  const results = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(signal);
      } catch (error) {
        failure.abort();
        throw error;
      }
    }),
  );
  const errors = results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
  if (errors.length > 0) throw errors.find((error) => outer?.aborted === true || !isInterruption(error)) ?? errors[0];
  const values = results.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Array.map cannot say that it keeps a tuple's places
  return values as Results<Works>;
}

type Results<Works extends readonly ((signal: AbortSignal) => Promise<unknown>)[]> = {
  -readonly [Place in keyof Works]: Awaited<ReturnType<Works[Place]>>;
};

function isInterruption(error: unknown): boolean {
  return error instanceof AshlarError && error.code === "interrupted";
}

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
  const running = works.map(async (work) => {
    try {
      return await work(signal);
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  const all = Promise.all(running);
  await Promise.allSettled([all, ...running]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Array.map cannot say that it keeps a tuple's places
  return (await all) as Results<Works>;
}

type Results<Works extends readonly ((signal: AbortSignal) => Promise<unknown>)[]> = {
  -readonly [Place in keyof Works]: Awaited<ReturnType<Works[Place]>>;
};

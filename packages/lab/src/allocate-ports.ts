import { AshlarError } from "@ashlar/base";

/** Below the range that Linux gives to outgoing connections (32768 to 60999), above what servers usually take. */
const FIRST_PORT = 22_000;
const LAST_PORT = 28_999;

/**
 * Finds `count` ports, lowest first, that nobody listens on and that are not reserved.
 *
 * @throws AshlarError `unavailable` when there are not enough.
 */
export async function allocatePorts(
  count: number,
  reserved: ReadonlySet<number>,
  isFree: (port: number) => Promise<boolean>,
): Promise<number[]> {
  const ports: number[] = [];
  for (let port = FIRST_PORT; port <= LAST_PORT && ports.length < count; port++) {
    if (!reserved.has(port) && (await isFree(port))) ports.push(port);
  }
  if (ports.length < count) {
    throw new AshlarError(
      "unavailable",
      `expected ${count} free TCP ports between ${FIRST_PORT} and ${LAST_PORT}, found ${ports.length}`,
      { hint: "take down labs that are not needed (`ashlar lab list`)" },
    );
  }
  return ports;
}

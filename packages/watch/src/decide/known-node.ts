import type { Level, NamedVerdict } from "@ashlar/identity";

/** What is known of one node: all of it is on the disk. */
export type KnownNode = {
  readonly name: string;
  /** The last one that its answer gave; undefined before the first answer. */
  readonly verdict: NamedVerdict | undefined;
  /** When the question was asked that this verdict answers, milliseconds since 1970. */
  readonly provedAtMs: number | undefined;
  /** When it was asked last, whether it has answered or not. */
  readonly askedAtMs: number | undefined;
  /** How often in a row it has not answered. */
  readonly silences: number;
  /** Why it has not answered, the last time. */
  readonly silence: string | undefined;
  /** The level that others were told last. */
  readonly toldLevel: Level | undefined;
};

export function unknownNode(name: string): KnownNode {
  const never = { verdict: undefined, provedAtMs: undefined, askedAtMs: undefined, toldLevel: undefined };
  return { name, ...never, silences: 0, silence: undefined };
}

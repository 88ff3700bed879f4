import { AshlarError } from "@ashlar/base";

type Bounds = { readonly least: number; readonly most: number };

/** For an option's value: a whole number of seconds. */
export function parseSeconds(option: string, { least, most }: Bounds): (text: string) => number {
  return (text) => {
    const seconds = /^[0-9]{1,9}$/u.test(text) ? Number(text) : -1;
    if (seconds >= least && seconds <= most) return seconds;
    throw new AshlarError(
      "usage",
      `expected a number of seconds from ${least} to ${most} after ${option}, found ${text}`,
    );
  };
}

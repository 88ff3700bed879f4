/** What differs between nodes that are as they should be, and so does not count. */
export type NoiseRule = {
  readonly name: string;
  /** Why that may differ: for people. */
  readonly reason: string;
  /** Patterns of paths, or of what is in effect, as `sysctl:kernel/random/*`. `*` stands for anything but `/`, `**` for anything. */
  readonly matches: readonly string[];
  /** `content`: owners, modes, set-uid and type still count, and so does whether it is there. */
  readonly ignores: "content" | "all";
};

/** Which rule takes this out, the first that does; undefined for what counts. */
export type NoiseFilter = (key: string, aspect: "content" | "mode") => NoiseRule | undefined;

export function noiseFilter(rules: readonly NoiseRule[]): NoiseFilter {
  const compiled = rules.map((rule) => ({ rule, matches: rule.matches.map(compilePattern) }));
  return (key, aspect) =>
    compiled.find(
      ({ rule, matches }) => (aspect === "content" || rule.ignores === "all") && matches.some((match) => match(key)),
    )?.rule;
}

/** Without regular expressions, which a pattern of many stars would keep busy for ever. */
function compilePattern(pattern: string): (text: string) => boolean {
  const [first = "", ...rest] = pattern.split(/(?<stars>\*{1,2})/u);
  if (rest.length === 0) return (text) => text === first;
  return (text) => text.startsWith(first) && matchesRest(text.slice(first.length), rest);
}

/**
 * `parts` are a star, a literal, a star, a literal and so on. The set of places where the text so far may end is carried along, so
 * that it takes at most the text's length for each part.
 */
function matchesRest(text: string, parts: readonly string[]): boolean {
  let places = [true, ...Array<boolean>(text.length).fill(false)];
  for (const part of parts) {
    if (part === "*" || part === "**") {
      let isOpen = false;
      places = places.map((place, index) => {
        if (part === "*" && text[index - 1] === "/") isOpen = false;
        isOpen ||= place;
        return isOpen;
      });
    } else if (part !== "") {
      places = places.map(
        (_, index) =>
          index >= part.length && places[index - part.length] === true && text.startsWith(part, index - part.length),
      );
    }
  }
  return places[text.length] === true;
}

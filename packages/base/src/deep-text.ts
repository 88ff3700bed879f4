export type DepthLimits = { readonly brackets: number; readonly indentation: number };

/**
 * Whether YAML or JSON goes deeper than this, told before a library reads it: libraries go into brackets and indented lines by
 * calling themselves. Also counts what stands in quotes and comments: no honest file has that many there either.
 */
export function isTooDeep(text: string, { brackets, indentation }: DepthLimits): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/gu)) {
    open = bracket === "[" || bracket === "{" ? open + 1 : Math.max(0, open - 1);
    if (open > brackets) return true;
  }
  return new RegExp(`^[-?:! \\t]{${indentation}}`, "mu").test(text);
}

/**
 * A member's name as Go's encoding/json compares it with a known one, and so whatever is written in Go: in any case, under
 * Unicode's simple folding (CaseFolding.txt, status C and S). All known names are ASCII, and of what is not ASCII only two
 * letters fold to it.
 */
export function foldName(name: string): string {
  return name.replaceAll("\u017F", "s").replaceAll("\u212A", "k").toLowerCase();
}

/** A text of somebody else's, whose URLs lose user and password: others may read what we say. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^\s/?#]{0,1000}@/gu, "://");
}

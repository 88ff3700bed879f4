/** The words that a node extends into PCR 13 before it applies its configuration, in this order. */
export const CONFIG_PARTS = ["class", "node"] as const;
export type ConfigPart = (typeof CONFIG_PARTS)[number];

export function configWord(part: ConfigPart, configSha256: string): string {
  return `ashlar-config-${part}:sha256:${configSha256}`;
}

const CONFIG_WORD = /^ashlar-config-(class|node):sha256:([0-9a-f]{64})$/u;

/** The part and digest that a word of PCR 13 names, or undefined when it is another word. */
export function parseConfigWord(word: string): { readonly part: ConfigPart; readonly sha256: string } | undefined {
  const [, name, digest] = CONFIG_WORD.exec(word) ?? [];
  const part = CONFIG_PARTS.find((candidate) => candidate === name);
  return part === undefined || digest === undefined ? undefined : { part, sha256: digest };
}

import { AshlarError, SHA256_HEX, SHA384_HEX } from "@ashlar/base";

/**
 * "node-1 DIGEST... node-2 DIGEST...", as given after --accept-firmware.
 *
 * @throws AshlarError `usage`
 */
export function parseAcceptedFirmware(words: readonly string[]): Map<string, readonly string[]> {
  const accepted = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const word of words) {
    if (SHA256_HEX.test(word) || SHA384_HEX.test(word)) {
      if (current === undefined) throw new AshlarError("usage", `${OPTION}, found ${word} without a node before it`);
      current.push(word);
    } else {
      current = accepted.get(word) ?? [];
      accepted.set(word, current);
    }
  }
  for (const [name, digests] of accepted) {
    if (digests.length > 0) continue;
    throw new AshlarError("usage", `${OPTION}, found no digest after ${name}`, {
      hint: `ashlar prove --show-firmware ${name} shows what it has measured`,
    });
  }
  return accepted;
}

const OPTION = "expected a node and digests of 64 hexadecimal digits (96 where SHA-256 is off) after --accept-firmware";

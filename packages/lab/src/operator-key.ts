import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { operatorPem, operatorPin } from "@ashlar/protocol";

/** Makes the key that gives a lab's nodes orders, and gives its pin. */
export async function makeOperatorKey(path: string): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(path, operatorPem(privateKey), { mode: 0o600, flag: "wx" });
  return operatorPin(publicKey);
}

import { readFileSync } from "node:fs";

const VECTORS = new URL("../../../../test/vectors/tpm/", import.meta.url);

/** A file that a real TPM, firmware or systemd wrote; the path is below test/vectors/tpm. */
export function vector(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(path, VECTORS)));
}

export function textVector(path: string): string {
  return readFileSync(new URL(path, VECTORS), "utf8");
}

/** The values of `pcrs.txt` beside a log: PCR number to lower-case hexadecimal. */
export function pcrVector(directory: string): Map<number, string> {
  const lines = textVector(`${directory}/pcrs.txt`).trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [, pcr = "", value = ""] = /^@@pcr (\d+) ([0-9A-F]{64})$/u.exec(line) ?? [];
      return [Number(pcr), value.toLowerCase()];
    }),
  );
}

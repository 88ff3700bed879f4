import { readFile } from "node:fs/promises";
import type { Key } from "node:readline";
import { AshlarError } from "@ashlar/base";

/** The passphrase of the private keys: from a file, or asked for once when a key needs it. */
export function createPassphraseSource(file: string | undefined): () => Promise<string> {
  let asked: Promise<string> | undefined;
  return async () => await (asked ??= file === undefined ? askPassphrase("Passphrase of the keys: ") : readLine(file));
}

/** For new keys: undefined when they shall have none. Asked for only where somebody can answer. */
export async function choosePassphrase(file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return await readLine(file);
  if (!process.stdin.isTTY) return undefined;
  const first = await askPassphrase("Passphrase for new keys (empty: none): ");
  if (first === "") return undefined;
  if (first === (await askPassphrase("The same again: "))) return first;
  throw new AshlarError("usage", "expected the same passphrase twice, found two different ones");
}

async function readLine(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new AshlarError("not-found", `cannot read the passphrase from ${path}`, { cause: error });
  });
  const [line = ""] = text.split("\n", 1);
  if (line !== "") return line;
  throw new AshlarError("usage", `expected a passphrase in the first line of ${path}, found nothing`);
}

/** Reads a line from the terminal without showing it. */
async function askPassphrase(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new AshlarError("usage", "a private key needs its passphrase, and there is no terminal to ask on", {
      hint: "give --passphrase-file FILE",
    });
  }
  const { emitKeypressEvents } = await import("node:readline");
  stderr.write(question);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const onKey = (character: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") reject(new AshlarError("interrupted", "interrupted"));
    else if (key.name === "return" || key.name === "enter") resolve(text);
    else if (key.name === "backspace") text = text.slice(0, -1);
    else if (key.ctrl !== true && key.meta !== true) text += character ?? "";
  };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true).on("keypress", onKey).resume();
  try {
    return await promise;
  } finally {
    stdin.off("keypress", onKey).setRawMode(false).pause();
    stderr.write("\n");
  }
}

import { createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import type { Key, Root } from "@tufjs/models";
import { KEY_NAMES, tufKeyOf, type KeyDirectory, type KeyName } from "@ashlar/keys";
import { type GoodKeys, goodKeys, MAX_KEYS_OF_ROLE } from "../publish/root-role.ts";
import { goodSigners } from "../publish/sign-role.ts";

/** What shall be different; without anything, a root role with the same keys and a new date. */
export type KeyChange = {
  /** The directory's own keys that a new one shall take the place of. */
  readonly replace?: readonly KeyName[];
  /** All that shall be good: files of public keys, or beginnings of identifiers of keys that are good now. */
  readonly keys?: Partial<Record<KeyName, readonly string[]>>;
  /** How many of the root keys sign together. */
  readonly rootThreshold?: number;
};

/**
 * Which keys shall be good, from those which are.
 *
 * @throws AshlarError `usage`, `not-found`, `malformed`, and what the directory throws when it makes a key
 */
export async function planKeys(
  keys: KeyDirectory,
  current: Root,
  change: KeyChange,
  choosePassphrase: () => Promise<string | undefined>,
): Promise<GoodKeys> {
  const good = goodKeys(current);
  const plan = { ...good };
  for (const name of KEY_NAMES) {
    const given = change.keys?.[name];
    if (given !== undefined) plan[name] = { ...good[name], keys: await readKeys(name, given, good) };
  }
  const threshold = change.rootThreshold ?? good.root.threshold;
  plan.root = { ...plan.root, threshold };
  if (threshold > plan.root.keys.length) {
    throw new AshlarError("usage", `expected at most ${plan.root.keys.length} as threshold of so many root keys`);
  }
  expectSpare(change, plan);
  for (const name of change.replace ?? []) {
    if (change.keys?.[name] !== undefined) {
      throw new AshlarError("usage", `expected either a new ${name} key here or a list of ${name} keys, found both`);
    }
    plan[name] = { ...plan[name], keys: await replaced(keys, current, name, plan[name].keys, choosePassphrase) };
  }
  return plan;
}

/** Whoever gives several root keys has to say how many of them sign: one of three would be less safe than one. */
function expectSpare({ keys, rootThreshold }: KeyChange, { root }: GoodKeys): void {
  if (keys?.root === undefined || rootThreshold !== undefined || root.keys.length === 1) return;
  throw new AshlarError("usage", `expected how many of the ${root.keys.length} root keys sign together`, {
    hint: "give --root-threshold, for example 2 of 3",
  });
}

async function replaced(
  keys: KeyDirectory,
  current: Root,
  name: KeyName,
  good: readonly Key[],
  choosePassphrase: () => Promise<string | undefined>,
): Promise<Key[]> {
  const own = new Set((await goodSigners(keys, current, name)).map(({ key }) => key.keyID));
  if (own.size === 0) {
    throw new AshlarError("not-found", `${keys.path} has no ${name} key of the repository that could be replaced`, {
      hint: `bring it, or say with --${name}-key which keys shall be good`,
    });
  }
  const { signer } = await keys.createNext(name, choosePassphrase);
  return [...good.filter(({ keyID }) => !own.has(keyID)), signer.key];
}

async function readKeys(name: KeyName, given: readonly string[], good: GoodKeys): Promise<Key[]> {
  const known = KEY_NAMES.flatMap((each) => good[each].keys);
  const found = new Map<string, Key>();
  for (const each of given) {
    const matches = /^[0-9a-f]{8,64}$/u.test(each) ? known.filter(({ keyID }) => keyID.startsWith(each)) : [];
    const key = matches.length === 1 && matches[0] !== undefined ? matches[0] : await readPublicKey(each);
    found.set(key.keyID, key);
  }
  if (found.size < given.length) throw new AshlarError("usage", `expected different ${name} keys, found one twice`);
  if (found.size > MAX_KEYS_OF_ROLE) {
    throw new AshlarError("usage", `expected at most ${MAX_KEYS_OF_ROLE} ${name} keys, found ${found.size}`);
  }
  return [...found.values()];
}

async function readPublicKey(path: string): Promise<Key> {
  const pem = await readFile(path).catch((error: unknown) => {
    throw new AshlarError("not-found", `${path} is no file, and no beginning of the identifier of a key in use`, {
      hint: "give the .pub file of `ashlar release make-key`; `ashlar release keys` shows identifiers",
      cause: error,
    });
  });
  let publicKey: KeyObject | undefined;
  try {
    // What is private is not read from here: it has no place in a list of public keys.
    publicKey = pem.includes("PRIVATE") ? undefined : createPublicKey(pem);
  } catch {
    // Said below.
  }
  if (publicKey?.asymmetricKeyType === "ed25519") return tufKeyOf(publicKey);
  throw new AshlarError("malformed", `${path}: expected a public key of type ed25519 in PEM`, {
    hint: "give the .pub file of `ashlar release make-key`",
  });
}

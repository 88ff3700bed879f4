/** The root role: which keys are good, and how many of them have to sign (TUF specification 1.0.31, sections 4.3 and 6.1). */
import { hash } from "node:crypto";
import { AshlarError, canonicalJson } from "@ashlar/base";
import { type Key, Metadata, MetadataKind, Root } from "@tufjs/models";
import { KEY_NAMES, createTufSigner, type KeyDirectory, type KeyName, type TufSigner } from "@ashlar/keys";
import { MAX_ROOT_BYTES, MAX_ROOTS } from "@ashlar/repository-index";
import { expiry, metadataBytes, SPEC_VERSION } from "./sign-role.ts";

/** Which roles a private key signs: `online.pem` two of them. */
export const ROLES_OF_KEY = { root: ["root"], targets: ["targets"], online: ["snapshot", "timestamp"] } as const;

/** Of each kind of key those that are good, and how many of them sign together. */
export type GoodKeys = Readonly<Record<KeyName, { readonly keys: readonly Key[]; readonly threshold: number }>>;

export const MAX_KEYS_OF_ROLE = 16;

/** A first root role, which names the keys of the directory. */
export async function signFirstRoot(keys: KeyDirectory, nowMs: number, days: number): Promise<Buffer> {
  const only = async (name: KeyName): Promise<{ signer: TufSigner; good: GoodKeys[KeyName] }> => {
    const signer = createTufSigner(await keys.signingKey(name));
    return { signer, good: { keys: [signer.key], threshold: 1 } };
  };
  const [root, targets, online] = [await only("root"), await only("targets"), await only("online")];
  const good = { root: root.good, targets: targets.good, online: online.good };
  const metadata = new Metadata(makeRoot(good, 1, expiry(nowMs, days)));
  metadata.sign(root.signer.sign);
  return metadataBytes(metadata);
}

/**
 * The same keys for some more time.
 *
 * @returns undefined when the keys of the directory are not enough
 */
export async function renewRoot(
  keys: KeyDirectory,
  bytes: Buffer,
  nowMs: number,
  days: number,
): Promise<Buffer | undefined> {
  const current = readRoot(bytes);
  const next = new Metadata(makeRoot(goodKeys(current.signed), current.signed.version + 1, expiry(nowMs, days)));
  for (const { sign } of await keys.signers("root")) next.sign(sign);
  return isSignedBy(current, "root", next) ? metadataBytes(next) : undefined;
}

/** @throws AshlarError `limit` when there are so many root roles that old machines would not follow them */
export function makeRoot(good: GoodKeys, version: number, expires: string): Root {
  if (version > MAX_ROOTS) {
    throw new AshlarError("limit", `expected at most ${MAX_ROOTS} root roles, and this is number ${version}`, {
      hint: "make a new repository, and images that trust it",
    });
  }
  const roles: Record<string, { keyids: string[]; threshold: number }> = {};
  const keys: Record<string, ReturnType<typeof jsonOf>> = {};
  for (const name of KEY_NAMES) {
    for (const key of good[name].keys) keys[key.keyID] = jsonOf(key);
    const keyids = good[name].keys.map(({ keyID }) => keyID);
    for (const role of ROLES_OF_KEY[name]) roles[role] = { keyids, threshold: good[name].threshold };
  }
  const common = { _type: "root", spec_version: SPEC_VERSION, version, expires, consistent_snapshot: true };
  return Root.fromJSON({ ...common, keys, roles });
}

/** A key as its identifier is made from (section 4.2). */
function jsonOf({ keyType, scheme, keyVal }: Key): { keytype: string; scheme: string; keyval: { public: string } } {
  return { keytype: keyType, scheme, keyval: { public: keyVal["public"] ?? "" } };
}

/** Of a root role that `ashlar release` has made: snapshot and timestamp have the same keys. */
export function goodKeys(root: Root): GoodKeys {
  const of = (role: string): GoodKeys[KeyName] => {
    const { keyIDs = [], threshold = 1 } = root.roles[role] ?? {};
    return { keys: keyIDs.flatMap((id) => root.keys[id] ?? []), threshold };
  };
  return { root: of("root"), targets: of("targets"), online: of("timestamp") };
}

/** Of our own file, or one that was checked. */
export function readRoot(bytes: Buffer): Metadata<Root> {
  return Metadata.fromJSON(MetadataKind.Root, JSON.parse(bytes.toString("utf8")));
}

/** Whether enough of the keys that `root` names for the role have signed. */
export function isSignedBy(
  root: Metadata<Root>,
  role: string,
  metadata: Parameters<Metadata<Root>["verifyDelegate"]>[1],
): boolean {
  try {
    root.verifyDelegate(role, metadata);
    return true;
  } catch {
    return false;
  }
}

/**
 * What has to hold of a root role that somebody else may have written, before it is shown or signed.
 *
 * @throws AshlarError `malformed`
 */
export function checkRoot(where: string, root: Root): void {
  const problem = rootProblem(root);
  if (problem !== undefined) throw new AshlarError("malformed", `${where}: ${problem}`);
}

function rootProblem(root: Root): string | undefined {
  const size = metadataBytes(new Metadata(root)).length;
  if (size > MAX_ROOT_BYTES / 2) return `expected a root role of at most ${MAX_ROOT_BYTES / 2} bytes, found ${size}`;
  if (!root.consistentSnapshot) return "expected a root role with consistent snapshots";
  for (const key of Object.values(root.keys)) {
    if (key.keyType !== "ed25519" || key.scheme !== "ed25519" || !isOwnId(key)) {
      return "expected keys of type ed25519, each under the digest of its canonical JSON";
    }
  }
  for (const role of ["root", "targets", "snapshot", "timestamp"]) {
    const { keyIDs = [], threshold = 0 } = root.roles[role] ?? {};
    const known = new Set(keyIDs.filter((id) => root.keys[id] !== undefined)).size;
    if (known !== keyIDs.length || known < 1 || known > MAX_KEYS_OF_ROLE || threshold < 1 || threshold > known) {
      return `expected for the role ${role} 1 to ${MAX_KEYS_OF_ROLE} keys and a threshold that they reach`;
    }
  }
  return undefined;
}

/** Two names for one key would count as two signatures. */
function isOwnId(key: Key): boolean {
  return key.keyID === hash("sha256", canonicalJson(jsonOf(key)));
}

import { AshlarError } from "@ashlar/base";
import { Metadata, type Root, type Snapshot, type Targets, type Timestamp } from "@tufjs/models";
import type { KeyDirectory, KeyName, TufSigner } from "@ashlar/keys";

export const SPEC_VERSION = "1.0.31";
const DAY_MS = 24 * 60 * 60 * 1000;

/** TUF has whole seconds. */
export function expiry(nowMs: number, days: number): string {
  return new Date(nowMs + days * DAY_MS).toISOString().replace(/\.\d+Z$/u, "Z");
}

/** Whether less than half of its life is left. */
export function isDue({ expires }: { readonly expires: string }, nowMs: number, days: number): boolean {
  return Date.parse(expires) - nowMs < (days * DAY_MS) / 2;
}

/** With what the roles below root are signed. */
export type Signers = Readonly<Record<"targets" | "online", () => Promise<readonly TufSigner[]>>>;

/**
 * The keys of a directory, as far as the root role names them: whatever a key that was taken back has signed, nodes refuse.
 *
 * @throws AshlarError (of its members) `not-found`, `untrusted` when there is only a key that was taken back
 */
export function signersFor(keys: KeyDirectory, root: Root): Signers {
  const of = (name: "targets" | "online") => async (): Promise<TufSigner[]> => {
    const signers = await goodSigners(keys, root, name);
    if (signers.length >= (roleOf(root, name)?.threshold ?? 1)) return signers;
    if (!(await keys.has(name))) await keys.signingKey(name);
    throw notGood(keys, name, root.version);
  };
  return { targets: of("targets"), online: of("online") };
}

/** Those that are here and good; perhaps none. */
export async function goodSigners(keys: KeyDirectory, root: Root, name: KeyName): Promise<TufSigner[]> {
  const good = new Set(roleOf(root, name)?.keyIDs);
  return (await keys.signers(name)).filter(({ key }) => good.has(key.keyID));
}

/** Snapshot and timestamp have the same keys. */
function roleOf(root: Root, name: KeyName): Root["roles"][string] | undefined {
  return root.roles[name === "online" ? "timestamp" : name];
}

function notGood({ path }: KeyDirectory, name: KeyName, version: number): AshlarError {
  return new AshlarError(
    "untrusted",
    `${path}/${name}.pem is no key of the repository any more: root role ${version}`,
    {
      hint: "it was replaced: bring the key that has taken its place; `ashlar release keys` shows which are good",
    },
  );
}

export function signedBytes(role: Targets | Snapshot | Timestamp, signers: readonly TufSigner[]): Buffer {
  const metadata = new Metadata<Targets | Snapshot | Timestamp>(role);
  for (const { sign } of signers) metadata.sign(sign);
  return metadataBytes(metadata);
}

export function metadataBytes(metadata: { toJSON(): object }): Buffer {
  return Buffer.from(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`);
}

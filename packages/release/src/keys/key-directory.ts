import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { writeFileAtomically } from "@ashlar/host";
import { createSumsKey, parseSumsKey, publicKeyring, type SumsKey } from "./sums-key.ts";

/**
 * The directory with a repository's private keys. `root.pem` says which keys are good and is needed when they change or
 * once a year; `targets.pem` signs what is published, `sums.pgp` the same for plain systemd-sysupdate; `online.pem` only
 * says that this is still the newest state, and is all that `release refresh` needs in the meantime.
 */
const FILES = { root: "root.pem", targets: "targets.pem", online: "online.pem" } as const;
const SUMS_FILE = "sums.pgp";
/** What images and nodes need of it: public. */
export const ROOT_FILE = "release-root.json";
export const KEYRING_FILE = "import-pubring.pgp";

export type KeyName = keyof typeof FILES;

/** Gives the passphrase; called when a key turns out to need it. */
export type AskPassphrase = () => Promise<string>;

export class KeyDirectory {
  readonly path: string;
  #ask: AskPassphrase;

  constructor(path: string, ask: AskPassphrase) {
    this.path = path;
    this.#ask = ask;
  }

  /**
   * Makes the keys that are missing.
   *
   * @param choose gives the passphrase for new keys, undefined for none; called when there is a key to make
   */
  async create(choose: () => Promise<string | undefined>): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await chmod(this.path, 0o700);
    const missing = await this.#missing();
    const passphrase = missing.length === 0 ? undefined : await choose();
    if (passphrase !== undefined) this.#ask = async () => passphrase;
    for (const name of missing) {
      const key = name === SUMS_FILE ? await createSumsKey(passphrase) : createTufKey(passphrase);
      await writeFileAtomically(join(this.path, name), key, 0o600);
    }
    if (!(await this.#has(KEYRING_FILE))) {
      await writeFileAtomically(join(this.path, KEYRING_FILE), publicKeyring(await this.sumsKey()));
    }
  }

  /** @throws AshlarError `not-found`, `untrusted` (readable by others), `invalid` (passphrase, or no such key) */
  async signingKey(name: KeyName): Promise<KeyObject> {
    const path = join(this.path, FILES[name]);
    const pem = (await this.#readPrivate(path)).toString("latin1");
    const passphrase = pem.includes("ENCRYPTED") ? await this.#ask() : undefined;
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: pem, format: "pem", ...(passphrase !== undefined && { passphrase }) });
    } catch (error) {
      throw new AshlarError("invalid", `${path}: the passphrase does not open it, or it is no private key`, {
        cause: error,
      });
    }
    if (key.asymmetricKeyType === "ed25519") return key;
    throw new AshlarError("invalid", `${path}: expected an Ed25519 key, found ${key.asymmetricKeyType}`);
  }

  async sumsKey(): Promise<SumsKey> {
    const path = join(this.path, SUMS_FILE);
    return await parseSumsKey(path, await this.#readPrivate(path), this.#ask);
  }

  /** Whether a key is here: `root.pem` may be kept elsewhere, and `online.pem` alone is enough for a refresh. */
  async has(name: KeyName | "sums"): Promise<boolean> {
    return await this.#has(name === "sums" ? SUMS_FILE : FILES[name]);
  }

  /** The signed list of keys; undefined before a repository was made. */
  async trustedRoot(): Promise<Buffer | undefined> {
    return (await this.#has(ROOT_FILE)) ? await readFile(join(this.path, ROOT_FILE)) : undefined;
  }

  async keepTrustedRoot(bytes: Uint8Array): Promise<void> {
    await writeFileAtomically(join(this.path, ROOT_FILE), bytes);
  }

  async #missing(): Promise<string[]> {
    const missing: string[] = [];
    for (const name of [...Object.values(FILES), SUMS_FILE]) if (!(await this.#has(name))) missing.push(name);
    return missing;
  }

  async #has(name: string): Promise<boolean> {
    return (await stat(join(this.path, name)).catch(() => undefined)) !== undefined;
  }

  async #readPrivate(path: string): Promise<Buffer> {
    const status = await stat(path).catch(() => undefined);
    if (status === undefined) {
      throw new AshlarError("not-found", `expected a private key, found no ${path}`, {
        hint: "make keys with `ashlar release init`, or bring the one that is kept elsewhere",
      });
    }
    if ((status.mode & 0o077) !== 0) {
      throw new AshlarError("untrusted", `${path} can be read by others: mode ${(status.mode & 0o777).toString(8)}`, {
        hint: `chmod 600 ${path}`,
      });
    }
    return await readFile(path);
  }
}

function createTufKey(passphrase: string | undefined): string | Buffer {
  const { privateKey } = generateKeyPairSync("ed25519");
  const format = { type: "pkcs8", format: "pem" } as const;
  return privateKey.export(passphrase === undefined ? format : { ...format, cipher: "aes-256-cbc", passphrase });
}

import { createPublicKey, type KeyObject, randomBytes, type X509Certificate } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { signingCertificatePem } from "@ashlar/formats";
import { writeFileAtomically } from "@ashlar/host";
import { createPrivatePem, isEncrypted, isThere, openKey, readCertificate, readPrivate } from "./key-file.ts";
import type { AskPassphrase } from "./passphrase.ts";
import {
  createSecureBootParts,
  readSecureBootKeys,
  SECURE_BOOT_FILES,
  type SecureBootKeys,
} from "./secure-boot-keys.ts";
import { createSumsKey, parseSumsKey, publicKeyring, type SumsKey } from "./sums-key.ts";
import { createTufSigner, type TufSigner } from "./tuf-signer.ts";

/**
 * The directory with a repository's private keys. `root.pem` says which keys are good and is needed when they change or
 * once a year; `targets.pem` signs what is published, `sums.pgp` the same for plain systemd-sysupdate; `online.pem` only
 * says that this is still the newest state, and is all that `release refresh` needs in the meantime. `extensions.pem`
 * signs extension images, offline from any repository. Those of Secure Boot: see secure-boot-keys.ts.
 */
const FILES = { root: "root.pem", targets: "targets.pem", online: "online.pem" } as const;
/** A key that will take the other's place once a root role names it; and where the one then goes that none names. */
const NEXT_FILES = { root: "root.next.pem", targets: "targets.next.pem", online: "online.next.pem" } as const;
const REPLACED_FILES = { root: "root.old.pem", targets: "targets.old.pem", online: "online.old.pem" } as const;
export const KEY_NAMES = ["root", "targets", "online"] as const;
const SUMS_FILE = "sums.pgp";
const EXTENSIONS_FILE = "extensions.pem";
/** What images and nodes need of it: public. */
export const ROOT_FILE = "release-root.json";
export const KEYRING_FILE = "import-pubring.pgp";
export const EXTENSION_CERTIFICATE_FILE = "extensions.crt";
const OLD_ROOTS_DIRECTORY = "old-roots";
/** A root role that still lacks signatures. */
export const NEXT_ROOT_FILE = "next-root.json";

/** Each private key's public part. Where that is, the key exists, perhaps elsewhere: another would not fit it. */
const PUBLIC_PARTS: readonly (readonly [privateFile: string, publicFile: string])[] = [
  ...Object.values(FILES).map((name) => [name, ROOT_FILE] as const),
  [SUMS_FILE, KEYRING_FILE],
  [EXTENSIONS_FILE, EXTENSION_CERTIFICATE_FILE],
  ...Object.values(SECURE_BOOT_FILES).map(({ key, certificate }) => [key, certificate] as const),
];

/** RSA where not every kernel and firmware that checks signatures knows another algorithm. Firmware is sure to know only 2048 bits. */
const RSA_BITS: ReadonlyMap<string, number> = new Map([
  [EXTENSIONS_FILE, 3072],
  ...Object.values(SECURE_BOOT_FILES).map(({ key }) => [key, 2048] as const),
]);

export type KeyName = keyof typeof FILES;

/** What signs extension images. */
export type ExtensionSigner = { readonly privateKey: KeyObject; readonly certificatePem: string };

export class KeyDirectory {
  readonly path: string;
  #ask: AskPassphrase;

  constructor(path: string, ask: AskPassphrase) {
    this.path = path;
    this.#ask = ask;
  }

  /**
   * Makes the keys that are missing. A key whose public part is here already is kept elsewhere, and not made again.
   *
   * @param choose gives the passphrase for the first keys, undefined for none; keys made later have the same one
   */
  async create(choose: () => Promise<string | undefined>): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await chmod(this.path, 0o700);
    const missing = await this.#missing();
    const passphrase = missing.length === 0 ? undefined : await this.#passphraseFor(missing, choose);
    if (passphrase !== undefined) this.#ask = async () => passphrase;
    for (const name of missing) {
      await writeFileAtomically(join(this.path, name), await createKey(name, passphrase), 0o600);
    }
    if (!(await this.#has(KEYRING_FILE))) {
      await writeFileAtomically(join(this.path, KEYRING_FILE), publicKeyring(await this.sumsKey()));
    }
    if (!(await this.#has(EXTENSION_CERTIFICATE_FILE))) {
      const privateKey = await this.#openKey(EXTENSIONS_FILE, "rsa");
      const certificate = signingCertificatePem(privateKey, "Ashlar extensions", randomBytes(SERIAL_NUMBER_BYTES));
      await writeFileAtomically(join(this.path, EXTENSION_CERTIFICATE_FILE), certificate);
    }
    await createSecureBootParts(this.path, this.#ask);
  }

  /**
   * What signs programs for Secure Boot, and what enrols its keys: of private keys only db's is needed.
   *
   * @throws AshlarError as {@link signingKey}; `not-found` also for a directory that an older version has made
   */
  async secureBootKeys(): Promise<SecureBootKeys> {
    return await readSecureBootKeys(this.path, this.#ask);
  }

  /** @throws AshlarError `not-found`, `untrusted` (readable by others), `invalid` (passphrase, or no such key) */
  async signingKey(name: KeyName): Promise<KeyObject> {
    return await this.#openKey(FILES[name], "ed25519");
  }

  /** @throws AshlarError as {@link signingKey}; `invalid` also when key and certificate are not of each other */
  async extensionSigner(): Promise<ExtensionSigner> {
    const privateKey = await this.#openKey(EXTENSIONS_FILE, "rsa");
    const certificate = await this.extensionCertificate();
    if (certificate.checkPrivateKey(privateKey)) return { privateKey, certificatePem: certificate.toString() };
    throw new AshlarError("invalid", `${this.path}: ${EXTENSION_CERTIFICATE_FILE} is not of ${EXTENSIONS_FILE}`);
  }

  /** @throws AshlarError `not-found`, `malformed` */
  async extensionCertificate(): Promise<X509Certificate> {
    return await readCertificate(join(this.path, EXTENSION_CERTIFICATE_FILE));
  }

  /**
   * Makes a key that shall take the place of the directory's own; in a directory without keys its first. Where one waits
   * already, that is it.
   *
   * @param choose as in {@link create}
   * @returns the file of the public key
   */
  async createNext(
    name: KeyName,
    choose: () => Promise<string | undefined>,
  ): Promise<{ readonly signer: TufSigner; readonly publicFile: string }> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await chmod(this.path, 0o700);
    // Where a root role is, a key of this name may just be in its drawer.
    const isFirst = !(await this.#has(ROOT_FILE)) && !(await this.#has(FILES[name]));
    const file = isFirst ? FILES[name] : NEXT_FILES[name];
    if (!(await this.#has(file))) {
      const passphrase = await this.#passphraseFor([file], choose);
      if (passphrase !== undefined) this.#ask = async () => passphrase;
      await writeFileAtomically(join(this.path, file), await createKey(file, passphrase), 0o600);
    }
    const privateKey = await this.#openKey(file, "ed25519");
    const publicFile = join(this.path, file.replace(/pem$/u, "pub"));
    await writeFileAtomically(publicFile, createPublicKey(privateKey).export({ type: "spki", format: "pem" }));
    return { signer: createTufSigner(privateKey), publicFile };
  }

  /** Of the keys with this name that are here, the one in use first; one that waits for its root role is among them. */
  async signers(name: KeyName): Promise<TufSigner[]> {
    const signers: TufSigner[] = [];
    for (const file of [FILES[name], NEXT_FILES[name]]) {
      if (await this.#has(file)) signers.push(createTufSigner(await this.#openKey(file, "ed25519")));
    }
    return signers;
  }

  /** Puts keys that have waited into their place, as far as `isGood` finds that a root role names them now. */
  async adoptNext(isGood: (name: KeyName, keyId: string) => boolean): Promise<void> {
    for (const name of KEY_NAMES) {
      if (!(await this.#has(NEXT_FILES[name]))) continue;
      const isNamed = async (file: string): Promise<boolean> =>
        isGood(name, createTufSigner(await this.#openKey(file, "ed25519")).key.keyID);
      if (!(await isNamed(NEXT_FILES[name]))) continue;
      if (await this.#has(FILES[name])) {
        // Both are good: two keys of one role in one directory.
        if (await isNamed(FILES[name])) continue;
        await rename(join(this.path, FILES[name]), join(this.path, REPLACED_FILES[name]));
      }
      await rename(join(this.path, NEXT_FILES[name]), join(this.path, FILES[name]));
      await rm(join(this.path, NEXT_FILES[name].replace(/pem$/u, "pub")), { force: true });
    }
  }

  async nextRoot(): Promise<Buffer | undefined> {
    return (await this.#has(NEXT_ROOT_FILE)) ? await readFile(join(this.path, NEXT_ROOT_FILE)) : undefined;
  }

  async keepNextRoot(text: string): Promise<void> {
    await writeFileAtomically(join(this.path, NEXT_ROOT_FILE), text);
  }

  async removeNextRoot(): Promise<void> {
    await rm(join(this.path, NEXT_ROOT_FILE), { force: true });
  }

  async sumsKey(): Promise<SumsKey> {
    const path = join(this.path, SUMS_FILE);
    return await parseSumsKey(path, await readPrivate(path), this.#ask);
  }

  /** Whether a key is here: `root.pem` may be kept elsewhere, and `online.pem` alone is enough for a refresh. */
  async has(name: KeyName | "sums"): Promise<boolean> {
    return await this.#has(name === "sums" ? SUMS_FILE : FILES[name]);
  }

  /** The signed list of keys; undefined before a repository was made. */
  async trustedRoot(): Promise<Buffer | undefined> {
    return (await this.#has(ROOT_FILE)) ? await readFile(join(this.path, ROOT_FILE)) : undefined;
  }

  /** The one before stays beside it: machines that trust that one find the way to this one over it. */
  async keepTrustedRoot(bytes: Uint8Array): Promise<void> {
    const before = await this.trustedRoot();
    if (before !== undefined && !before.equals(bytes)) {
      await mkdir(join(this.path, OLD_ROOTS_DIRECTORY), { recursive: true });
      await writeFileAtomically(join(this.path, OLD_ROOTS_DIRECTORY, `${versionOf(before)}.root.json`), before);
    }
    await writeFileAtomically(join(this.path, ROOT_FILE), bytes);
  }

  /** Root roles before the trusted one, by their versions. */
  async oldRoots(): Promise<Map<number, Buffer>> {
    const directory = join(this.path, OLD_ROOTS_DIRECTORY);
    const names = (await this.#has(OLD_ROOTS_DIRECTORY)) ? await readdir(directory) : [];
    const roots = names.filter((name) => /^[1-9]\d{0,3}\.root\.json$/u.test(name));
    const read = async (name: string): Promise<[number, Buffer]> => [
      Number.parseInt(name, 10),
      await readFile(join(directory, name)),
    ];
    return new Map(await Promise.all(roots.map(read)));
  }

  async #missing(): Promise<string[]> {
    const missing: string[] = [];
    for (const [privateFile, publicFile] of PUBLIC_PARTS) {
      if (!(await this.#has(privateFile)) && !(await this.#has(publicFile))) missing.push(privateFile);
    }
    return missing;
  }

  /** One passphrase for all keys: that of those which are here. */
  async #passphraseFor(
    missing: readonly string[],
    choose: () => Promise<string | undefined>,
  ): Promise<string | undefined> {
    for (const [name] of PUBLIC_PARTS) {
      if (missing.includes(name) || name === SUMS_FILE || !(await this.#has(name))) continue;
      if (!isEncrypted(await readPrivate(join(this.path, name)))) return undefined;
      const passphrase = await this.#ask();
      this.#ask = async () => passphrase;
      await this.#openKey(name, RSA_BITS.has(name) ? "rsa" : "ed25519");
      return passphrase;
    }
    return await choose();
  }

  async #openKey(name: string, type: "ed25519" | "rsa"): Promise<KeyObject> {
    return await openKey(join(this.path, name), type, this.#ask);
  }

  async #has(name: string): Promise<boolean> {
    return await isThere(join(this.path, name));
  }
}

/** Of our own, signed file. */
function versionOf(root: Buffer): number {
  const { signed }: { signed: { version: number } } = JSON.parse(root.toString("utf8"));
  return signed.version;
}

/** RFC 5280, 4.1.2.2: at most 20 octets. */
const SERIAL_NUMBER_BYTES = 16;

async function createKey(name: string, passphrase: string | undefined): Promise<string | Uint8Array> {
  return name === SUMS_FILE ? await createSumsKey(passphrase) : await createPrivatePem(RSA_BITS.get(name), passphrase);
}

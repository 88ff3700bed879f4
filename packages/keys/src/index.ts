/**
 * A publisher's private keys: one file for each, mode 0600, with a passphrase if wanted. Never in a repository, an
 * image or on a node.
 */
export { readCertificateKey } from "./certificate-key.ts";
export { KEY_NAMES, KeyDirectory, ROOT_FILE } from "./key-directory.ts";
export type { ExtensionSigner, KeyName } from "./key-directory.ts";
export { isSignedSums, parseKeyring, signSums } from "./sums-key.ts";
export type { SumsKey } from "./sums-key.ts";
export { createTufSigner, publicKeyOf, tufKeyOf } from "./tuf-signer.ts";
export type { TufSigner } from "./tuf-signer.ts";
export { EXTENSION_CERTIFICATE_FILE, KEYRING_FILE } from "./key-directory.ts";
export type { SecureBootKeys, SecureBootParts } from "./secure-boot-keys.ts";
export type { AskPassphrase } from "./passphrase.ts";

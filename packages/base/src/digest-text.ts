/** A SHA-256 digest as text everywhere here: 64 lower-case hexadecimal digits. */
export const SHA256_HEX: RegExp = /^[0-9a-f]{64}$/u;
/** The same of SHA-384: 96 digits. */
export const SHA384_HEX: RegExp = /^[0-9a-f]{96}$/u;

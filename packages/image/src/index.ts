/**
 * Builds the operating system image of a release from Debian packages and `os/`, the same bytes from the same inputs,
 * and checks images again.
 */
export { buildImage, MAX_UKI_BYTES, MAX_USR_BYTES } from "./build-image.ts";
export type { BuildImageOptions, BuiltImage } from "./build-image.ts";
export type { ImageSecureBoot } from "./secure-boot.ts";
export { verifyImage } from "./verify-image.ts";
export type { ImageVerification, VerifyImageOptions } from "./verify-image.ts";

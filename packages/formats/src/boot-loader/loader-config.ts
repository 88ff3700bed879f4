/**
 * The whole of loader/loader.conf on a node's ESP (loader.conf(5)): no menu and no editor, and no default entry, so that
 * the order of the entries decides.
 */
export const LOADER_CONFIG = "timeout 0\neditor no\n";

/**
 * When systemd-boot enrols the keys in loader/keys/auto in firmware that is in set-up mode (`secure-boot-enroll`): `if-safe` in virtual
 * machines alone, which is what it does unasked; `force` also on other machines, after a countdown of 15 s.
 */
export type SecureBootEnrolment = "if-safe" | "force";

export function loaderConfigFor(enrolment: SecureBootEnrolment): string {
  return enrolment === "if-safe" ? LOADER_CONFIG : `${LOADER_CONFIG}secure-boot-enroll ${enrolment}\n`;
}

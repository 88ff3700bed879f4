import { AshlarError } from "@ashlar/base";
import { parseSignatureLists, SECURE_BOOT_VENDORS, sha256, SIGNATURE_TYPES } from "@ashlar/formats";
import type { ReleaseSummary } from "@ashlar/repository-index";
import { readVariable } from "../shared/efi-variable.ts";

/** More than the variables of any firmware hold. */
const MAX_DATABASE_BYTES = 256 * 1024;

/**
 * Refuses a release that the firmware would not start: with Secure Boot on it must be signed by a certificate in db. systemd-boot goes on to no
 * other entry then, so that the node would wait for somebody to reset it.
 *
 * @throws AshlarError `untrusted`, or `malformed` for a db that cannot be read
 */
export async function refuseUnsigned(
  efiVariables: string,
  { version, secureBoot }: Pick<ReleaseSummary, "version" | "secureBoot">,
): Promise<void> {
  const read = async (name: "SecureBoot" | "db"): Promise<Buffer | undefined> =>
    await readVariable(efiVariables, `${name}-${SECURE_BOOT_VENDORS[name]}`, MAX_DATABASE_BYTES);
  if ((await read("SecureBoot"))?.[0] !== 1) return;
  const trusted = parseSignatureLists((await read("db")) ?? new Uint8Array())
    .filter(({ type }) => type === SIGNATURE_TYPES.x509)
    .map(({ data }) => sha256(data));
  const signer = secureBoot?.db.certificateSha256;
  if (signer !== undefined && trusted.includes(signer)) return;
  const found = signer === undefined ? "a release that is not signed" : `one by ${signer}`;
  throw new AshlarError(
    "untrusted",
    `${version}: expected a signature by a certificate in this machine's db, since Secure Boot is on, found ${found}`,
    {
      hint: "nothing was installed; build it with `ashlar image build --secure-boot-keys KEYDIR`, with the keys of this machine",
    },
  );
}

/** TPMA_OBJECT bits (TPM 2.0 Library Part 2, 8.3). */
const OBJECT_ATTRIBUTES: Readonly<Record<string, number>> = {
  fixedTPM: 0x0000_0002,
  stClear: 0x0000_0004,
  fixedParent: 0x0000_0010,
  sensitiveDataOrigin: 0x0000_0020,
  userWithAuth: 0x0000_0040,
  adminWithPolicy: 0x0000_0080,
  noDA: 0x0000_0400,
  encryptedDuplication: 0x0000_0800,
  restricted: 0x0001_0000,
  decrypt: 0x0002_0000,
  sign: 0x0004_0000,
  x509sign: 0x0008_0000,
};

/**
 * What an attestation key's attributes must be, exactly: made in the TPM and never to leave it (fixedTPM, fixedParent,
 * sensitiveDataOrigin), usable with its password (userWithAuth), and signing only what the TPM itself produced
 * (restricted, sign).
 */
export const ATTESTATION_KEY_ATTRIBUTES = 0x0005_0072;

/** Of those, what no attestation key may lack, whoever has made it: fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign. */
export const ATTESTATION_KEY_REQUIRED = 0x0005_0032;

/**
 * What another's attestation key may have beside them: userWithAuth, adminWithPolicy and noDA. They say who may use the key in
 * its TPM, and whether wrong passwords lock it: what it signs, and where it is, is the same.
 */
export const ATTESTATION_KEY_OPTIONAL = 0x0000_04c0;

/** The names of the set bits, for messages: `fixedTPM restricted sign`; reserved bits as hexadecimal. */
export function objectAttributeNames(attributes: number): string {
  let rest = attributes;
  const names: string[] = [];
  for (const [name, bit] of Object.entries(OBJECT_ATTRIBUTES)) {
    if ((attributes & bit) === 0) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join(" ");
}

import { readBoolean, type CertificateExtension, type CertificateFields } from "./certificate.ts";
import { DER_TAGS, DerReader } from "./der-reader.ts";
import { readName, type DistinguishedName } from "./distinguished-name.ts";
import { readObjectIdentifier } from "./object-identifier.ts";

/** Object identifiers of extensions (RFC 5280, 4.2). */
export const EXTENSIONS = {
  subjectDirectoryAttributes: "2.5.29.9",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  issuerAltName: "2.5.29.18",
  basicConstraints: "2.5.29.19",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  inhibitAnyPolicy: "2.5.29.54",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
} as const;

const CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
const MAX_ITEMS = 64;

type Extensions = CertificateFields["extensions"];

/** RFC 5280, 4.2.1.9. Without the extension it is no certificate authority. */
export function basicConstraintsOf(extensions: Extensions): {
  readonly isAuthority: boolean;
  readonly pathLength?: number;
} {
  const list = open(extensions, EXTENSIONS.basicConstraints, "basicConstraints");
  if (list === undefined) return { isAuthority: false };
  const isAuthority = list.isNext(DER_TAGS.boolean) && readBoolean(list, "cA");
  if (list.isAtEnd) return { isAuthority };
  const { content } = list.element(DER_TAGS.integer, "pathLenConstraint");
  list.end();
  const [octet = 0] = content;
  if (content.length !== 1 || octet > 0x7f) list.fail("pathLenConstraint: expected 0 to 127");
  return { isAuthority, pathLength: octet };
}

/** RFC 5280, 4.2.1.3: the first octet of KeyUsage, whose bit 0 is its highest. */
const KEY_USES = { digitalSignature: 0x80, keyEncipherment: 0x20, keyAgreement: 0x08, keyCertSign: 0x04 } as const;
export type KeyUse = keyof typeof KEY_USES;

/** What a certificate's key may be used for; undefined when the extension is missing, so that nothing is said. */
export function keyUsageOf(extensions: Extensions): ReadonlySet<KeyUse> | undefined {
  const found = extensions.get(EXTENSIONS.keyUsage);
  if (found === undefined) return undefined;
  const reader = new DerReader(found.value, "keyUsage");
  const { content } = reader.element(DER_TAGS.bitString, "KeyUsage");
  reader.end();
  const bits = content[1] ?? 0;
  return new Set(typedKeys(KEY_USES).filter((use) => (bits & KEY_USES[use]) !== 0));
}

function typedKeys<Key extends string>(object: Readonly<Record<Key, unknown>>): Key[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which names these are
  return Object.keys(object) as Key[];
}

/** Object identifiers of the uses (RFC 5280, 4.2.1.12); undefined when there is no such limit. */
export function extendedKeyUsageOf(extensions: Extensions): readonly string[] | undefined {
  const list = open(extensions, EXTENSIONS.extendedKeyUsage, "extKeyUsage");
  if (list === undefined) return undefined;
  const uses: string[] = [];
  while (!list.isAtEnd) {
    if (uses.length === MAX_ITEMS) list.fail(`expected at most ${MAX_ITEMS} uses`);
    uses.push(readObjectIdentifier(list, "KeyPurposeId"));
  }
  return uses;
}

/** The attributes of all directory names in the subjectAltName (RFC 5280, 4.2.1.6). */
export function directoryNamesOf(extensions: Extensions): DistinguishedName {
  const list = open(extensions, EXTENSIONS.subjectAltName, "subjectAltName");
  if (list === undefined) return [];
  const names: DistinguishedName[] = [];
  while (!list.isAtEnd) {
    if (names.length === MAX_ITEMS) list.fail(`expected at most ${MAX_ITEMS} names`);
    if (list.isNext(DER_TAGS.context4)) {
      const wrapped = list.inner(DER_TAGS.context4, "directoryName");
      names.push(readName(wrapped, "Name"));
      wrapped.end();
    } else {
      list.any("GeneralName");
      names.push([]);
    }
  }
  return names.flat();
}

/** URLs at which the issuer's certificate is said to be (RFC 5280, 4.2.2.1). */
export function issuerUrlsOf(extensions: Extensions): readonly string[] {
  const list = open(extensions, EXTENSIONS.authorityInfoAccess, "authorityInfoAccess");
  if (list === undefined) return [];
  const urls: string[] = [];
  for (let items = 0; !list.isAtEnd; items += 1) {
    if (items === MAX_ITEMS) list.fail(`expected at most ${MAX_ITEMS} places`);
    const access = list.inner(DER_TAGS.sequence, "AccessDescription");
    const method = readObjectIdentifier(access, "accessMethod");
    const { tag, content } = access.any("accessLocation");
    if (method === CA_ISSUERS && tag === DER_TAGS.uri) urls.push(Buffer.from(content).toString("latin1"));
  }
  return urls;
}

function open(extensions: Extensions, identifier: string, name: string): DerReader | undefined {
  const found: CertificateExtension | undefined = extensions.get(identifier);
  if (found === undefined) return undefined;
  const reader = new DerReader(found.value, name);
  const list = reader.inner(DER_TAGS.sequence, name);
  reader.end();
  return list;
}

import type { X509Certificate } from "node:crypto";
import { directoryNamesOf, issuerUrlsOf, nameText } from "@ashlar/formats";
import { ekKeyOf, parsedOf } from "./maker-certificate.ts";

/** What an EK certificate says about its TPM. Null where it says nothing. */
export type EkDescription = {
  /** Four letters of the TCG TPM Vendor ID Registry, and the maker's name where it is known here. */
  readonly maker: string | null;
  readonly model: string | null;
  readonly firmwareVersion: string | null;
  /** For example "RSA-2048" or "P-384". */
  readonly key: string;
  readonly issuer: string;
  /** `YYYY-MM-DD`. */
  readonly validFrom: string;
  readonly validTo: string;
  /** Where the issuer's certificate is said to be. */
  readonly issuerUrls: readonly string[];
};

/** TCG EK Credential Profile 2.5, 3.2.9: attributes of the subjectAltName's directory name. */
const MANUFACTURER = "2.23.133.2.1";
const MODEL = "2.23.133.2.2";
const VERSION = "2.23.133.2.3";

/** TCG TPM Vendor ID Registry. */
const MAKERS: ReadonlyMap<string, string> = new Map([
  ["AMD", "AMD"],
  ["GOOG", "Google"],
  ["IBM", "IBM or swtpm"],
  ["IFX", "Infineon"],
  ["INTC", "Intel"],
  ["MSFT", "Microsoft"],
  ["NTC", "Nuvoton"],
  ["NTZ", "Nationz"],
  ["QCOM", "Qualcomm"],
  ["STM", "STMicroelectronics"],
]);
const MAKERS_BY_NUMBER: ReadonlyMap<string, string> = new Map([["00001014", "IBM or swtpm (00001014)"]]);

/** @throws AshlarError `malformed` or `invalid` for a certificate whose key or names cannot be read */
export function describeEk(certificate: X509Certificate): EkDescription {
  const { fields } = parsedOf(certificate);
  const names = directoryNamesOf(fields.extensions);
  const valueOf = (type: string): string | null => names.find((each) => each.type === type)?.value ?? null;
  return {
    maker: makerOf(valueOf(MANUFACTURER)),
    model: valueOf(MODEL),
    firmwareVersion: versionOf(valueOf(VERSION)),
    key: keyText(certificate),
    issuer: nameText(fields.issuer),
    validFrom: fields.notBefore.toISOString().slice(0, 10),
    validTo: fields.notAfter.toISOString().slice(0, 10),
    issuerUrls: issuerUrlsOf(fields.extensions),
  };
}

/** "id:49465800" is "IFX" and a zero octet; "id:00001014" is IBM's number, which swtpm has, and no letters. */
function makerOf(value: string | null): string | null {
  const digits = /^id:(?<digits>[0-9a-f]{8})$/iu.exec(value ?? "")?.groups?.["digits"];
  if (digits === undefined) return value;
  const letters = Buffer.from(digits, "hex")
    .toString("latin1")
    .replaceAll(/[^ -~]/gu, "")
    .trim();
  const name = MAKERS.get(letters);
  if (name !== undefined) return `${name} (${letters})`;
  return MAKERS_BY_NUMBER.get(digits) ?? (letters === "" ? value : letters);
}

/** "id:00070002" is 7.2, and "id:0D0C", as some write it, 13.12. */
function versionOf(value: string | null): string | null {
  const groups = /^id:(?<major>(?:[0-9a-f]{2}){1,2})(?<minor>(?:[0-9a-f]{2}){1,2})$/iu.exec(value ?? "")?.groups;
  if (groups === undefined) return value;
  const { major = "", minor = "" } = groups;
  return major.length === minor.length ? `${parseInt(major, 16)}.${parseInt(minor, 16)}` : value;
}

function keyText(certificate: X509Certificate): string {
  const { asymmetricKeyType = "unknown", asymmetricKeyDetails } = ekKeyOf(certificate);
  if (asymmetricKeyType === "rsa") return `RSA-${asymmetricKeyDetails?.modulusLength}`;
  return CURVES.get(asymmetricKeyDetails?.namedCurve ?? "") ?? asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType;
}

const CURVES: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "P-256"],
  ["secp384r1", "P-384"],
  ["secp521r1", "P-521"],
]);

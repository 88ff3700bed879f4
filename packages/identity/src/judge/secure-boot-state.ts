import { AshlarError } from "@ashlar/base";
import {
  KEY_VARIABLES,
  type KeyVariable,
  type MeasuredVariable,
  parseMeasuredVariable,
  parseSignatureLists,
  SECURE_BOOT_VENDORS,
  SEPARATORS,
  sha256,
  SIGNATURE_TYPES,
} from "@ashlar/formats";
import type { MeasuredEvent } from "../check/check-logs.ts";

/** What the firmware has measured of Secure Boot. */
export type SecureBootState = {
  /** Undefined when nothing measured says so. */
  readonly isOn: boolean | undefined;
  /** For each variable its entries: certificates by the SHA-256 of their DER, anything else by its type. Undefined: not measured. */
  readonly keys: Readonly<Record<KeyVariable, readonly string[] | undefined>>;
};

/**
 * Reads PCR 7 (PC Client Platform Firmware Profile 1.06, 3.3.4.8): the variables come before the separator, each first as it is set;
 * a db event after that names an entry that let a driver start. Types of events are not proved; what counts is data whose
 * hash was extended.
 */
export function secureBootState(events: readonly MeasuredEvent[]): SecureBootState {
  const end = events.findIndex(({ digest }) => SEPARATORS.has(digest));
  const variables = (end === -1 ? [] : events.slice(0, end)).flatMap(({ data }) => readVariable(data) ?? []);
  const first = (name: keyof typeof SECURE_BOOT_VENDORS): Uint8Array | undefined =>
    variables.find((each) => each.name === name && each.vendor === SECURE_BOOT_VENDORS[name])?.content;
  const [state, ...more] = first("SecureBoot") ?? [];
  const [PK, KEK, db] = KEY_VARIABLES.map((name) => entriesOf(first(name)));
  return { isOn: more.length > 0 || state === undefined ? undefined : state === 1, keys: { PK, KEK, db } };
}

function readVariable(data: Uint8Array | undefined): MeasuredVariable | undefined {
  if (data === undefined) return undefined;
  return orUndefined(() => parseMeasuredVariable(data));
}

function entriesOf(content: Uint8Array | undefined): string[] | undefined {
  if (content === undefined) return undefined;
  return orUndefined(() =>
    parseSignatureLists(content).map(({ type, data }) =>
      type === SIGNATURE_TYPES.x509 ? sha256(data) : `type ${type}`,
    ),
  );
}

/** What cannot be read says nothing. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AshlarError) return undefined;
    throw error;
  }
}

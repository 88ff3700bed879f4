import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { GUID_BYTES, guidFromBytes, type Guid } from "../gpt/guid.ts";

/** A variable as firmware measures it (PC Client Platform Firmware Profile 1.06, 10.2.6, UEFI_VARIABLE_DATA). */
export type MeasuredVariable = {
  readonly vendor: Guid;
  readonly name: string;
  readonly content: Uint8Array;
};

const MAX_NAME_CHARACTERS = 256n;

/** @throws AshlarError `malformed` or `limit` */
export function parseMeasuredVariable(data: Uint8Array): MeasuredVariable {
  const reader = new ByteReader(data, "UEFI_VARIABLE_DATA", "little-endian");
  const vendor = guidFromBytes(reader.bytes(GUID_BYTES, "VariableName"));
  const characters = reader.u64("UnicodeNameLength");
  const contentBytes = reader.u64("VariableDataLength");
  if (characters > MAX_NAME_CHARACTERS) {
    throw new AshlarError(
      "limit",
      `UEFI_VARIABLE_DATA: expected a name of at most ${MAX_NAME_CHARACTERS} characters, found ${characters}`,
    );
  }
  const name = Buffer.from(reader.bytes(Number(characters) * 2, "UnicodeName")).toString("utf16le");
  if (contentBytes !== BigInt(reader.remaining)) {
    reader.fail(`VariableDataLength: expected the ${reader.remaining} bytes that follow, found ${contentBytes}`);
  }
  return { vendor, name, content: reader.bytes(reader.remaining, "VariableData") };
}

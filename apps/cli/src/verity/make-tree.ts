import { randomBytes, randomUUID } from "node:crypto";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { formatVerity, type FormattedVerity, type FormatVerityOptions } from "@ashlar/volumes";

/** What `veritysetup format` takes when it is not told. */
const DEFAULT_SALT_BYTES = 32;

export type MakeTreeOptions = Omit<FormatVerityOptions, "salt" | "uuid"> & {
  /** Default: a random one. */
  readonly salt: Uint8Array | undefined;
  /** Default: a random one. */
  readonly uuid: string | undefined;
  readonly asJson: boolean;
};

/** Makes a file's hash tree and prints it as `veritysetup format` does. */
export async function makeTree({ salt, uuid, asJson, ...options }: MakeTreeOptions): Promise<void> {
  const formatted = await formatVerity({
    ...options,
    salt: salt ?? randomBytes(DEFAULT_SALT_BYTES),
    uuid: uuid ?? randomUUID(),
  });
  if (formatted.uncoveredBytes > 0) {
    reportLine(
      `warning: the last ${formatted.uncoveredBytes} bytes of ${options.data} are less than a block and not covered`,
    );
  }
  printFormatted(formatted, asJson);
}

function printFormatted({ superblock, rootHash, ...sizes }: FormattedVerity, asJson: boolean): void {
  const salt = Buffer.from(superblock.salt).toString("hex");
  if (asJson) {
    printJson({ rootHash, ...superblock, salt, ...sizes });
    return;
  }
  const lines = {
    UUID: superblock.uuid,
    "Data blocks": superblock.dataBlocks,
    "Data block size": `${superblock.dataBlockSizeBytes} bytes`,
    "Hash blocks": sizes.hashBlocks,
    "Hash block size": `${superblock.hashBlockSizeBytes} bytes`,
    "Hash algorithm": superblock.algorithm,
    "Hash file size": `${sizes.hashSizeBytes} bytes`,
    Salt: salt === "" ? "-" : salt,
    "Root hash": rootHash,
  };
  for (const [label, value] of Object.entries(lines)) printLine(`${`${label}:`.padEnd(17)} ${value}`);
}

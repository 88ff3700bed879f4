import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";

const MAX_SALT_BYTES = 256;
const DEFAULT_BLOCK_BYTES = 4096;
const ALGORITHMS = ["sha1", "sha224", "sha256", "sha384", "sha512"] as const;

export function verityCommand(): Command {
  return new Command("verity")
    .description("Make and check dm-verity hash trees")
    .addHelpText(
      "after",
      `
Examples:
  ashlar verity format usr.erofs usr.verity
  ashlar verity verify usr.erofs usr.verity ROOTHASH`,
    )
    .addCommand(formatCommand())
    .addCommand(verifyCommand());
}

type FormatOptions = {
  readonly salt?: Buffer;
  readonly uuid?: string;
  readonly hash: (typeof ALGORITHMS)[number];
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly json?: true;
};

function formatCommand(): Command {
  return new Command("format")
    .description("Write the hash tree of a file, byte for byte as veritysetup does")
    .argument("<data>", "the file to protect")
    .argument("<hash>", "the file that gets superblock and hash tree")
    .option("--salt <hex>", "up to 256 bytes, - for none (default: 32 random bytes)", parseSalt)
    .option("--uuid <uuid>", "of the superblock (default: a random one)", parseUuid)
    .addOption(new Option("--hash <algorithm>", "how to hash").choices(ALGORITHMS).default("sha256"))
    .option("--data-block-size <bytes>", "a power of two from 512 to 524288", parseSize, DEFAULT_BLOCK_BYTES)
    .option("--hash-block-size <bytes>", "a power of two from 512 to 524288", parseSize, DEFAULT_BLOCK_BYTES)
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
A last, incomplete block of the data is not covered; in a longer hash file the bytes after the tree are kept.

Examples:
  ashlar verity format usr.erofs usr.verity
  ashlar verity format usr.erofs usr.verity --salt - --uuid 01234567-89ab-cdef-0123-456789abcdef --json`,
    )
    .action(async (data: string, hash: string, options: FormatOptions) => {
      const { makeTree } = await import("../verity/make-tree.ts");
      await makeTree({
        data,
        hash,
        salt: options.salt,
        uuid: options.uuid,
        algorithm: options.hash,
        dataBlockSizeBytes: options.dataBlockSize,
        hashBlockSizeBytes: options.hashBlockSize,
        asJson: options.json === true,
      });
    });
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("Check data against its hash tree, and the tree against the root hash")
    .argument("<data>", "the protected file")
    .argument("<hash>", "the file with superblock and hash tree")
    .argument("<roothash>", "in hexadecimal digits")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Exits with status 1 and names the first bad blocks if anything does not match.

Example:
  ashlar verity verify usr.erofs usr.verity 5d41402abc4b2a76b9719d911017c592ae41e4649b934ca495991b7852b855aa`,
    )
    .action(async (data: string, hash: string, rootHash: string, options: { readonly json?: true }) => {
      const { checkTree } = await import("../verity/check-tree.ts");
      await checkTree({ data: { path: data }, hash: { path: hash }, rootHash }, options.json === true);
    });
}

function parseSalt(text: string): Buffer {
  if (text === "-") return Buffer.alloc(0);
  if (/^(?:[0-9a-f]{2})+$/iu.test(text) && text.length <= MAX_SALT_BYTES * 2) return Buffer.from(text, "hex");
  throw new AshlarError(
    "usage",
    `expected --salt with 1 to ${MAX_SALT_BYTES} bytes in hexadecimal digits or -, found ${text}`,
  );
}

function parseUuid(text: string): string {
  const uuid = text.toLowerCase();
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u.test(uuid)) return uuid;
  throw new AshlarError("usage", `expected --uuid like 01234567-89ab-cdef-0123-456789abcdef, found ${text}`);
}

function parseSize(text: string): number {
  const size = Number(text);
  if (/^[0-9]+$/u.test(text) && size >= 512 && size <= 524_288 && Number.isInteger(Math.log2(size))) return size;
  throw new AshlarError("usage", `expected a block size of a power of two from 512 to 524288 bytes, found ${text}`);
}

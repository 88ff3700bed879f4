/** What an archive has of one file: its content, or the path of an earlier one that has the same. */
export type NewTarEntry = {
  readonly path: string;
  readonly content: Uint8Array | { readonly sameAs: string };
  /** Seconds since 1970. */
  readonly modifiedAt: number;
};

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** Two blocks of zeros (POSIX.1-2024, "pax", ustar Interchange Format). */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK_BYTES);

/** An entry of a tar archive in the ustar format; with an extended header before it where its path is too long for that. */
export function tarEntry({ path, content, modifiedAt }: NewTarEntry): Buffer {
  const split = splitPath(path);
  const { name, prefix } = split ?? { name: "", prefix: "" };
  const [flag, target, bytes] = content instanceof Uint8Array ? ["0", "", content] : ["1", content.sameAs, NOTHING];
  const own = [header({ name, prefix, flag, target, sizeBytes: bytes.length, modifiedAt }), bytes, padding(bytes)];
  if (split !== undefined) return Buffer.concat(own);
  const record = paxRecord("path", path);
  const before = header({ name: "path", prefix: "", flag: "x", target: "", sizeBytes: record.length, modifiedAt });
  return Buffer.concat([before, record, padding(record), ...own]);
}

const NOTHING = new Uint8Array();

/** In two fields, divided at a slash; undefined when no division fits. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES) return { name, prefix };
  }
  return undefined;
}

/** "LENGTH KEY=VALUE\n", the length counting all of it. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function header(fields: {
  readonly name: string;
  readonly prefix: string;
  readonly flag: string;
  readonly target: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
}): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  bytes.write(fields.name, 0, NAME_BYTES);
  bytes.write(octal(0o644, 7), 100);
  // Owner and group: nobody in particular.
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  bytes.write(octal(fields.sizeBytes, 11), 124);
  bytes.write(octal(fields.modifiedAt, 11), 136);
  bytes.fill(" ", 148, 156);
  bytes.write(fields.flag, 156);
  bytes.write(fields.target, 157, NAME_BYTES);
  bytes.write("ustar\x0000", 257);
  bytes.write(fields.prefix, 345, PREFIX_BYTES);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

function padding({ length }: Uint8Array): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES);
}

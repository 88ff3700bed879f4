/** Writes the few ASN.1 types that a certificate needs, in DER (ITU-T X.690). */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(content.length), content]);
}

export function sequence(...elements: readonly Uint8Array[]): Buffer {
  return der(0x30, ...elements);
}

export function set(...elements: readonly Uint8Array[]): Buffer {
  return der(0x31, ...elements);
}

/** X.690, 8.3: two's complement, so a leading one bit needs a zero octet before it. */
export function positiveInteger(bigEndian: Uint8Array): Buffer {
  const start = bigEndian.findIndex((octet) => octet !== 0);
  const shortest = start === -1 ? Uint8Array.of(0) : bigEndian.subarray(start);
  return der(0x02, (shortest[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), shortest);
}

/** X.690, 8.19: the first two arcs share an octet, the others are written in base 128. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** X.690, 8.6: a first octet says how many bits at the end are not used; in DER those are zero. */
export function bitString(octets: Uint8Array, unusedBits = 0): Buffer {
  return der(0x03, Uint8Array.of(unusedBits), octets);
}

export function boolean(value: boolean): Buffer {
  return der(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** NULL. */
export function nothing(): Buffer {
  return der(0x05);
}

export function utf8String(text: string): Buffer {
  return der(0x0c, Buffer.from(text));
}

/** `YYYYMMDDHHMMSSZ`, as RFC 5280, 4.1.2.5.2 wants it. */
export function generalizedTime(text: string): Buffer {
  return der(0x18, Buffer.from(text, "latin1"));
}

/** `YYMMDDHHMMSSZ`: RFC 5280, 4.1.2.5.1 wants this form for dates before 2050. */
export function utcTime(text: string): Buffer {
  return der(0x17, Buffer.from(text, "latin1"));
}

/** X.690, 8.1.3. */
function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.from([0x80 | octets.length, ...octets]);
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest % 128));
  return octets;
}

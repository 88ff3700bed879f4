/** As much of DNS as it takes to say that a name does not exist (RFC 1035, section 4; RFC 2308; RFC 6891). */
import { AshlarError } from "@ashlar/base";

const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** QTYPE and QCLASS. */
const QUESTION_TAIL_BYTES = 4;
const RESPONSE = 0x8000;
/** What a response says again of its query: OPCODE and RD. */
const REPEATED_FLAGS = 0x7900;
const RECURSION_AVAILABLE = 0x0080;
const RCODE = 0xf;
const NAME_ERROR = 3;

/** How long who asks may remember that there is no such name. */
const NEGATIVE_SECONDS = 60;

/** What stands in the authority section: without it the answer may not be remembered (RFC 2308, section 5). */
const SOA = soaOfTheRoot();

/** An empty OPT record for messages of up to 1232 bytes (RFC 6891, section 6.1.2): who uses them expects one. */
const OPT = Buffer.from("00002904d0000000000000", "hex");

export type DnsQuery = {
  readonly id: number;
  readonly flags: number;
  /** The question section: one name, its type, its class. */
  readonly question: Buffer;
  /** Whether there are records after the question: those of EDNS. */
  readonly hasAdditional: boolean;
};

/**
 * Reads header and question. What follows is not looked at.
 *
 * @throws AshlarError `malformed` for anything but a query with one question
 */
export function parseDnsQuery(message: Buffer): DnsQuery {
  if (message.length < HEADER_BYTES) throw malformed(`at least ${HEADER_BYTES} bytes`, message.length);
  const [flags, questions] = [message.readUInt16BE(2), message.readUInt16BE(4)];
  if ((flags & RESPONSE) !== 0) throw malformed("a query", "a response");
  if (questions !== 1) throw malformed("one question", questions);
  const end = endOfName(message) + QUESTION_TAIL_BYTES;
  if (end > message.length) throw malformed(`${end} bytes of header and question`, message.length);
  return {
    id: message.readUInt16BE(0),
    flags,
    question: message.subarray(HEADER_BYTES, end),
    hasAdditional: message.readUInt16BE(10) > 0,
  };
}

/** Where the question's name ends. A pointer would have nothing to point at. */
function endOfName(message: Buffer): number {
  for (let at = HEADER_BYTES; at < message.length;) {
    const length = message[at] ?? 0;
    at += 1 + length;
    if (at - HEADER_BYTES > MAX_NAME_BYTES)
      throw malformed(`a name of at most ${MAX_NAME_BYTES} bytes`, "a longer one");
    if (length === 0) return at;
    if (length > MAX_LABEL_BYTES) throw malformed(`a label of at most ${MAX_LABEL_BYTES} bytes`, length);
  }
  throw malformed("a name that ends", "none");
}

/** The answer that the name does not exist (NXDOMAIN). */
export function nameError({ id, flags, question, hasAdditional }: DnsQuery): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RESPONSE | (flags & REPEATED_FLAGS) | RECURSION_AVAILABLE | NAME_ERROR, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 8);
  header.writeUInt16BE(hasAdditional ? 1 : 0, 10);
  return Buffer.concat([header, question, SOA, ...(hasAdditional ? [OPT] : [])]);
}

/** Whether an answer says that there is no such name, and gives no time for which to remember it. */
export function isUnmemorable(message: Buffer): boolean {
  return (message.readUInt16BE(2) & RCODE) === NAME_ERROR && message.readUInt16BE(8) === 0;
}

/** Whether a message can be the response to the query. */
export function answers(message: Buffer, query: DnsQuery): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== query.id) return false;
  return (message.readUInt16BE(2) & RESPONSE) !== 0;
}

/** RFC 1035, section 3.3.13: a zone of no content, whose last field is the time for which to remember. */
function soaOfTheRoot(): Buffer {
  const [soa, internet, dataBytes] = [6, 1, 22];
  const record = Buffer.alloc(11 + dataBytes);
  record.writeUInt16BE(soa, 1);
  record.writeUInt16BE(internet, 3);
  record.writeUInt32BE(NEGATIVE_SECONDS, 5);
  record.writeUInt16BE(dataBytes, 9);
  record.writeUInt32BE(NEGATIVE_SECONDS, record.length - 4);
  return record;
}

function malformed(expected: string, found: string | number): AshlarError {
  return new AshlarError("malformed", `DNS query: expected ${expected}, found ${found}`);
}

import type { ErrorCode } from "yaml";

/** What is usually wrong where the YAML library stops, and what to do, in the words of this project. */
export const YAML_ADVICE: Readonly<Partial<Record<ErrorCode, readonly [message: string, hint: string]>>> = {
  BAD_ALIAS: ["expected the name of an anchor, found something else", "put texts that start with * or & in quotes"],
  BAD_DQ_ESCAPE: [
    "expected a known escape after the backslash, found another",
    "write \\\\ for a backslash, or use single quotes, which have no escapes",
  ],
  BAD_INDENT: [
    "expected the same indentation as the lines that belong together, found another",
    "align keys of one map, and items of one list, at the same column",
  ],
  BAD_SCALAR_START: ["expected a value, found a character that has a meaning of its own", "put the text in quotes"],
  BLOCK_AS_IMPLICIT_KEY: [
    "expected one key and value on the line, found another key in the value",
    "start a new line for the inner key, or put a text with a colon and a space in quotes",
  ],
  BLOCK_IN_FLOW: ["a - list or | text cannot stand inside brackets", "write it as [a, b] or in quotes"],
  MISSING_CHAR: [
    "expected a closing quote or bracket, a comma, a colon or a space, found something else",
    "check quotes and brackets from here back; after a colon comes a space",
  ],
  MULTILINE_IMPLICIT_KEY: [
    "expected a key and its colon on one line, found a line break",
    "check for a missing colon, or a wrong indentation of this line",
  ],
  MULTIPLE_ANCHORS: ["expected one anchor, found more", "keep one name behind &"],
  MULTIPLE_TAGS: ["expected one tag, found more", "keep one of the words that start with !"],
  TAB_AS_INDENT: ["expected spaces at the start of the line, found a tab", "indent with spaces only"],
  UNEXPECTED_TOKEN: [
    "expected a key or a value, found something else",
    "check quotes, brackets and the indentation around this place",
  ],
};

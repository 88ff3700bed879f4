import { printable } from "@ashlar/base";

/** Text of anybody as text of a page, also inside of an attribute. */
export function escape(text: string): string {
  return printable(text).replaceAll(/[&<>"'`]/gu, (character) => `&#${character.charCodeAt(0)};`);
}

import { printable } from "./printable.ts";

/** Text of anybody as text of a page, also inside of an attribute. */
export function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"'`]/gu, (character) => `&#${character.charCodeAt(0)};`);
}

/** The long lists that a node sends in pieces. */
export const LISTS = ["files", "sha256", "dpkg-files", "rpm-files"] as const;
export type List = (typeof LISTS)[number];
/** Its content has a character for each byte, as names need not be UTF-8. */
export type Piece = { readonly list: List; readonly content: string };

/** Largest document that is read, in UTF-16 units. Ignition configs beyond this do not fit any provider's user data. */
export const MAX_DOCUMENT_LENGTH: number = 16 * 1024 * 1024;

/** Lists and maps inside each other. The deepest schema needs 9. */
export const MAX_DEPTH = 64;

/** Values that aliases may add to a document, so that a few lines cannot stand for millions. */
export const MAX_ALIASED_VALUES = 100_000;

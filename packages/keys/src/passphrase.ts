/** Gives the passphrase; called when a key turns out to need it. */
export type AskPassphrase = () => Promise<string>;

import type { LinkName, LinkState } from "./chain.ts";

/** What states and links of the chain are called, and what they mean, wherever people see them. */
export const STATE_WORDS: Readonly<
  Record<LinkState, { readonly label: string; readonly sign: string; readonly says: string }>
> = {
  proven: { label: "proven", sign: "✓", says: "a trusted TPM has signed it" },
  reported: { label: "reported", sign: "~", says: "software says so; nobody vouches for the TPM that signed it" },
  mismatch: { label: "mismatch", sign: "✕", says: "it is not what was declared" },
  unknown: { label: "unknown", sign: "?", says: "no answer, or only an old one" },
  unproven: { label: "not proved", sign: "–", says: "what it rests on is not right" },
};

export const LINK_WORDS: Readonly<Record<LinkName, { readonly title: string; readonly says: string }>> = {
  tpm: { title: "TPM and quote", says: "who has signed, for which question, and when" },
  firmware: { title: "Firmware", says: "as it was at enrolment, and nothing after its hand-over" },
  loader: { title: "Boot loader", says: "systemd-boot, and the programs that were started (PCR 4)" },
  uki: { title: "UKI", says: "kernel, initrd and command line in one file, and the phases of the boot (PCR 11)" },
  usr: { title: "/usr", says: "every file of the system, by the root hash of dm-verity" },
  configuration: { title: "Configuration", says: "the class's and the node's own Ignition config (PCR 13)" },
  extensions: { title: "Extensions", says: "signed images, merged over /usr and /etc (PCR 13)" },
};

/** Digests in running text are as long as a line. */
export function shortened(text: string): string {
  return text.replaceAll(/[0-9a-f]{32,}/gu, (digest) => `${digest.slice(0, 12)}…`);
}

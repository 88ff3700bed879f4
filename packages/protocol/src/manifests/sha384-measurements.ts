import { SHA384_HEX } from "@ashlar/base";
import { z } from "zod";

/** What a bank of SHA-384 measures of a release, in hexadecimal: the digests beside it in the manifest, by the other hash. */
export type Sha384Measurements = {
  /** Authenticode SHA-384 of systemd-boot, of the UKI and of the kernel inside it. */
  readonly bootLoader: string;
  readonly uki: string;
  readonly linux: string;
  /** The measured sections in the order of measuring, each with the SHA-384 of its data. */
  readonly sections: readonly { readonly name: string; readonly sha384: string }[];
};

const digest = z.string().regex(SHA384_HEX, "expected 96 lower-case hexadecimal digits");

export const sha384Schema: z.ZodType<Sha384Measurements> = z.strictObject({
  bootLoader: digest,
  uki: digest,
  linux: digest,
  sections: z.array(z.strictObject({ name: z.string().max(8), sha384: digest })).max(16),
});

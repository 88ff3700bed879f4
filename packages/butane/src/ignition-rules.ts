/** Where the versions of Ignition configs differ in more than their keys. */
export type IgnitionRules = {
  /** Schemes of URLs that can be fetched. */
  readonly schemes: readonly string[];
  /** Digests that contents can be verified with, and their lengths in hexadecimal digits. */
  readonly hashes: Readonly<Record<string, number>>;
  readonly filesystemFormats: readonly string[];
  readonly linksNeedTargets: boolean;
  /** Whether the setuid, setgid and sticky bits of modes are kept. */
  readonly specialModeBits: boolean;
};

const SCHEMES = ["http", "https", "tftp", "s3", "data"] as const;
const FORMATS = ["ext4", "btrfs", "xfs", "vfat", "swap"] as const;

export const RULES_3_0: IgnitionRules = {
  schemes: SCHEMES,
  hashes: { sha512: 128 },
  filesystemFormats: FORMATS,
  linksNeedTargets: false,
  specialModeBits: false,
};

export const RULES_3_1: IgnitionRules = { ...RULES_3_0, hashes: { sha256: 64, sha512: 128 } };

export const RULES_3_2: IgnitionRules = { ...RULES_3_1, schemes: [...SCHEMES, "gs"] };

export const RULES_3_3: IgnitionRules = {
  ...RULES_3_2,
  filesystemFormats: [...FORMATS, "none"],
  linksNeedTargets: true,
};

export const RULES_3_4: IgnitionRules = { ...RULES_3_3, schemes: [...SCHEMES, "gs", "arn"], specialModeBits: true };

/**
 * The programs and files that Ashlar takes from the host, the Debian package that brings each, and why it is needed.
 * Package names are the same in Debian and Ubuntu, which lacks one of them. What every installation has (coreutils, tar, util-linux) is not here.
 */
export const HOST_PACKAGES: readonly HostPackage[] = [
  {
    name: "mmdebstrap",
    provides: ["mmdebstrap"],
    parts: ["image"],
    why: "makes the image's tree from Debian packages",
  },
  {
    name: "debian-archive-keyring",
    provides: ["/usr/share/keyrings/debian-archive-keyring.gpg"],
    parts: ["image"],
    why: "checks the signatures of those packages, also on Ubuntu",
  },
  { name: "gpg", provides: ["gpg"], parts: ["image"], why: "reads that keyring for mmdebstrap" },
  { name: "dosfstools", provides: ["mkfs.vfat"], parts: ["image"], why: "formats the EFI system partition" },
  { name: "mtools", provides: ["mcopy"], parts: ["image"], why: "fills the EFI system partition without mounting it" },
  { name: "binutils", provides: ["strip"], parts: ["image"], why: "takes Node's symbols out of the node's program" },
  { name: "xz-utils", provides: ["xz"], parts: ["image"], why: "compresses releases as systemd-sysupdate knows it" },
  {
    name: "qemu-system-x86",
    provides: ["qemu-system-x86_64"],
    parts: ["lab", "test"],
    why: "runs the lab's virtual machines",
    // QEMU 7.2 crashes Linux 6.12 guests (cmpxchg16b) when it emulates the processor.
    oldest: { program: "qemu-system-x86_64", version: [8, 2] },
  },
  {
    name: "ovmf",
    provides: [
      "/usr/share/OVMF/OVMF_CODE_4M.fd",
      "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
      "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ],
    parts: ["lab", "test"],
    why: "is the UEFI firmware of those machines",
  },
  { name: "swtpm", provides: ["swtpm"], parts: ["lab", "test"], why: "gives each machine a TPM 2.0" },
  {
    name: "swtpm-tools",
    provides: ["swtpm_setup"],
    parts: ["lab", "test"],
    why: "makes that TPM's endorsement key and certificate",
  },
  { name: "openssh-client", provides: ["ssh", "ssh-keygen"], parts: ["lab", "test"], why: "logs in to lab machines" },
  {
    name: "openssh-server",
    provides: ["/usr/sbin/sshd"],
    parts: ["test"],
    why: "is what nodes are audited through",
  },
  { name: "sudo", provides: ["sudo"], parts: ["test"], why: "is how such nodes give root's rights" },
  { name: "rpm", provides: ["rpm", "rpmbuild"], parts: ["test"], why: "makes trees of its packages to audit" },
  {
    name: "cryptsetup-bin",
    provides: ["veritysetup"],
    parts: ["test"],
    why: "is what our dm-verity is compared with",
  },
  {
    name: "tpm2-tools",
    provides: ["tpm2_checkquote", "tpm2_eventlog", "tpm2_makecredential"],
    parts: ["test"],
    why: "is what our reading of quotes and event logs is compared with",
  },
  { name: "fdisk", provides: ["sfdisk"], parts: ["test"], why: "is what our partition tables are compared with" },
  {
    name: "sbsigntool",
    provides: ["sbsign", "sbverify", "sbsiglist"],
    parts: ["test"],
    why: "is what our signatures for Secure Boot are compared with",
  },
  {
    name: "osslsigncode",
    provides: ["osslsigncode"],
    parts: ["test"],
    why: "is what our Authenticode digests are compared with",
  },
  { name: "openssl", provides: ["openssl"], parts: ["test"], why: "makes keys and certificates for tests" },
  { name: "nginx-light", provides: ["nginx"], parts: ["test"], why: "is the web server that ours is compared with" },
  { name: "groff-base", provides: ["groff"], parts: ["test"], why: "is what our manual pages are set with" },
  { name: "erofs-utils", provides: ["mkfs.erofs", "dump.erofs"], parts: ["test"], why: "makes file systems for tests" },
  {
    name: "squashfs-tools",
    provides: ["mksquashfs"],
    parts: ["test"],
    why: "makes the image that building an extension is compared with",
  },
  {
    name: "chromium-headless-shell",
    provides: ["chromium-headless-shell"],
    parts: ["test"],
    why: "is the browser that the Butane package has to work in",
    onlyOn: "debian",
  },
];

export type HostPackage = {
  readonly name: string;
  /** Programs, looked up on PATH, and absolute paths of files. The package is there when all of them are. */
  readonly provides: readonly string[];
  readonly parts: readonly HostPart[];
  /** Completes "NAME: ". */
  readonly why: string;
  /** The only distribution that has it; elsewhere what needs it is left out, and says so. */
  readonly onlyOn?: "debian";
  /** The oldest release that works: major and minor number. */
  readonly oldest?: { readonly program: string; readonly version: readonly [number, number] };
};

/** What a user wants to do: build images, run virtual machines, run the project's own tests. */
export const HOST_PARTS = ["image", "lab", "test"] as const;
export type HostPart = (typeof HOST_PARTS)[number];

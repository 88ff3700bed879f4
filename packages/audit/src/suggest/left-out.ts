import type { NoiseRule } from "../rules/noise-rule.ts";

/**
 * What stands below /etc without a package that brought it, and is still no configuration that a class declares. What differs from
 * node to node is known already (rules/known-noise.ts). The first rule that matches is told as the reason.
 */
export const LEFT_OUT: readonly NoiseRule[] = [
  {
    name: "users",
    reason: "users are declared, with their keys; their lists are made from that",
    matches: [
      ...["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].flatMap((name) => [
        `/etc/${name}`,
        `/etc/${name}-`,
      ]),
      "/etc/.pwd.lock",
    ],
    ignores: "all",
  },
  {
    name: "cluster-credentials",
    reason: "a node gets them when it joins",
    matches: [
      "/etc/kubernetes/*.conf",
      "/etc/kubernetes/pki/**",
      "/etc/kubernetes/manifests/**",
      "/var/lib/kubelet/pki/**",
    ],
    ignores: "all",
  },
  {
    name: "certificate-stores",
    reason: "made from the certificates of packages, and of /usr/local/share/ca-certificates",
    matches: [
      "/etc/ssl/certs/**",
      "/etc/pki/ca-trust/extracted/**",
      "/etc/ca-certificates.conf",
      "/etc/ca-certificates/**",
    ],
    ignores: "all",
  },
  {
    name: "package-managers",
    reason: "a node has no package manager: software comes with releases and extensions",
    matches: [
      ...["apt", "dpkg", "yum", "yum.repos.d", "dnf", "zypp", "snap", "rpm", "python3", "perl"].map(
        (name) => `/etc/${name}/**`,
      ),
      "/etc/update-manager/**",
      "/etc/update-motd.d/**",
    ],
    ignores: "all",
  },
  {
    name: "first-boot",
    reason: "Ignition does at each boot what these did once",
    matches: [
      "/etc/cloud/**",
      "/etc/netplan/50-cloud-init.yaml",
      "/etc/machine-info",
      "/etc/ssh/sshd_config.d/*-cloud*",
    ],
    ignores: "all",
  },
  {
    name: "boot",
    reason: "loader, initrd and the table of disks are the image's",
    matches: [
      "/etc/default/grub*",
      "/etc/grub.d/**",
      "/etc/kernel/**",
      "/etc/kernel-img.conf",
      "/etc/dracut.conf.d/**",
      "/etc/initramfs-tools/**",
      "/etc/fstab",
      "/etc/crypttab",
      "/etc/mtab",
      "/etc/vconsole.conf",
    ],
    ignores: "all",
  },
  {
    name: "links-of-packages",
    reason: "made by the scripts of packages",
    matches: [
      "/etc/alternatives/**",
      "/etc/rc*.d/**",
      "/etc/init.d/**",
      "/etc/systemd/**/*.wants/**",
      "/etc/systemd/**/*.requires/**",
      "/etc/systemd/system/dbus-*.service",
      "/etc/apparmor.d/local/**",
      "/etc/ld.so.cache",
      "/etc/udev/hwdb.bin",
      "/etc/os-release",
      "/etc/environment",
      "/etc/default/locale",
      "/etc/shells",
      "/etc/locale.gen",
      "/etc/localtime",
      "/etc/timezone",
      "/etc/nsswitch.conf",
      "/etc/pam.d/common-*",
    ],
    ignores: "all",
  },
];

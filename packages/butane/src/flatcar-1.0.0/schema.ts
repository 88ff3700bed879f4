import {
  boolean,
  butaneOnly,
  ignitionOnly,
  integer,
  list,
  object,
  optional,
  required,
  text,
  type Field,
  type ObjectSchema,
} from "../schema/schema.ts";

/** Flatcar 1.0.0, which becomes Ignition 3.3.0. Released: this folder does not change any more. */

const SCHEMES = "http, https, tftp, s3, gs or data";

function resource(what: string): ObjectSchema {
  return object("Resource", [
    optional("compression", text, `How ${what} is compressed at the source. Not with S3.`, { values: ["", "gzip"] }),
    optional("http_headers", list(httpHeader), "Headers of the request, for http and https sources only."),
    optional("source", text, `URL of ${what}: ${SCHEMES}. Excludes inline and local.`),
    butaneOnly(optional("inline", text, `${capital(what)} itself. Excludes source and local.`)),
    butaneOnly(
      optional("local", text, `File that holds ${what}, relative to --files-dir. Excludes source and inline.`),
    ),
    optional("verification", verification, `How ${what} is verified after it was fetched.`),
  ]);
}

const httpHeader = object("HttpHeader", [
  required("name", text, "Name of the header."),
  optional("value", text, "Value of the header."),
]);

const verification = object("Verification", [
  optional("hash", text, "Digest of the decompressed bytes: sha256- or sha512-, then hexadecimal digits."),
]);

const ignition = object("Ignition", [
  optional(
    "config",
    object("IgnitionConfigSources", [
      optional("merge", list(resource("the config")), "Configs that are merged into this one, in this order."),
      optional("replace", resource("the config"), "Config that replaces this one."),
    ]),
    "Other Ignition configs that take part.",
  ),
  optional(
    "proxy",
    object("Proxy", [
      optional("http_proxy", text, "Proxy URL for http, and for https where https_proxy is not given."),
      optional("https_proxy", text, "Proxy URL for https."),
      optional(
        "no_proxy",
        list(text),
        "Hosts reached without proxy: addresses, CIDR prefixes, domains (with their subdomains; with a leading dot only those) or *.",
      ),
    ]),
    "Proxies for Ignition's own requests.",
  ),
  optional(
    "security",
    object("Security", [
      optional(
        "tls",
        object("Tls", [
          optional(
            "certificate_authorities",
            list(resource("the PEM bundle")),
            "Certificate authorities trusted beside the system's. Each needs its own source.",
          ),
        ]),
        "TLS settings for https sources.",
      ),
    ]),
    "Network security.",
  ),
  optional(
    "timeouts",
    object("Timeouts", [
      optional("http_response_headers", integer, "Seconds to wait for response headers. Default 10; 0 waits forever."),
      optional("http_total", integer, "Seconds for a whole request with its retries. Default 0, which waits forever."),
    ]),
    "Limits on http and https requests.",
  ),
  ignitionOnly(required("version", text, "Version of the Ignition config: 3.3.0.")),
]);

const kernelArguments = object("KernelArguments", [
  optional("should_exist", list(text), "Arguments that must be on the kernel command line."),
  optional("should_not_exist", list(text), "Arguments that must not be on the kernel command line."),
]);

const group = object("PasswdGroup", [
  optional("gid", integer, "Numeric group ID."),
  required("name", text, "Name of the group, unique among groups."),
  optional("password_hash", text, "Encrypted password."),
  optional("should_exist", boolean, "False deletes the group. Default true."),
  optional("system", boolean, "Make it a system group, when it is created."),
]);

const user = object("PasswdUser", [
  optional("gecos", text, "GECOS field: usually the full name."),
  optional("groups", list(text), "Supplementary groups."),
  optional("home_dir", text, "Home directory."),
  required("name", text, "Name of the account, unique among users."),
  optional("no_create_home", boolean, "Do not create the home directory of a new account."),
  optional("no_log_init", boolean, "Do not add a new account to lastlog and faillog."),
  optional("no_user_group", boolean, "Do not create a group with the name of a new account."),
  optional("password_hash", text, "Encrypted password."),
  optional("primary_group", text, "Name of the primary group."),
  optional("ssh_authorized_keys", list(text), "SSH public keys that may log in. Each must be unique."),
  optional("shell", text, "Login shell."),
  optional("should_exist", boolean, "False deletes the account. Default true."),
  optional("system", boolean, "Make it a system account, when it is created."),
  optional("uid", integer, "Numeric user ID."),
]);

const owner = [
  optional("id", integer, "Numeric ID. Excludes name."),
  optional("name", text, "Name. Excludes id."),
] as const;

function node(what: string, overwrite: string): readonly Field[] {
  return [
    optional("group", object("NodeOwner", owner), `Group of the ${what}.`),
    optional("overwrite", boolean, overwrite),
    required("path", text, `Absolute path of the ${what}, unique among files, directories and links.`),
    optional("user", object("NodeOwner", owner), `Owner of the ${what}.`),
  ];
}

const directory = object("Directory", [
  ...node("directory", "True deletes what exists at the path first; false keeps an existing directory. Default false."),
  optional("mode", integer, "Permissions, in octal with a leading zero (0755). Default 0755."),
]);

const file = object("File", [
  ...node("file", "Replace what exists at the path; needs contents. Default false."),
  optional("append", list(resource("the fragment")), "Fragments appended to the file, in this order."),
  optional("contents", resource("the file"), "What the file contains. Without it an existing file is kept."),
  optional("mode", integer, "Permissions, in octal with a leading zero (0644). Default 0644."),
]);

const link = object("Link", [
  ...node("link", "Replace what exists at the path. Default false."),
  optional("hard", boolean, "Hard instead of symbolic link. Default false."),
  optional("target", text, "Where the link points."),
]);

const partition = object("Partition", [
  optional("guid", text, "Unique GUID of the partition."),
  optional("label", text, "Partition label (PARTLABEL), at most 36 characters."),
  { ...optional("number", integer, "Place in the table, from 1. 0 takes the next free one."), presence: "nonzero" },
  optional("resize", boolean, "Change the size of an existing partition that matches otherwise. Default false."),
  optional("should_exist", boolean, "False deletes the partition with this number. Default true."),
  optional("size_mib", integer, "Size in MiB. 0 takes all the space there is.", { json: "sizeMiB" }),
  optional("start_mib", integer, "Start in MiB. 0 takes the start of the largest free block.", { json: "startMiB" }),
  optional("type_guid", text, "Partition type GUID. Default: Linux file system data."),
  optional("wipe_partition_entry", boolean, "Replace an existing partition that differs. Default false, which fails."),
]);

const disk = object("Disk", [
  required("device", text, "Absolute path of the disk, best one in /dev/disk/by-*. Unique among disks."),
  optional("partitions", list(partition), "Partitions, each with its own number or, where that is 0, label."),
  optional("wipe_table", boolean, "Erase the partition table first. Default false."),
]);

const raid = object("Raid", [
  optional("devices", list(text), "Absolute paths of the member devices."),
  optional("level", text, "RAID level, for example raid1."),
  required("name", text, "Name of the md device, unique among arrays."),
  optional("options", list(text), "Further options for mdadm."),
  optional("spares", integer, "How many of the devices are spares."),
]);

const filesystem = object("Filesystem", [
  required("device", text, "Absolute path of the device. Unique among filesystems."),
  optional("format", text, "Format of the file system.", {
    values: ["ext4", "btrfs", "xfs", "vfat", "swap", "none"],
  }),
  optional("label", text, "Label of the file system."),
  optional("mount_options", list(text), "Options for mount."),
  optional("options", list(text), "Further options for mkfs."),
  optional("path", text, "Where it is mounted while Ignition runs, seen from the new root."),
  optional("uuid", text, "UUID of the file system."),
  optional("wipe_filesystem", boolean, "Always make a new file system. Default false, which reuses a matching one."),
  butaneOnly(
    optional(
      "with_mount_unit",
      boolean,
      "Also write a mount unit, or a swap unit, named after the path or device. Default false.",
    ),
  ),
]);

const luks = object("Luks", [
  optional(
    "clevis",
    object("Clevis", [
      optional(
        "custom",
        object("ClevisCustom", [
          optional("config", text, "Configuration of the pin, in JSON."),
          optional("needs_network", boolean, "Whether the pin needs the network."),
          optional("pin", text, "Name of the pin."),
        ]),
        "A Clevis pin of one's own.",
      ),
      optional(
        "tang",
        list(
          object("Tang", [
            optional("thumbprint", text, "Thumbprint of the server's key."),
            required("url", text, "URL of the server."),
          ]),
        ),
        "Tang servers.",
      ),
      optional("threshold", integer, "How many of the pins must answer. Default 1."),
      optional("tpm2", boolean, "Bind to the TPM."),
    ]),
    "Not supported by Flatcar: must be left out.",
  ),
  optional("device", text, "Absolute path of the device that is encrypted."),
  optional("key_file", resource("the key file"), "The key. Without it a random one is made."),
  optional("label", text, "Label of the LUKS header."),
  required("name", text, "Name of the decrypted device, unique among volumes."),
  optional("options", list(text), "Further options for cryptsetup luksFormat."),
  optional("uuid", text, "UUID of the LUKS header."),
  optional("wipe_volume", boolean, "Always make a new volume. Default false."),
]);

const tree = object("Tree", [
  required("local", text, "Root of the local tree, relative to --files-dir."),
  optional("path", text, "Where the tree goes. Default /."),
]);

const storage = object("Storage", [
  optional("directories", list(directory), "Directories that must exist."),
  optional("disks", list(disk), "Disks to be partitioned."),
  optional("files", list(file), "Files to be written."),
  optional("filesystems", list(filesystem), "File systems to be made."),
  optional("links", list(link), "Links to be made."),
  optional("luks", list(luks), "Encrypted volumes to be made."),
  optional("raid", list(raid), "RAID arrays to be made."),
  butaneOnly(
    optional(
      "trees",
      list(tree),
      "Local directory trees to be embedded. Executable files get mode 0755, others 0644. An entry in files, directories or links for the same path sets its attributes.",
    ),
  ),
]);

const dropin = object("Dropin", [
  optional("contents", text, "The drop-in itself."),
  required("name", text, "Name of the drop-in, ending in .conf."),
]);

const unit = object("Unit", [
  optional("contents", text, "The unit itself."),
  optional("dropins", list(dropin), "Drop-ins, each with its own name."),
  optional("enabled", boolean, "Enable (true) or disable (false) the unit, which needs an [Install] section."),
  optional("mask", boolean, "Mask (true) or unmask (false) the unit."),
  required("name", text, "Name of the unit with its type, for example kubelet.service."),
]);

export const schema: ObjectSchema = object("Config", [
  butaneOnly(required("variant", text, "Must be flatcar.", { values: ["flatcar"] })),
  butaneOnly(required("version", text, "Must be 1.0.0.", { values: ["1.0.0"] })),
  optional("ignition", ignition, "Settings of Ignition itself."),
  optional("kernel_arguments", kernelArguments, "Kernel command line."),
  optional(
    "passwd",
    object("Passwd", [
      optional("groups", list(group), "Groups to be added, changed or deleted."),
      optional("users", list(user), "Accounts to be added, changed or deleted."),
    ]),
    "Users and groups.",
  ),
  optional("storage", storage, "Disks, file systems, files."),
  optional(
    "systemd",
    object("Systemd", [optional("units", list(unit), "Units, each with its own name.")]),
    "Systemd units.",
  ),
]);

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** The initrd's programs in a root of its own, with a /var of few inodes. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const OS = join(import.meta.dirname, "../os");

/** In a mount namespace of its own. `$1`: an empty directory, `$2`: os/. */
const PREPARE = `
set -eu
mount -t tmpfs tmpfs "$1"
# As systemd leaves it.
mount --make-shared "$1"
cd "$1"
mkdir -p usr proc tmp sysroot var-of-node state-of-node run/ashlar/var run/ashlar/state image/share/factory/etc image/lib/ashlar
for directory in bin sbin lib lib64; do ln -s usr/$directory $directory; done
mount --rbind /usr usr
mount --rbind /proc proc
cp "$2/usr/lib/ashlar/persist.list" image/lib/ashlar
cp "$2/initrd/90ashlar/ashlar-root" .
mount -t tmpfs -o nr_inodes=100 tmpfs var-of-node
mount -t tmpfs tmpfs state-of-node
with_state_partition() { state=state-of-node; }
without_state_partition() { state=; }
with_state_partition
boot() {
    mount -t tmpfs tmpfs sysroot
    mkdir sysroot/usr
    mount --bind image sysroot/usr
    mount --bind var-of-node run/ashlar/var
    # As ashlar-mount does.
    if [ "$state" ]; then
        mount --bind "$state" run/ashlar/state
    else
        mkdir -p run/ashlar/var/lib/ashlar
        mount --make-private --bind run/ashlar/var/lib/ashlar run/ashlar/state
    fi
    chroot . /bin/sh ashlar-root
}
halt() { umount --recursive sysroot; }
fill() { n=0; while touch "sysroot/var/$1-$((n += 1))" 2>/dev/null; do :; done; }
`;

function inNamespace(
  context: TestContext,
  script: string,
): { readonly status: number | null; readonly output: string } {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-initrd-root-"));
  context.after(() => rmdirSync(directory));
  const args = ["--mount", "sh", "-c", PREPARE + script, "sh", directory, OS];
  const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

for (const layout of ["with_state_partition", "without_state_partition"]) {
  test(`a boot needs nothing free in /var, and begins with empty container storage: ${layout}`, (context) => {
    if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
    const { status, output } = inNamespace(
      context,
      `
    ${layout}
    boot
    touch sysroot/var/lib/containerd/image
    fill pod
    for n in 1 2 3; do halt; boot; fill "pod-$n"; done
    ls sysroot/var/lib/containerd sysroot/var/lib/kubelet
    `,
    );
    assert.equal(status, 0, output);
    assert.match(output, /^sysroot\/var\/lib\/containerd:\n\nsysroot\/var\/lib\/kubelet:\npki\n/mu);
  });
}

test("what persists of Ashlar and the journal are on the state partition, whatever became of /var", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const { status, output } = inNamespace(
    context,
    `
    boot
    cp sysroot/etc/machine-id first-id
    echo entry >sysroot/var/log/journal/entry
    echo key >sysroot/var/lib/ashlar/persist/var/lib/kubelet/pki/key
    touch sysroot/var/lib/containerd/image
    fill pod
    halt
    ls -A var-of-node/lib/ashlar var-of-node/log/journal run/ashlar/state
    boot 2>/dev/null
    cmp first-id sysroot/etc/machine-id
    cat sysroot/var/log/journal/entry sysroot/var/lib/ashlar/persist/var/lib/kubelet/pki/key
    ls state-of-node
    `,
  );
  assert.equal(status, 0, output);
  const empty = ["run/ashlar/state", "var-of-node/lib/ashlar", "var-of-node/log/journal"].map((path) => `${path}:\n`);
  assert.equal(output, `${empty.join("\n")}entry\nkey\njournal\nmachine-id\npersist\n`);
});

test("without a state partition the journal stays where it is, and so does the machine's name", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const { status, output } = inNamespace(
    context,
    `
    without_state_partition
    mkdir -p var-of-node/log/journal var-of-node/lib/ashlar
    echo 0123456789abcdef0123456789abcdef >var-of-node/lib/ashlar/machine-id
    echo entry >var-of-node/log/journal/entry
    boot
    cat sysroot/etc/machine-id sysroot/var/log/journal/entry
    ls run/ashlar/state
    `,
  );
  assert.equal(status, 0, output);
  assert.equal(output, "0123456789abcdef0123456789abcdef\nentry\n");
});

test("the state partition is taken unless /var already says who the node is; links on it lead nowhere", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const { status, output } = inNamespace(
    context,
    `
    cp "$2/initrd/90ashlar/ashlar-mount" .
    mkdir -p dev/disk/by-partlabel
    cp --archive /dev/loop* /dev/null dev
    partition() { truncate -s 8M dev/disk/by-partlabel/$1; mkfs.ext4 -q dev/disk/by-partlabel/$1; }
    mounted() {
        umount run/ashlar/state run/ashlar/var 2>/dev/null || true
        chroot . /bin/sh ashlar-mount
        sed -n "s|^[^/]* \\([^ ]*\\) $1/run/ashlar/state \\([^ ]*\\) .*|\\1 \\2|p" /proc/self/mountinfo
    }
    partition ashlar-var
    mounted "$1"
    partition ashlar-state
    mounted "$1"
    echo id >run/ashlar/var/lib/ashlar/machine-id
    mounted "$1"
    `,
  );
  assert.equal(status, 0, output);
  const none = "no state partition: what workloads write to /var can take what updates and proofs need";
  const options = "rw,nosuid,nodev,noexec,noatime,nosymfollow";
  const ofVar = `${none}\n/lib/ashlar ${options}\n`;
  assert.equal(output, `${ofVar}/ ${options}\n${ofVar}`);
});

test("not even the block of what a boot removes is needed", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const { status, output } = inNamespace(
    context,
    `
    boot
    mkdir -m 0700 sysroot/var/lib/containerd/.layers
    chmod 0777 sysroot/var/lib/containerd
    fill pod
    halt
    # As ext4 when its own reserve was used: what a directory had is not there for another one once it is removed.
    exec 8<var-of-node/lib/containerd 9<var-of-node/lib/containerd/.layers
    boot
    fill pod-2
    stat --format 'mode %a' sysroot/var/lib/containerd
    ls -A sysroot/var/lib/containerd
    `,
  );
  assert.equal(status, 0, output);
  assert.match(output, /^mode 755\n(?!\.layers)/u, output);
});

test("the initrd runs programs of the image's /usr, with its libraries, and gives their exit status", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const { status, output } = inNamespace(
    context,
    `
    libraries=lib/x86_64-linux-gnu
    mkdir -p initrd-bin sysusr/usr/lib/ashlar sysusr/usr/sbin sysusr/usr/$libraries
    # Not these, but those of the image: see run-from-usr.
    mount -t tmpfs tmpfs usr
    mkdir -p usr/bin usr/$libraries usr/lib64
    for path in bin/sh bin/dash $libraries/libc.so.6 lib64/ld-linux-x86-64.so.2; do
        cp --dereference "/usr/$path" "usr/$path"
    done
    mount --bind /usr/$libraries sysusr/usr/$libraries
    mount --bind /usr/sbin sysusr/usr/sbin
    cp "$2/initrd/90ashlar/run-from-usr" initrd-bin
    for program in e2fsck mkfs.ext4 jq; do ln -s run-from-usr initrd-bin/$program; done
    truncate -s 16M disk
    in_initrd() { chroot . /usr/bin/sh -c "PATH=/initrd-bin:/usr/bin; $1"; }
    set +e
    in_initrd 'e2fsck -n /disk'; echo "no /usr: $?"
    printf '#!/bin/sh\n' >sysusr/usr/lib/ashlar/ignition; chmod +x sysusr/usr/lib/ashlar/ignition
    in_initrd 'e2fsck -p /disk' >/dev/null; echo "no file system: $?"
    in_initrd 'mkfs.ext4 -q /disk' && in_initrd 'e2fsck -p -f /disk'; echo "made and checked: $?"
    in_initrd 'jq --version'; echo "not in the image: $?"
    /usr/sbin/dumpe2fs -h disk 2>/dev/null | grep -o ' extent '
    `,
  );
  assert.equal(status, 0, output);
  assert.match(output, /^e2fsck: expected it in the image's \/usr/mu);
  assert.match(output, /^no \/usr: 127$/mu);
  assert.match(output, /^no file system: 8$/mu);
  assert.match(output, /^made and checked: 0$/mu);
  assert.match(output, /^not in the image: 127$/mu);
  // mke2fs goes by the name that it is called by: without it, it makes ext2.
  assert.match(output, /^ extent $/mu);
});

/** What a boot that failed in the initrd leaves behind, with the program in a root of its own and a disk in a file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const PROGRAM = join(import.meta.dirname, "../os/initrd/90ashlar/ashlar-stop");

/**
 * In a mount namespace of its own. `$1`: an empty directory, `$2`: the program. Only what needs a running systemd, and the
 * waiting, is played: each call of it is a line of `calls`.
 */
const PREPARE = `
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir -p usr proc tmp sysroot run/ashlar played dev/disk/by-partlabel sys/firmware/efi/efivars
for directory in bin sbin lib lib64; do ln -s usr/$directory $directory; done
mount --rbind /usr usr
mount --bind /proc proc
echo "root=tmpfs usrhash=0123abcd quiet" >cmdline
mount --bind cmdline proc/cmdline
cp "$2" ashlar-stop
truncate -s 16M disk
mkfs.ext4 -q disk
mkdir disk-here
mount -o loop disk disk-here
loop=$(findmnt -n -o SOURCE disk-here)
cp -a "$loop" dev
ln -s "../../\${loop##*/}" dev/disk/by-partlabel/ashlar-var
mkdir -p disk-here/lib/ashlar/update
for program in systemctl journalctl sleep; do
    printf '#!/bin/sh\\necho "%s $*" >>/calls\\n' $program >played/$program
done
cat >>played/systemctl <<'EOF'
[ "$1" != --failed ] || echo "ashlar-config.service loaded failed failed"
EOF
echo 'echo "the TPM has no SHA-256 bank"' >>played/journalctl
chmod +x played/*
stop() { chroot . /bin/sh -c 'PATH=/played:$PATH /bin/sh ashlar-stop'; }
on_trial() { touch sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f; }
`;

function inNamespace(context: TestContext, script: string): string {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-initrd-stop-"));
  context.after(() => rmdirSync(directory));
  const args = ["--mount", "sh", "-c", PREPARE + script, "sh", directory, PROGRAM];
  const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

test("a release on trial that stops in the initrd leaves its root hash and why, though nothing has mounted /var", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(
    context,
    `
    on_trial
    stop
    echo "-- record"
    cat disk-here/lib/ashlar/update/failed-boots/*
    echo "-- mounted"
    findmnt -n -o OPTIONS run/ashlar/var
    echo "-- calls"
    cat calls
    `,
  );
  assert.match(output, /^ashlar: boot stopped\nashlar: ashlar-config\.service failed:\nthe TPM has no SHA-256 bank\n/u);
  assert.match(
    output,
    /-- record\nusrhash=0123abcd\nashlar: ashlar-config\.service failed:\nthe TPM has no SHA-256 bank\n/u,
  );
  // Links in /var are others' words: they lead nowhere.
  assert.match(output, /-- mounted\n.*\bnosymfollow\b/u);
  assert.match(output, /sleep 5\nsystemctl --force reboot\n$/u);
});

test("a release that is not on trial stops for longer, and writes nothing", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(context, `stop; ls disk-here/lib/ashlar/update; mountpoint run/ashlar/var || cat calls`);
  assert.match(output, /restarting in 60 seconds\n/u);
  assert.match(output, /sleep 60\nsystemctl --force reboot\n$/u);
});

test("a /var that cannot be mounted keeps no node from its next try", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(context, `on_trial; rm dev/disk/by-partlabel/ashlar-var; stop; cat calls`);
  assert.match(output, /sleep 5\nsystemctl --force reboot\n$/u);
});

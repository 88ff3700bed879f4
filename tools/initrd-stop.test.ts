/** What a boot that failed in the initrd leaves behind, with the program in a root of its own and a disk in a file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const PROGRAMS = join(import.meta.dirname, "../os/initrd/90ashlar");

/**
 * In a mount namespace of its own. `$1`: an empty directory, `$2`: the directory of the programs. Only what needs a running systemd, and the
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
cp "$2/ashlar-mount" .
sed 's|/usr/lib/ashlar/ashlar-mount|/ashlar-mount|' "$2/ashlar-stop" >ashlar-stop
partition() {
    truncate -s 16M "$1"
    mkfs.ext4 -q "$1"
    mkdir "$1-here"
    mount -o loop "$1" "$1-here"
    loop=$(findmnt -n -o SOURCE "$1-here")
    cp -a "$loop" dev
    ln -s "../../\${loop##*/}" "dev/disk/by-partlabel/ashlar-$1"
}
partition var
mkdir -p var-here/lib/ashlar/update
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
  const args = ["--mount", "sh", "-c", PREPARE + script, "sh", directory, PROGRAMS];
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
    cat var-here/lib/ashlar/update/failed-boots/*
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

test("with a state partition the record is on it", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(
    context,
    `
    partition state
    on_trial
    stop >/dev/null
    cat state-here/update/failed-boots/*
    findmnt -n -o OPTIONS run/ashlar/state
    `,
  );
  assert.match(output, /^usrhash=0123abcd\nashlar: ashlar-config\.service failed:\n.*\n.*\bnosymfollow\b/u);
});

test("a release that is not on trial stops for longer, and writes nothing", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(context, `stop; ls var-here/lib/ashlar/update; mountpoint run/ashlar/var || cat calls`);
  assert.match(output, /restarting in 60 seconds\n/u);
  assert.match(output, /sleep 60\nsystemctl --force reboot\n$/u);
});

test("a /var that cannot be mounted keeps no node from its next try", (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic("not tried: only root can mount");
  const output = inNamespace(context, `on_trial; rm dev/disk/by-partlabel/ashlar-var; stop; cat calls`);
  assert.match(output, /sleep 5\nsystemctl --force reboot\n$/u);
});

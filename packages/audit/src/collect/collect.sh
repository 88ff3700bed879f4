# Read by `sh -s -- ROOT` on a node that has nothing of Ashlar: writes what the node consists of to standard output, as fields that
# each end with a NUL (collected/read-collected.ts reads them). Changes nothing, installs nothing.
# POSIX sh; find, xargs, sort, split and sed of GNU, sha256sum of coreutils; dpkg-query or rpm where there are packages.
# Before it there can be a line `known='DIGEST...'`: of the pieces with these digests only the digest is written.
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

has() { command -v "$1" >/dev/null 2>&1; }
fail() {
    printf '%s\n' "$1" >&2
    exit 3
}

# A tree that is looked at from outside may have links that lead out of it.
is_below_no_link() {
    case $1 in */*) ;; *) return 0 ;; esac
    [ ! -L "${1%/*}" ] && is_below_no_link "${1%/*}"
}
is_there() { { [ -e "$1" ] || [ -L "$1" ]; } && is_below_no_link "$1"; }
is_file() { [ -f "$1" ] && [ ! -L "$1" ] && is_below_no_link "$1"; }
is_directory() { [ -d "$1" ] && [ ! -L "$1" ] && is_below_no_link "$1"; }

# A text by name: what a command prints.
text() {
    printf 'text\0%s\0' "$1"
    shift
    "$@" 2>/dev/null | tr -d '\000'
    printf '\0'
}
say() { text "$1" printf '%s' "$2"; }

# Long lists go in pieces, each from a shell of its own. One at a time: a pipe mixes what two of them write.
known=${known-}
tell_piece='
    digest=$(printf %s "$text" | sha256sum)
    digest=$(printf %.32s "$digest")
    if [ "$locked" = 1 ]; then exec 9<. && flock 9; fi
    case " $known " in
        *" $digest "*) printf "same\0%s\0%s\0" "$kind" "$digest" ;;
        *) printf "piece\0%s\0%s\0" "$kind" "$text" ;;
    esac'
# The letter keeps the shell from taking newlines off the end.
read_piece='text=$(cat; printf x); text=${text%x}; '$tell_piece
hash_piece='text=$(sha256sum -- "$@" 2>/dev/null; printf x); text=${text%x}; [ -n "$text" ] || exit 0; '$tell_piece
pieces() { kind=$1 locked=0 split -l "$2" --filter="$read_piece"; }

# Larger files are told, not read: they would take minutes each, and sparse ones hours.
hashed='-size -17179869185c'
digests() {
    # shellcheck disable=SC2086 # two words
    {
        find "$@" -xdev -type f -links 1 $hashed -print0
        # Of several names of one file, one.
        find "$@" -xdev -type f -links +1 $hashed -printf '%D:%i %p\0' | sort -z -u -t ' ' -k 1,1 | sed -z 's/^[^ ]* //'
    } | kind=sha256 xargs -0 -r -n 500 -P "$processors" sh -c "$hash_piece" sh
}
# Two lines for each: what it is with its path, and where a link leads. Newlines are written as \n, backslashes as \\.
records() {
    find "$@" -xdev -printf '%n %D %i %T@ %y %m %U %G %s %p\0%l\0' | sed -z 's/\\/\\\\/g; s/\n/\\n/g' | tr '\000' '\n'
}
files() {
    records "$@" 2>/dev/null | pieces files 4000
    find "$@" -xdev -type d ! \( -readable -executable \) -printf 'unread\0%p\0' 2>/dev/null
    digests "$@" 2>/dev/null
    find "$@" -xdev -type f -newerct "@$started" -printf 'changed\0%p\0' 2>/dev/null
}

capabilities() { find "$@" -xdev -type f -perm /111 -print0 | xargs -0 -r getcap; }

# A head with the name of each list of files, then its lines.
dpkg_files() {
    find var/lib/dpkg/info -maxdepth 1 -type f -name '*.list' -print0 | xargs -0 -r tail -v -n +1 --
}
dpkg_log() {
    {
        find var/log -maxdepth 1 -type f -name 'dpkg.log*.gz' -print0 | sort -z -r | xargs -0 -r gzip -dc --
        find var/log -maxdepth 1 -type f -name 'dpkg.log*' ! -name '*.gz' -print0 | sort -z -r | xargs -0 -r cat --
    } | grep -aE '^[0-9-]{10} [0-9:]{8} (install|upgrade|remove|purge) ' | sort -s -k 1,2 | tail -n 20000
}
rpm_query() { rpm --root "$PWD" --dbpath "/$database" -qa "$@"; }
packages() {
    if is_directory var/lib/dpkg; then
        if has dpkg-query; then
            text dpkg dpkg-query --admindir="$PWD/var/lib/dpkg" -W -f '${binary:Package}\t${Version}\t${db:Status-Abbrev}\n'
            text dpkg-conffiles dpkg-query --admindir="$PWD/var/lib/dpkg" -W -f '${Conffiles}\n'
            dpkg_files 2>/dev/null | tr -d '\000' | pieces dpkg-files 5000
        else
            say missing dpkg-query
        fi
        if is_directory var/log; then text dpkg-log dpkg_log; fi
    fi
    for database in usr/lib/sysimage/rpm var/lib/rpm; do
        is_directory "$database" || continue
        # Which of the two it is by default, and which forms it can read, is the matter of the rpm that is here.
        if has rpm && [ -n "$(rpm_query --qf x 2>/dev/null | head -c 1)" ]; then
            text rpm rpm_query --qf '%{NAME}.%{ARCH}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\n'
            rpm_query --qf '==> %{NAME}.%{ARCH} <==\n[%{FILEFLAGS:fflags}\t%{FILENAMES}\n]' 2>/dev/null | tr -d '\000' |
                pieces rpm-files 5000
        else
            say missing rpm
        fi
        break
    done
}

# Two of them are secrets of the node.
settings() { find /proc/sys -type f -perm /222 ! -name tcp_fastopen_key ! -name stable_secret -exec grep -aH '' {} +; }
programs_deleted() { find /proc -maxdepth 2 -name exe -printf '%l\n' | grep -a ' (deleted)$' | sort -u; }
libraries_deleted() {
    grep -ahE '\.so[.0-9]* \(deleted\)$' /proc/[0-9]*/maps | sed 's/^[^/]*//' | sort -u
}
# What is in effect and need not be on the disk.
state() {
    text kernel uname -r
    text command-line cat /proc/cmdline
    text modules cut -d ' ' -f 1 /proc/modules
    text sysctl settings
    text mounts cat /proc/self/mounts
    if [ -d /run/systemd/system ] && has systemctl; then
        text units timeout 120 systemctl list-unit-files --no-legend --no-pager --full
    fi
    text running-deleted programs_deleted
    text libraries-deleted libraries_deleted
    if has kubelet; then text kubelet timeout 60 kubelet --version; fi
}

main() {
    root=${1:-/}
    if has renice; then renice -n 19 -p $$ >/dev/null 2>&1; fi
    if has ionice; then ionice -c 3 -p $$ >/dev/null 2>&1; fi
    for tool in find xargs sort split sed sha256sum tail tr grep; do
        has "$tool" || fail "the program $tool is not there"
    done
    # At the lowest priority, on two processors at most.
    processors=1 locked=0
    if has nproc && [ "$(nproc)" -gt 1 ] && has flock; then processors=2 locked=1; fi
    # What split starts is given to this.
    SHELL=/bin/sh
    export SHELL known locked
    find /dev/null -maxdepth 0 -printf '' 2>/dev/null || fail "find is not the one of GNU"
    cd -- "$root" 2>/dev/null || fail "cannot enter $root"
    started=$(date +%s.%N)

    printf 'ashlar-audit/2\0'
    say user "$(id -u)"
    say started "$started"
    if [ "$PWD" = / ]; then
        text host uname -n
        state
    elif is_file etc/hostname; then
        text host cat etc/hostname
    fi
    for path in etc/os-release usr/lib/os-release; do
        if is_file "$path"; then
            text os-release cat "$path"
            break
        fi
    done
    if is_file etc/passwd; then text users cut -d : -f 1,3,4,6,7 etc/passwd; fi
    packages

    set --
    for path in usr etc opt boot root bin sbin lib* var/spool/cron var/lib/kubelet/*; do
        is_there "$path" || continue
        # Of a kubelet's directory what configures it; the rest are its pods.
        case $path in var/lib/kubelet/*) if [ -d "$path" ]; then continue; fi ;; esac
        set -- "$@" "$path"
    done
    if [ $# -gt 0 ]; then
        if has getcap; then text capabilities capabilities "$@"; else say missing getcap; fi
        files "$@"
    fi
    printf 'end\0'
}

main "$@" </dev/null

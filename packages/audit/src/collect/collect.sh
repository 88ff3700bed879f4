# Read by `sh -s -- ROOT` on a node that has nothing of Ashlar: writes what the node consists of to standard output, as fields that
# each end with a NUL, so that any file name can be told (snapshot/parse-snapshot.ts reads them). Changes nothing, installs nothing.
# POSIX sh; find, xargs, sort and sed of GNU, sha256sum of coreutils; dpkg-query or rpm where there are packages.
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

# Larger files are told, not read: they would take minutes each, and sparse ones hours.
hashed='-size -17179869185c'
# Lines of sha256sum, which writes each at once: two of them do not mix into one pipe.
digests() {
    # shellcheck disable=SC2086 # two words
    {
        find "$@" -xdev -type f -links 1 $hashed -print0
        # Of several names of one file, one.
        find "$@" -xdev -type f -links +1 $hashed -printf '%D:%i %p\0' | sort -z -u -t ' ' -k 1,1 | sed -z 's/^[^ ]* //'
    } | xargs -0 -r -n 500 -P "$processors" sha256sum -- | cat
}
files() {
    find "$@" -xdev -printf 'file\0%n %D %i %T@\0%p\0%y %m %U %G %s %l\0' 2>/dev/null
    find "$@" -xdev -type d ! \( -readable -executable \) -printf 'unread\0%p\0' 2>/dev/null
    printf 'text\0sha256\0'
    digests "$@" 2>/dev/null
    printf '\0'
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
            text dpkg-files dpkg_files
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
            text rpm-files rpm_query --qf '==> %{NAME}.%{ARCH} <==\n[%{FILEFLAGS:fflags}\t%{FILENAMES}\n]'
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
    for tool in find xargs sort sed sha256sum tail tr grep; do
        has "$tool" || fail "the program $tool is not there"
    done
    # At the lowest priority, on two processors at most.
    processors=1
    if has nproc && [ "$(nproc)" -gt 1 ]; then processors=2; fi
    find /dev/null -maxdepth 0 -printf '' 2>/dev/null || fail "find is not the one of GNU"
    cd -- "$root" 2>/dev/null || fail "cannot enter $root"
    started=$(date +%s.%N)

    printf 'ashlar-audit/1\0'
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

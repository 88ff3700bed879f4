# Read by `sh` on a machine that has nothing of Ashlar (ask-machine.ts sends it): prints what there is to know about its TPM and
# firmware, a line for each thing, "name value" or "name base64:...". Changes nothing. POSIX sh; coreutils or busybox.
LC_ALL=C
export LC_ALL
say() { printf '%s\n' "$*"; }
text() { [ -r "$2" ] && say "$1 $(head -c 200 "$2" | tr -c '[:print:]' ' ')"; }
bytes() { [ -r "$2" ] && say "$1 base64:$(head -c "${3:-1048577}" "$2" 2>/dev/null | base64 | tr -d '\n')"; }

say "ashlar-machine 1"
say "user $(id -u)"
say "kernel $(uname -r)"
[ -d /sys/firmware/efi ] && say "uefi yes"
dmi=/sys/class/dmi/id
text vendor $dmi/sys_vendor
text product $dmi/product_name
text firmware-vendor $dmi/bios_vendor
text firmware-version $dmi/bios_version
text firmware-date $dmi/bios_date
variables=/sys/firmware/efi/efivars
bytes secure-boot $variables/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c 16
bytes setup-mode $variables/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c 16
bytes boot-loader $variables/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f 256

tpm=/sys/class/tpm/tpm0
[ -d $tpm ] || exit 0
text tpm-version $tpm/tpm_version_major
for bank in sha1 sha256 sha384 sha512; do
    [ -d "$tpm/pcr-$bank" ] || continue
    say "bank $bank"
    for pcr in 0 1 2 3 4 5 6 7; do text "pcr-$bank-$pcr" "$tpm/pcr-$bank/$pcr"; done
done
for log in /sys/kernel/security/tpm0/binary_bios_measurements /sys/kernel/security/*/binary_bios_measurements; do
    [ -r "$log" ] || continue
    bytes firmware-log "$log"
    break
done

# Commands of the TPM itself (TPM 2.0 Library Part 3): nothing has to be installed for it.
device=/dev/tpmrm0
[ -r $device ] && [ -w $device ] || exit 0
say "tpm-device yes"
answer=$(mktemp) || exit 0
trap 'rm -f "$answer"' EXIT INT TERM
# Sends a command of these bytes, in octal, and keeps the answer.
ask() {
    exec 3<>$device || return 1
    printf "$1" >&3 && dd bs=4096 count=1 <&3 >"$answer" 2>/dev/null
    exec 3>&-
}
octets() { for number in "$@"; do printf '\\%03o' "$number"; done; }
# TPM2_NV_ReadPublic of the index whose last three bytes are given, then TPM2_NV_Read with an empty password, 512 bytes at a time.
index() {
    id="1 $1 $2 $3"
    ask "$(octets 128 1 0 0 0 14 0 0 1 105 $id)" || return
    set -- $(od -An -v -tu1 "$answer")
    [ "$#" -gt 26 ] && [ "$7$8$9" = 000 ] && [ "${10}" = 0 ] || return
    shift 22
    policy=$(($1 * 256 + $2))
    [ "$#" -ge $((policy + 4)) ] || return
    shift $((policy + 2))
    size=$(($1 * 256 + $2))
    [ "$size" -gt 0 ] && [ "$size" -le 8192 ] || return
    at=0
    while [ "$at" -lt "$size" ]; do
        count=$((size - at))
        [ "$count" -le 512 ] || count=512
        ask "$(octets 128 2 0 0 0 35 0 0 1 78 $id $id 0 0 0 9 64 0 0 9 0 0 0 0 0 $((count / 256)) $((count % 256)) $((at / 256)) $((at % 256)))" || return
        [ "$(od -An -v -tu1 -j6 -N4 "$answer" | tr -d ' \n')" = 0000 ] || return
        tail -c +17 "$answer" | head -c "$count"
        at=$((at + count))
    done
}
# Where TCG's EK Credential Profile 2.5 (2.2.1) has EK certificates, then intermediates.
for number in 0:2 0:10 0:18 0:20 0:22 0:24 0:26 0:28 0:30 1:0 1:1 1:2 1:3 1:4 1:5 1:6 1:7; do
    value=$(index 192 "${number%:*}" "${number#*:}" | base64 | tr -d '\n')
    [ -n "$value" ] && say "nv-$number base64:$value"
done
# Where clouds have certificates of attestation keys: Azure, then Google.
for number in 1:208 0:0 0:2; do
    value=$(index 193 "${number%:*}" "${number#*:}" | base64 | tr -d '\n')
    [ -n "$value" ] && say "cloud-$number base64:$value"
done
exit 0

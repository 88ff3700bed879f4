/**
 * What a reader types to check the downloaded files with tpm2-tools, OpenSSL, jq and a shell alone. No text that a node has made is
 * part of it: it can be pasted.
 */
export function checkCommands(
  files: readonly string[],
): readonly { readonly what: string; readonly command: string }[] {
  const has = new Set(files);
  const steps = [
    {
      needs: ["ak.pub", "quote.msg", "quote.sig", "qualifying-data"],
      what: "The TPM's attestation key has signed the quote, over this question",
      command: `tpm2_checkquote --public ak.pub --message quote.msg --signature quote.sig \\
  --hash-algorithm sha256 --qualification qualifying-data && echo "the quote holds"`,
    },
    {
      needs: ["ak.pub"],
      what: "The key signs only what the TPM says (restricted), and is the one that is pinned",
      command: `tpm2_print -t TPM2B_PUBLIC ak.pub | grep -A2 attributes
printf '000b%s\\n' "$(tail -c +3 ak.pub | sha256sum | cut -c1-64)"; jq -r .pin.akName answer.json`,
    },
    {
      needs: ["quote.msg", "answer.json"],
      what: "The PCR values are the signed ones: both digests are the same",
      command: `tpm2_print -t TPMS_ATTEST quote.msg | grep pcrDigest
jq -r '.pcrs | to_entries | sort_by(.key | tonumber) | .[].value' answer.json | tr -d '\\n' | xxd -r -p | sha256sum`,
    },
    {
      needs: ["firmware-log.bin", "answer.json"],
      what: "The firmware's log leads to these values (PCRs 0 to 7 and 9)",
      command: `tpm2_eventlog firmware-log.bin 2>/dev/null | sed -n '/^pcrs:/,$p'
jq .pcrs answer.json`,
    },
    {
      needs: ["userspace-log.cel"],
      what: "What systemd and Ashlar have measured: phases (PCR 11), configuration and extensions (13), machine (15)",
      command: `tr -d '\\036' < userspace-log.cel | jq -r '"\\(.pcr) \\(.content.string)"'`,
    },
    {
      needs: ["ak.pub", "next-boot.json", "next-boot-quote.msg", "next-boot-quote.sig", "next-boot-qualifying-data"],
      what: "The report on the next boot is signed as well",
      command: `tpm2_checkquote --public ak.pub --message next-boot-quote.msg --signature next-boot-quote.sig \\
  --hash-algorithm sha256 --qualification next-boot-qualifying-data && echo "the quote holds"
jq -r '.espFiles[] | "\\(.sha256) \\(.path)"' next-boot.json`,
    },
  ];
  return steps
    .filter(({ needs }) => needs.every((name) => has.has(name)))
    .map(({ what, command }) => ({ what, command }));
}

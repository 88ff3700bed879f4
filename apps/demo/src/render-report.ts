import { printable } from "@ashlar/base";
import type { DemoReport } from "./demo-report.ts";

/** The report as one static page, without scripts and without anything from elsewhere. */
export function renderReport({ release, proof, acts, steps, held }: DemoReport): string {
  const chain: readonly (readonly [string, string, string])[] = [
    [
      "Firmware",
      "PCR 0-7, replayed from its event log",
      "nothing after it handed over; pinned when the node was enrolled",
    ],
    ["systemd-boot and UKI", `PCR 4 = ${release.pcrs["4"]}`, "kernel, initrd and command line, as released"],
    ["/usr", `root hash ${release.usrRootHash}`, `${megabytes(release.usrSizeBytes)}, in the measured command line`],
    ["Boot phases", `PCR 11 = ${release.pcrs["11"]}`, "enter-initrd, leave-initrd, sysinit, ready"],
    ["Configuration", "PCR 13, class and node words", "the Ignition bytes that were applied"],
  ];
  const nodes = proof.nodes.map(
    ({ name, level, release: version, identity, config }) =>
      `<tr><td>${escape(name)}<td class="${escape(level)}">${escape(level)}<td>${escape(version ?? "-")}<td><code>${escape(identity ?? "-")}</code><td><code>${escape(config ?? "-")}</code>`,
  );
  const played = acts.map(
    (act) =>
      `<tr><td>${escape(act.attempt)}<td>${escape(act.result)}<td class="${act.held ? "proven" : "mismatch"}">${act.held ? "held" : "FAILED"}`,
  );
  const links = chain.map(
    ([what, value, meaning]) =>
      `<li><b>${escape(what)}</b> <code>${escape(value)}</code> <span>${escape(meaning)}</span>`,
  );
  const times = steps.map(({ title, seconds }) => `<tr><td>${escape(title)}<td>${seconds} s`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ashlar: two proved nodes</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8885; }
  th, td[class] { white-space: nowrap; }
  code { font-size: .85em; overflow-wrap: anywhere; }
  ol { padding-left: 1.2rem; } li { margin: .4rem 0; } li span { opacity: .75; }
  .proven { color: #18794e; font-weight: 600; } .mismatch { color: #cd2b31; font-weight: 600; } .unknown, .reported { color: #ad5700; font-weight: 600; }
  @media (prefers-color-scheme: dark) { .proven { color: #4cc38a; } .mismatch { color: #ff6369; } .unknown, .reported { color: #ffb224; } }
</style>
<h1>${proof.nodes.length} nodes, ${proof.identities} ${proof.identities === 1 ? "identity" : "identities"}: <span class="${escape(proof.verdict)}">${escape(proof.verdict)}</span></h1>
<p>Ashlar ${escape(release.version)}. ${held ? "Every act ended as it must." : "Not every act ended as it must."}</p>
<h2>Nodes</h2>
<table><tr><th>Node<th>Level<th>Release<th>Identity<th>Class configuration (SHA-256)
${nodes.join("\n")}
</table>
<h2>What was checked, link by link</h2>
<ol>
${links.join("\n")}
</ol>
<p>Signed by each node's TPM over a fresh nonce, with a key that its maker's certificate vouches for.</p>
<h2>Updates and attacks</h2>
<table><tr><th>Attempt<th>What happened<th>
${played.join("\n")}
</table>
<h2>Where the time went</h2>
<table>
${times.join("\n")}
</table>
</html>
`;
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(0)} MB`;
}

/** Text of anybody as text of a page, also inside of an attribute. */
function escape(text: string): string {
  return printable(text).replaceAll(/[&<>"'`]/gu, (character) => `&#${character.charCodeAt(0)};`);
}

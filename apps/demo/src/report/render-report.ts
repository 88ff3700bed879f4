import { summarize } from "../cluster/service-client.ts";
import { type DemoReport, type ReportedAct, secondsOf } from "../demo-report.ts";
import { escapeHtml } from "@ashlar/base";
import { STYLE } from "./style.ts";
import { renderTimeline } from "./timeline.ts";

/** The report as one static page, without scripts and without anything from elsewhere. */
export function renderReport(report: DemoReport): string {
  const { release, proof, acts, steps, verdicts, held } = report;
  const attacks = acts
    .filter(({ act }) => act === "attacks")
    .toSorted((one, other) => one.title.localeCompare(other.title, "en"));
  const updates = acts.filter(({ act }) => act !== "attacks");
  const times = steps.map(
    ({ title, seconds, beside }) =>
      `<tr><td>${escapeHtml(title)}<td class="mark">${seconds} s${beside === true ? ", beside others" : ""}`,
  );
  const minutes = Math.round(secondsOf(steps) / 60);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ashlar: two proved nodes</title>
<style>${STYLE}</style>
<header${held ? "" : ' class="failed"'}>
<h1>${proof.nodes.length} nodes, ${proof.identities} ${proof.identities === 1 ? "identity" : "identities"}: <span class="${escapeHtml(proof.verdict)}">${escapeHtml(proof.verdict)}</span></h1>
<p>Do two machines run the same software, to the last byte? Each one's TPM has signed what it booted; nobody had to log in.</p>
<p class="muted">Ashlar ${escapeHtml(release.version)}, ${minutes} minutes on virtual machines. ${acts.filter((act) => act.held).length} of ${acts.length} updates and attacks ended as they must.</p>
</header>
<h2>Two nodes, side by side</h2>
${renderNodes(proof)}
<h2>What was checked, link by link</h2>
${renderChain(report)}
<p class="muted">Signed by each node's TPM over a fresh nonce, with a key that its maker's certificate vouches for.</p>
${verdicts.length === 0 ? "" : `<h2>What each node was proven to be</h2>\n${renderTimeline(report)}${renderClient(report)}`}
${updates.length === 0 ? "" : `<h2>Updates</h2>\n${renderUpdates(updates)}`}
${attacks.length === 0 ? "" : `<h2>Attacks, each as root or with the machine in hand</h2>\n${renderAttacks(attacks)}`}
<h2>Ask again</h2>
<p>The evidence is beside this page, and report.json has all values whole: <code>./ashlar prove --from out/demo/evidence</code> judges it once more, offline;
<code>tpm2_checkquote</code>, <code>tpm2_eventlog</code> and <code>openssl</code> read the same files.</p>
<details><summary>Where the time went</summary>
<table>
${times.join("\n")}
</table>
</details>
</html>
`;
}

function renderNodes({ nodes }: DemoReport["proof"]): string {
  const rows: readonly (readonly [string, (node: (typeof nodes)[number]) => string])[] = [
    ["Release", ({ release }) => release ?? "-"],
    [
      "Extensions",
      ({ extensions }) => extensions.map((each) => `${each.name} ${each.version ?? "?"}`).join(", ") || "-",
    ],
    ["Class configuration", ({ config }) => shorten(config)],
    ["Identity", ({ identity }) => shorten(identity)],
  ];
  const cells = rows.map(([title, read]) => {
    const values = nodes.map(read);
    const same = values.length > 1 && new Set(values).size === 1;
    const columns = values.map((value) => `<td><code>${escapeHtml(value)}</code>`);
    return `<tr><th>${title}${columns.join("")}<td class="mark${same ? " proven" : ""}">${same ? "the same" : "differs"}`;
  });
  const levels = nodes.map(({ level }) => `<td class="${escapeHtml(level)}">${escapeHtml(level)}`);
  const next = nodes.map(({ nextBoot }) => {
    const level = nextBoot?.level ?? "unknown";
    return `<td class="${escapeHtml(level)}">${escapeHtml(`${nextBoot?.release ?? ""} ${level}`.trim())}`;
  });
  return `<table><thead><tr><th>${nodes.map(({ name }) => `<th>${escapeHtml(name)}`).join("")}<th></thead>
<tbody><tr><th>Runs${levels.join("")}<td>
<tr><th>Boots next${next.join("")}<td>
${cells.join("\n")}
</tbody></table>`;
}

function renderChain({ release }: DemoReport): string {
  const chain: readonly (readonly [string, string, string])[] = [
    ["Firmware", "PCR 0 to 7", "replayed from its event log, pinned when the node was enrolled"],
    [
      "Boot loader and kernel",
      `PCR 4 = ${shorten(release.pcrs["4"])}`,
      "systemd-boot and the UKI: kernel, initrd, command line",
    ],
    [
      "/usr",
      `root hash ${shorten(release.usrRootHash)}`,
      `${megabytes(release.usrSizeBytes)}, each block checked when it is read`,
    ],
    ["Boot phases", `PCR 11 = ${shorten(release.pcrs["11"])}`, "enter-initrd, leave-initrd, sysinit, ready"],
    ["Configuration", "PCR 13, class and node words", "the Ignition bytes that were applied; /etc is made of them"],
    ["Extensions", "PCR 13, in the order of merging", "each root hash, before it is merged over /usr"],
  ];
  const links = chain.map(
    ([what, value, meaning]) =>
      `<li><b>${escapeHtml(what)}</b> <code>${escapeHtml(value)}</code> <span>${escapeHtml(meaning)}</span>`,
  );
  return `<ol class="chain">\n${links.join("\n")}\n</ol>`;
}

function renderClient({ requests }: DemoReport): string {
  if (requests.length === 0) return "";
  return `\n<p class="muted">A client outside of the cluster asked the workload ten times a second while nodes were updated: ${summarize(requests).words}.</p>`;
}

function renderUpdates(acts: readonly ReportedAct[]): string {
  const rows = acts.map((act) => `<tr><td>${escapeHtml(act.attempt)}<td>${escapeHtml(act.result)}${mark(act)}`);
  return `<table><thead><tr><th>What was done<th>What happened<th></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function renderAttacks(acts: readonly ReportedAct[]): string {
  const rows = acts.map(
    (act) =>
      `<tr><td>${escapeHtml(act.attempt)}<td>${escapeHtml(act.reach ?? "-")}<td>${escapeHtml(act.stoppedBy ?? "-")}<td>${escapeHtml(act.result)}${mark(act)}`,
  );
  return `<table><thead><tr><th>Attack<th>What it could do<th>What stops it or names it<th>What was seen<th></thead><tbody>
${rows.join("\n")}
</tbody></table>`;
}

function mark({ held }: ReportedAct): string {
  return held ? '<td class="mark held">held' : '<td class="mark failed">FAILED';
}

/** Enough to compare by eye; report.json has it whole. */
function shorten(digest: string | null): string {
  if (digest === null) return "-";
  return digest.length > 24 ? `${digest.slice(0, 24)}…` : digest;
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(0)} MB`;
}

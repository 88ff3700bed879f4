import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { clock } from "@ashlar/host/terminal";
import type { FleetVerdict } from "@ashlar/identity";
import type { Lab } from "@ashlar/lab";
import { parseManifest } from "@ashlar/protocol/answers";
import { otherLab, playAct } from "./acts.ts";
import { buildFirst, provision } from "./acts/provision.ts";
import { buildParts } from "./build-parts.ts";
import { playClusterAct, provisionCluster } from "./cluster/cluster-acts.ts";
import { type DemoReport, REPORT_SCHEMA, secondsOf } from "./demo-report.ts";
import type { DemoOptions } from "./options.ts";
import { renderReport } from "./report/render-report.ts";
import { Script } from "./script.ts";
import { isProven, Stage } from "./stage.ts";

/** Plays the acts, and writes report.json, report.html and the evidence into `directory`. */
export async function playDemo(directory: string, options: DemoOptions, signal: AbortSignal): Promise<DemoReport> {
  const stage: Stage = new Stage({
    directory: resolve(directory),
    signal,
    quiet: options.json,
    onVerdict: (fleet) => script.addVerdict(fleet),
  });
  const earlier = options.resumes ? await readReport(stage, options.lab) : undefined;
  const script = new Script((line) => stage.say(line), earlier);
  if (earlier === undefined) await clear(stage, options.lab);
  try {
    return await play(stage, script, options, earlier?.proof);
  } finally {
    await leave(stage, options);
  }
}

async function play(
  stage: Stage,
  script: Script,
  { acts, lab, cluster }: DemoOptions,
  earlier: FleetVerdict | undefined,
): Promise<DemoReport> {
  const later = acts.filter((name) => name !== "provision");
  let proof = earlier;
  if (proof === undefined) await buildFirst(stage, script);
  else await startNodes(stage, await stage.lab(lab));
  for (const name of later) script.forget(name);
  // What needs no node is made while none takes a part of the processors.
  await script.build("Build and publish what the acts need", async () => buildParts(stage, acts, cluster));
  if (proof === undefined) {
    proof = await (cluster ? provisionCluster : provision)(stage, script, lab);
    await writeReport(stage, script, proof);
  }
  for (const name of later) {
    script.enter(name);
    await (cluster ? playClusterAct : playAct)(name, stage, script, await stage.lab(lab));
    await writeReport(stage, script, proof);
  }
  const report = await writeReport(stage, script, proof);
  showSummary(stage, report);
  return report;
}

/** All that an earlier demo has left. */
async function clear(stage: Stage, lab: string): Promise<void> {
  await mkdir(stage.path(), { recursive: true });
  for (const old of ["report.json", "report.html", "done", "evidence", "forged", "extensions"]) {
    await rm(stage.path(old), { recursive: true, force: true });
  }
  for (const name of [lab, otherLab(lab)]) await stage.takeDown(name);
}

/** A kept lab's machines may be off: an attack has stopped one, or the computer was restarted. One that is only slow stays as it is. */
async function startNodes(stage: Stage, lab: Lab): Promise<void> {
  for (const { name, state } of await lab.status()) {
    if (state === "stopped") await stage.mustRun("lab", "start", name, "--name", lab.name);
  }
}

async function leave(stage: Stage, { keep, lab }: DemoOptions): Promise<void> {
  await stage.takeDown(otherLab(lab));
  const kept = keep ? await stage.lab(lab).catch(() => undefined) : undefined;
  if (kept === undefined) return await stage.takeDown(lab);
  stage.say(`\nThe lab ${lab} runs on: ${kept.nodes.map(({ name }) => name).join(", ")}.`);
  stage.say(`  To end it:      ./ashlar lab down --name ${lab}`);
  stage.say("  To play on:     npm run demo -- --from ACT --keep");
  stage.say(`  To look at it:  ./ashlar lab ssh node-1 --name ${lab}`);
}

async function readReport(stage: Stage, lab: string): Promise<DemoReport> {
  let report: DemoReport | undefined;
  try {
    // What this program has written, in its own schema.
    report = JSON.parse(await readFile(stage.path("report.json"), "utf8"));
  } catch (error) {
    throwIfInterrupted(stage.signal);
    if (!(error instanceof SyntaxError) && !(error instanceof Error && "code" in error && error.code === "ENOENT"))
      throw error;
  }
  if (report?.schema === REPORT_SCHEMA && (await stage.lab(lab).catch(() => undefined)) !== undefined) return report;
  throw new AshlarError("not-found", "no lab of an earlier demo was kept", {
    hint: "make one with `npm run demo -- --only provision --keep`",
  });
}

async function writeReport(stage: Stage, script: Script, proof: FleetVerdict): Promise<DemoReport> {
  const manifest = parseManifest(await readFile(stage.path("image", "manifest.json"), "utf8"));
  const { acts, steps, verdicts, requests } = script.played;
  const report: DemoReport = {
    schema: REPORT_SCHEMA,
    release: {
      version: manifest.version,
      usrRootHash: manifest.usr.rootHash,
      usrSizeBytes: manifest.usr.dataSizeBytes,
      ukiSha256: manifest.uki.sha256,
      ukiSizeBytes: manifest.uki.sizeBytes,
      pcrs: { "4": manifest.pcrs["4"], "11": manifest.pcrs["11"].ready },
    },
    proof,
    acts,
    steps,
    verdicts,
    requests,
    held: isProven(proof) && proof.identities === 1 && acts.every(({ held }) => held),
  };
  await writeFile(stage.path("report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(stage.path("report.html"), renderReport(report));
  return report;
}

function showSummary(stage: Stage, report: DemoReport): void {
  const total = secondsOf(report.steps);
  stage.say("\n== Where the time went");
  for (const { title, seconds, beside } of report.steps) {
    stage.say(`  ${String(seconds).padStart(4)} s  ${title}${beside === true ? " (beside others)" : ""}`);
  }
  stage.say(`  ${String(total).padStart(4)} s  in all (${clock(total * 1000)})`);
  const held = report.acts.filter((act) => act.held).length;
  stage.say(`\n${report.proof.nodes.length} nodes, ${report.proof.identities} identity: ${report.proof.verdict}.`);
  const failed = report.held ? "" : " See the lines marked FAILED.";
  stage.say(`${held} of ${report.acts.length} acts ended as they must.${failed}`);
  stage.say(`Report: ${stage.path("report.html")}`);
}

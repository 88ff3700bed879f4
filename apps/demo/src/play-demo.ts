import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseManifest } from "@ashlar/protocol/answers";
import { changeFile } from "./acts/change-file.ts";
import { publishKubernetes, refuseTampered, updateKubelet } from "./acts/extend-nodes.ts";
import { flipByte } from "./acts/flip-byte.ts";
import { forgeEvidence } from "./acts/forge-evidence.ts";
import { plantRogue } from "./acts/plant-rogue.ts";
import { makeRepository, publishReleases, updateNode, updateToUnhealthy } from "./acts/update-node.ts";
import { writeToNode } from "./acts/write-to-node.ts";
import type { DemoReport, ReportedAct } from "./demo-report.ts";
import { renderReport } from "./render-report.ts";
import { type Outcome, Stage } from "./stage.ts";

const LAB = "demo";

/** Plays the whole way, two updates and the attacks, and writes report.json, report.html and the evidence into `directory`. */
export async function playDemo(directory: string, signal: AbortSignal): Promise<DemoReport> {
  const stage = new Stage(resolve(directory), signal);
  await mkdir(stage.directory, { recursive: true });
  for (const old of ["report.json", "report.html", "evidence", "forged", "extensions"]) {
    await rm(stage.path(old), { recursive: true, force: true });
  }
  for (const name of [LAB, "demo-changed"]) await stage.ashlar("lab", "down", "--name", name);
  try {
    return await play(stage);
  } finally {
    if (!signal.aborted) await stage.ashlar("lab", "down", "--name", LAB);
  }
}

async function play(stage: Stage): Promise<DemoReport> {
  const steps: { title: string; seconds: number }[] = [];
  const acts: ReportedAct[] = [];
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    stage.say(`\n== ${title}`);
    const start = performance.now();
    const result = await work();
    steps.push({ title, seconds: Math.round((performance.now() - start) / 1000) });
    return result;
  };
  const act = async (title: string, work: () => Promise<Outcome | Outcome[]>): Promise<void> => {
    const outcomes = [await step(title, work)].flat();
    for (const outcome of outcomes) {
      stage.say(`  ${outcome.held ? "held" : "FAILED"}: ${outcome.result}`);
      acts.push({ title, ...outcome });
    }
  };

  await step("Make a signed repository", async () => makeRepository(stage));
  await step("Build the operating system image", async () => {
    const keys = ["--release-keys", stage.path("keys")];
    await stage.mustRun("image", "build", "--version", "1.0.0", ...keys, "--out", stage.path("image"));
  });
  await step("Publish it, and two more releases", async () => publishReleases(stage));
  await step("Publish Kubernetes as an extension", async () => publishKubernetes(stage));
  await step("Boot two nodes from one Butane file", async () =>
    stage.mustRun(
      "lab",
      "up",
      "--nodes",
      "2",
      "--image",
      stage.path("image"),
      "--config",
      "examples/kubernetes-worker.bu",
      "--name",
      LAB,
      "--repo",
      stage.path("repository"),
      "--keys",
      stage.path("keys"),
    ),
  );
  const proof = await step("Prove that both run exactly what was declared", async () => {
    const { fleet } = await stage.prove("--lab", LAB, "--evidence", stage.path("evidence"));
    return fleet;
  });
  await act("Update one node", async () => updateNode(stage, LAB));
  await act("Update it to a release that is not healthy", async () => updateToUnhealthy(stage, LAB));
  const lab = await stage.lab(LAB);
  await act("Update the kubelet without a reboot", async () => updateKubelet(stage, lab));
  await act("Update it from a server that was tampered with", async () => refuseTampered(stage, lab));
  await act("Attack 1: write to a running node", async () => writeToNode(stage, lab));
  await act("Attack 2: plant a rogue unit and binary, then reboot", async () => plantRogue(stage, lab));
  await act("Attack 3: flip one byte on a stopped node's disk", async () => flipByte(stage, lab));
  await act("Attack 4: boot an image with one changed file", async () => changeFile(stage));
  await act("Attack 5: replay, swap and edit evidence", async () => forgeEvidence(stage));

  const manifest = parseManifest(await readFile(stage.path("image", "manifest.json"), "utf8"));
  const report: DemoReport = {
    schema: "ashlar.demo/v1",
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
    held: proof.verdict === "proven" && proof.identities === 1 && acts.every(({ held }) => held),
  };
  await writeFile(stage.path("report.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(stage.path("report.html"), renderReport(report));
  showSummary(stage, report);
  return report;
}

function showSummary(stage: Stage, report: DemoReport): void {
  const total = report.steps.reduce((sum, { seconds }) => sum + seconds, 0);
  stage.say("\n== Where the time went");
  for (const { title, seconds } of report.steps) stage.say(`  ${String(seconds).padStart(4)} s  ${title}`);
  stage.say(`  ${String(total).padStart(4)} s  in all`);
  const held = report.acts.filter((act) => act.held).length;
  stage.say(`\n${report.proof.nodes.length} nodes, ${report.proof.identities} identity: ${report.proof.verdict}.`);
  const failed = report.held ? "" : " See the lines marked FAILED.";
  stage.say(`${held} of ${report.acts.length} acts ended as they must.${failed}`);
  stage.say(`Report: ${stage.path("report.html")}`);
}

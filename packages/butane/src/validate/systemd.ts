import { objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import { readUnitFile } from "./unit-file.ts";
import type { Validation } from "./validation.ts";

const TYPES = "service socket device mount automount swap target path timer snapshot slice scope".split(" ");

export function checkUnit(unit: DecodedObject, { findings }: Validation): void {
  const name = textOf(unit["name"]);
  const dot = name.lastIndexOf(".");
  if (dot < 0 || !TYPES.includes(name.slice(dot + 1))) {
    const hint = `a unit's name ends in .${TYPES.slice(0, -1).join(", .")} or .${TYPES.at(-1) ?? ""}`;
    findings.error([unit, "name"], `expected a unit's name with its type, found ${name === "" ? "none" : name}`, hint);
  }
  const contents = textOf(unit["contents"]);
  if (contents === "") return;
  const { problem, installs } = readUnitFile(contents);
  if (problem !== undefined) {
    findings.error([unit, "contents"], `${problem} (in ${name})`);
  } else if (unit["enabled"] === true && !installs) {
    const message = `expected an [Install] section in ${name}, which is enabled, found none, so enabling has no effect`;
    findings.warning(
      [unit, "contents"],
      message,
      "add [Install] with WantedBy=multi-user.target, or leave enabled out",
    );
  }
}

const INSTANCE = /^(?<template>.+?)@.+?\.service$/su;

/**
 * Enabling an instance does nothing when its template comes from the same config without [Install]: what the instance itself or
 * a drop-in says there does not count for it (systemd.unit(5), as Ignition checks it).
 */
export function checkInstances(systemd: DecodedObject, { findings }: Validation): void {
  const units = objectsOf(systemd["units"]);
  const byName = new Map(units.map((unit) => [textOf(unit["name"]), unit]));
  for (const unit of units) {
    const { template } = INSTANCE.exec(textOf(unit["name"]))?.groups ?? {};
    if (template === undefined || unit["enabled"] !== true) continue;
    const name = `${template}@.service`;
    const contents = textOf(byName.get(name)?.["contents"]);
    if (contents === "") continue;
    const { problem, installs } = readUnitFile(contents);
    if (problem !== undefined || installs) continue;
    const message = `expected an [Install] section in ${name}, whose instance ${textOf(unit["name"])} is enabled, found none, so enabling has no effect`;
    findings.warning([unit, "contents"], message, "add [Install] with WantedBy=multi-user.target to the template");
  }
}

export function checkDropin(dropin: DecodedObject, { findings }: Validation): void {
  const name = textOf(dropin["name"]);
  if (!name.endsWith(".conf")) {
    findings.error([dropin, "name"], `expected a drop-in's name ending in .conf, found ${name === "" ? "none" : name}`);
  }
  const { problem } = readUnitFile(textOf(dropin["contents"]));
  if (problem !== undefined) findings.error([dropin, "contents"], `${problem} (in ${name})`);
}

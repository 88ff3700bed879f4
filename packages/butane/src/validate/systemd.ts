import { textOf, type DecodedObject } from "../document/decoded.ts";
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

export function checkDropin(dropin: DecodedObject, { findings }: Validation): void {
  const name = textOf(dropin["name"]);
  if (!name.endsWith(".conf")) {
    findings.error([dropin, "name"], `expected a drop-in's name ending in .conf, found ${name === "" ? "none" : name}`);
  }
  const { problem } = readUnitFile(textOf(dropin["contents"]));
  if (problem !== undefined) findings.error([dropin, "contents"], `${problem} (in ${name})`);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { findDeclarationProblems } from "../find-declaration-problems.ts";
import { BOOT_FILE, declaredBoot } from "./declared-boot.ts";

function configOf(text: string | undefined, source = `data:,${encodeURIComponent(text ?? "")}`): Uint8Array {
  const files = text === undefined ? [] : [{ path: BOOT_FILE, contents: { source } }];
  return Buffer.from(JSON.stringify({ ignition: { version: "3.3.0" }, storage: { files } }));
}
const NONE = new Uint8Array();

for (const [text, expected] of [
  [undefined, "optional"],
  ["", "optional"],
  ["# nothing", "optional"],
  ["secureBoot: optional", "optional"],
  ["secureBoot: required", "required"],
] as const) {
  test(`boot.yaml ${JSON.stringify(text)}: Secure Boot is ${expected}`, () => {
    assert.equal(declaredBoot(configOf(text), NONE).secureBoot, expected);
    assert.deepEqual(findDeclarationProblems(configOf(text)), []);
  });
}

test("the class decides over the node's own part, and a node may ask for more than its class", () => {
  const [required, optional] = [configOf("secureBoot: required"), configOf("secureBoot: optional")];
  assert.equal(declaredBoot(required, optional).secureBoot, "required");
  assert.equal(declaredBoot(NONE, required).secureBoot, "required");
  assert.equal(declaredBoot(optional, required).secureBoot, "optional");
});

for (const [text, message] of [
  ["secureBoot: on", /boot\.yaml:1:13: \$\.secureBoot: expected/u],
  ["secureboot: required", /boot\.yaml:1:1: \$\.secureboot: expected one of secureBoot/u],
  ["- secureBoot", /expected keys with values/u],
  ["secureBoot: [", /boot\.yaml:1/u],
] as const) {
  test(`boot.yaml refused: ${text}`, () => {
    assert.throws(() => declaredBoot(configOf(text), NONE), { code: "invalid", message });
    assert.match(findDeclarationProblems(configOf(text))[0]?.message ?? "", message);
  });
}

test("a policy that is fetched from elsewhere is refused: who proves the node has to read it", () => {
  const remote = configOf("", "https://example.org/boot.yaml");
  assert.throws(() => declaredBoot(remote, NONE), { code: "invalid", message: /in the config itself/u });
});

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { drawn, joinDrawn, styled } from "./drawn.ts";

const DOOR = new URL("index.ts", import.meta.url).pathname;
const HOSTILE = "\r\u001b[2K\u001b]0;x\u0007\n1 node: all proven\u202e\u2028\u009b https://u:secret@h/";
const SHOWN = String.raw`\r\u001b[2K\u001b]0;x\u0007\n1 node: all proven\u202e\u2028\u009b https://***@h/`;

/** What a program prints through the door that runs these statements. */
function print(statements: string): { readonly stdout: string; readonly stderr: string } {
  const text = `import * as door from ${JSON.stringify(DOOR)}; const hostile = ${JSON.stringify(HOSTILE)};\n${statements}`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", text], { encoding: "utf8" });
  return { stdout, stderr };
}

test("whatever goes through the door is a line of text", () => {
  assert.deepEqual(print("door.printLine(hostile); door.printLines([hostile, door.drawn`a ${hostile}`]);"), {
    stdout: `${SHOWN}\n${SHOWN}\na ${SHOWN}\n`,
    stderr: "",
  });
  assert.deepEqual(
    print("door.reportLine(hostile); door.reportLines([hostile]); door.draw(door.drawn`\\r${hostile}`);"),
    {
      stdout: "",
      stderr: `${SHOWN}\n${SHOWN}\n\r${SHOWN}`,
    },
  );
});

test("a message of several lines keeps behind its bar", () => {
  const { stderr } = print("door.reportError({ message: `a\\n${hostile}`, hint: hostile });");
  const [first, second] = [SHOWN.slice(0, SHOWN.indexOf("\\n1")), SHOWN.slice(SHOWN.indexOf("1 node"))];
  assert.equal(stderr, `error: a\n  | ${first}\n  | ${second}\nhint: ${first}\n  ${second}\n`);
});

test("JSON is escaped, and data is as it was asked for when no terminal reads it", () => {
  const { stdout } = print("door.printJson({ a: hostile }, { lines: 'one' });");
  assert.equal(stdout, `${JSON.stringify({ a: "X" }).replace("X", SHOWN)}\n`);
  assert.equal(print("door.printData(hostile);").stdout, HOSTILE);
});

test("a terminal that asks for data gets lines of text", () => {
  const script = `import { printData } from ${JSON.stringify(DOOR)}; printData("a\\u001b[2J\\nb\\n");`;
  // script(1) runs a command on a terminal of its own.
  const command = `${process.execPath} --input-type=module -e '${script}'`;
  const output = execFileSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8" });
  assert.equal(output, String.raw`a\u001b[2J` + "\r\nb\r\n");
});

test("what is drawn is the program's own, and nothing that is put into it", () => {
  assert.equal(drawn`\u001b[K${HOSTILE}\n`.toString(), `\u001b[K${SHOWN}\n`);
  assert.equal(joinDrawn([HOSTILE, drawn`\r`], "  ").toString(), `${SHOWN}  \r`);
  assert.ok(styled("red", HOSTILE).toString().includes(SHOWN));
});

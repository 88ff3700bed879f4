import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Argument, Command, Option } from "commander";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { createProgram } from "../program.ts";
import { bashScript } from "./bash-script.ts";
import { commandWords } from "./command-words.ts";
import { fishScript } from "./fish-script.ts";
import { zshScript } from "./zsh-script.ts";

const PROGRAM: Command = new Command("ashlar").addCommand(
  new Command("lab").description("Don't: $(touch injected) `x`").addCommand(
    new Command("ssh")
      .description("Run a command")
      .addArgument(new Argument("<node>", "which"))
      .addArgument(new Argument("[kind...]", "what").choices(["one", "two"]))
      .option("--name <lab>", "which lab")
      .option("--json", "print the result as JSON")
      .addOption(new Option("-a, --accelerator <kind>", "how").choices(["kvm", "tcg"]))
      .option("--image <dir>", "an image"),
  ),
);

/** What is typed, and what Bash offers for its last word, in a directory with a file and a directory. */
const BASH: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["l"], ["lab"]],
  [
    ["lab", ""],
    ["ssh", "help"],
  ],
  [
    ["lab", "ssh", "--"],
    ["--name", "--json", "--accelerator", "--image", "--help"],
  ],
  [
    ["lab", "ssh", "--json", "--accelerator", ""],
    ["kvm", "tcg"],
  ],
  [["lab", "ssh", "-a", "k"], ["kvm"]],
  [["lab", "ssh", "--image", ""], ["a-directory"]],
  [["lab", "ssh", "--name", ""], ["labs"]],
  // An option's value that is called like a command is none.
  [["lab", "ssh", "--name", "lab", ""], ["nodes:lab"]],
  [["lab", "ssh", "--name", "three", "node-1", "tw"], ["two"]],
  [["lab", "ssh", "node-1", "two", "o"], ["one"]],
];

test("Bash completes commands, options, values, labs and nodes", async () => {
  await withTemporaryDirectory(async (directory) => {
    await mkdir(join(directory, "a-directory"));
    await writeFile(join(directory, "a-file"), "");
    await writeFile(join(directory, "script"), bashScript(commandWords(PROGRAM)));
    for (const [words, expected] of BASH) {
      const shell = `. ./script; ashlar() { if [ "$3" = labs ]; then echo labs; else echo "nodes:$5"; fi; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ashlar; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await run("bash", ["-c", shell, "bash", "ashlar", ...words], { cwd: directory });
      const offered = stdout.toString("utf8").trim().split("\n");
      assert.deepEqual(offered, expected, words.join(" "));
    }
  });
});

test("what commands say about themselves is never run by a shell", async (context) => {
  await withTemporaryDirectory(async (directory) => {
    const commands = commandWords(PROGRAM);
    const scripts = { bash: bashScript(commands), zsh: zshScript(commands), fish: fishScript(commands) };
    for (const [shell, script] of Object.entries(scripts)) {
      const path = join(directory, shell);
      await writeFile(path, script);
      const command =
        shell === "zsh"
          ? `compdef() { :; }; . ${path}; at=; described=(); _describe() { :; }; _ashlar_operand "" 0`
          : `. ${path}`;
      const { status, stderr } = await run(
        "sh",
        ["-c", `command -v ${shell} >/dev/null || exit 99; cd ${directory}; exec ${shell} -c '${command}'`],
        {
          acceptStatus: [0, 1, 2, 99],
        },
      );
      if (status === 99) {
        context.diagnostic(`${shell} is not here`);
        continue;
      }
      assert.deepEqual([status, stderr], [0, ""], shell);
    }
    assert.equal(existsSync(join(directory, "injected")), false);
  });
});

test("each command and option of ashlar is in each script", async () => {
  const commands = commandWords(await createProgram());
  assert.ok(commands.some(({ path }) => path.join(" ") === "lab up"));
  const options = commands.flatMap((each) => each.options.flatMap(({ names }) => names.slice(0, 1)));
  assert.ok(options.includes("--accelerator"));
  for (const script of [bashScript(commands), zshScript(commands), fishScript(commands)]) {
    for (const { path } of commands) assert.ok(script.includes(path.join(" ")), path.join(" "));
    for (const name of options) assert.ok(script.includes(name.replace(/^--/u, "")), name);
  }
});

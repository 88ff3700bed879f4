import { Command } from "commander";
import { extensionBuildCommand } from "../extension/build.ts";
import { extensionDiffCommand } from "../extension/diff.ts";
import { extensionGcCommand } from "../extension/gc.ts";
import { extensionInspectCommand } from "../extension/inspect.ts";
import { extensionListCommand } from "../extension/list.ts";
import { extensionPublishCommand } from "../extension/publish.ts";
import { extensionVerifyCommand } from "../extension/verify.ts";
import { extensionWithdrawCommand } from "../extension/withdraw.ts";

export function extensionCommand(): Command {
  return new Command("extension")
    .description("Build, check and publish signed system and configuration extensions")
    .addCommand(extensionBuildCommand())
    .addCommand(extensionInspectCommand())
    .addCommand(extensionVerifyCommand())
    .addCommand(extensionDiffCommand())
    .addCommand(extensionPublishCommand())
    .addCommand(extensionListCommand())
    .addCommand(extensionWithdrawCommand())
    .addCommand(extensionGcCommand());
}

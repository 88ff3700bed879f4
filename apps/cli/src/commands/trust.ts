import { Command } from "commander";
import { trustAddCommand, trustListCommand, trustRemoveCommand } from "../trust/store.ts";
import { trustVouchCommand } from "../trust/vouch.ts";
import { trustCheckCommand } from "../trust/check.ts";

export function trustCommand(): Command {
  return new Command("trust")
    .description("Choose the TPM makers that are trusted, and look at EK certificates")
    .addCommand(trustListCommand())
    .addCommand(trustAddCommand())
    .addCommand(trustRemoveCommand())
    .addCommand(trustVouchCommand())
    .addCommand(trustCheckCommand());
}

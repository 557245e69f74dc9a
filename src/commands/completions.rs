//! `completions`: scripts by which shells complete our command line.

use clap::Args;
use clap_complete::Shell;

use super::context::Context;
use super::error::CommandError;

/// Prints a completion script for a shell
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Runs the command.
pub fn run(args: CompletionsArgs, context: &Context) -> Result<(), CommandError> {
    // Into memory first: the generator panics where a pipe is closed (`| head`).
    let mut script = Vec::new();
    let mut cli = super::cli().bin_name("cargo-marketplace");
    clap_complete::generate(args.shell, &mut cli, "cargo-marketplace", &mut script);
    if args.shell == Shell::Bash {
        // clap_complete 4.6 spells the hyphen one way where it jumps and another way in the labels
        // (clap-rs/clap issue 6421).
        let text = String::from_utf8_lossy(&script);
        let text = text.replace("cargo__subcmd__marketplace", "cargo__marketplace");
        script = text.into_bytes();
    }
    context.shell.bytes(&script);
    Ok(())
}

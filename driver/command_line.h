// The command line: which command, how its failures are told, and the exit status.
#pragma once

namespace rnnc {

/// Runs what `argv` says. Errors and progress go to standard error, results to standard output. Gives the
/// exit status: 0 done, 1 failed while running, 2 the user's mistake, 130 stopped by Ctrl-C. Throws nothing.
int run_command_line(int argc, char** argv) noexcept;

}  // namespace rnnc

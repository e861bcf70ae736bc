// The commands of `rnnc`, each in a file of its own. They print their results on standard output, throw what
// is wrong (UserError, DataError: the user's mistake; RunError: a failure while running) and return the exit
// status.
#pragma once

#include "driver/options.h"

namespace rnnc {

int check_command(const Options& options);
int train_command(const Options& options);
int eval_command(const Options& options);
int predict_command(const Options& options);
int generate_command(const Options& options);
int bench_command(const Options& options);
int explain_command(const Options& options);
int gradcheck_command(const Options& options);
int compile_command(const Options& options);
int opt_command(const Options& options);
int format_command(const Options& options);

}  // namespace rnnc

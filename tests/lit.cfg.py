# The text tests: small files under text/ that carry their own command (`# RUN:`) and expectation (`# CHECK:`).
# CTest runs them as the test `text`; by hand:
#
#   python3 /usr/lib/llvm-19/build/utils/lit/lit.py -v --param build=build-test tests/text/ir/round_trip.ir
import os

import lit.formats

here = os.path.dirname(os.path.abspath(__file__))
build = os.path.abspath(lit_config.params.get("build", os.path.join(here, "..", "build-test")))

config.name = "rnnc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".ir", ".rnn", ".test"]
config.test_source_root = here
config.test_exec_root = os.path.join(build, "lit")
config.excludes = ["Inputs"]

# The programs a RUN line may call: rnnc of this build, FileCheck and not of LLVM.
config.environment["PATH"] = os.pathsep.join([build, "/usr/lib/llvm-19/bin", os.environ["PATH"]])
# Compiled code is kept here, not where the user's is.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

if not os.access(os.path.join(build, "rnnc"), os.X_OK):
    lit_config.fatal("there is no program %s/rnnc: build it, or name the folder with --param build=DIR" % build)

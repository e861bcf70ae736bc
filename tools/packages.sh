# shellcheck shell=bash disable=SC2034
# Sourced by quickstart and check: installs Debian packages that are missing, and nothing if none is.

# What building and running rnnc takes (Debian 12).
BUILD_PACKAGES=(g++ cmake ninja-build git llvm-19-dev lld-19 libzstd-dev zlib1g-dev libeigen3-dev libcli11-dev
  libfmt-dev nlohmann-json3-dev libutf8proc-dev libcairo2-dev)
# Word lists that examples/languages.rnn reads.
WORD_LISTS=(wamerican wfrench wngerman witalian wspanish wportuguese wdutch wswedish)
# What ./check takes besides.
TEST_PACKAGES=(libgtest-dev libgmock-dev libbenchmark-dev clang-format-14 clang-tidy-14 llvm-19-tools python3 python3-venv)
SANITIZE_PACKAGES=(clang-19 libclang-rt-19-dev)

# install_missing PACKAGE...   as root, or by sudo
install_missing() {
  local missing=() package as_root=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: neither root nor sudo: install these packages first" >&2; return 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# step TEXT   says in one line what comes now
step() { printf '\n== %s\n' "$1"; }

// Whole files: reading with clear refusals, replacing without ever harming what is there.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace rnnc {

/// The bytes of the file at `path`; if its name ends in .gz, of what is packed in it. `name` stands in
/// messages. Throws DataError: it does not exist, is a folder, no permission, damaged.
std::string read_file(const std::string& path, const std::string& name);

/// Replaces the file at `path` by the pieces, one after the other, all or nothing: they go to a temporary
/// file in the same folder, which is synced and renamed. Throws RunError if that fails; `path` is then as it
/// was.
void replace_file(const std::string& path, std::span<const std::span<const std::byte>> pieces);

/// Removes what processes that were killed while they replaced `path` left beside it.
void remove_leftovers(const std::string& path);

}  // namespace rnnc

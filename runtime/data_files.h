// Which files the patterns of a data block mean.
#pragma once

#include <string>
#include <vector>

#include "runtime/data_spec.h"

namespace rnnc {

/// Where relative names of data files start.
struct DataFolder {
  std::string path;             // the folder of the .rnn file, or --data DIR
  bool beside_rnn_file = true;  // for messages: "the folder of ptb.rnn"
};

struct DataFile {
  std::string name;  // as messages show it: relative to the folder, without .gz
  std::string path;  // of what is read
  std::string stem;  // `file`: the name without folder and ending
};

/// "surnames/Arabic.txt.gz" -> "Arabic"
std::string file_stem(std::string_view name);

/// The file itself, or NAME.gz where there is only that. Nothing is checked but that.
DataFile data_file(const std::string& folder, const std::string& name);

/// The files of all patterns of a source, in the order of the patterns, those of one pattern in alphabetical
/// order. `*` stands for any run of signs within a name, not for a leading dot. Throws DataError for a
/// pattern without a file.
std::vector<DataFile> find_files(const DataSpec& spec, const DataSource& source, const DataFolder& folder);

}  // namespace rnnc

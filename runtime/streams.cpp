// Data of the format `stream`: see streams.h.
#include "runtime/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "runtime/encode.h"
#include "runtime/learn_vocabularies.h"
#include "runtime/spec_check.h"

namespace rnnc {
namespace {

// Symbols of one field, numbered as they come, until the vocabulary is known.
class Symbols {
 public:
  int32_t number(std::string_view symbol) {
    const auto found = numbers_.find(symbol);
    if (found != numbers_.end()) return found->second;
    const auto next = static_cast<int32_t>(texts_.size());
    texts_.emplace_back(symbol);
    numbers_.emplace(symbol, next);
    return next;
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>> numbers_;
  std::vector<std::string> texts_;
};

struct Stream {
  Symbols symbols;
  std::map<Part, std::vector<int32_t>> parts;  // numbers of `symbols`
};

// The symbols of all files of one field, those that are dealt cut into the parts.
Stream read_stream(const DataSpec& spec, std::span<const SourceTable> tables, const DataField& field,
                   const Learned& learned) {
  const Encoder encoder(spec, learned);
  Stream stream;
  for (const SourceTable& source : tables) {
    std::vector<int32_t>& to = stream.parts[source.part];
    const RowView row{.table = &source.table, .values = {}, .names = {}, .origin = {}};
    encoder.symbols(field, row, [&](std::string_view s) { to.push_back(stream.symbols.number(s)); });
  }
  const auto dealt = stream.parts.extract(dealt_part(spec));
  if (dealt.empty()) return stream;
  const std::vector<int32_t>& all = dealt.mapped();
  auto from = all.begin();
  for (const auto& [part, count] : cut_in_order(static_cast<int64_t>(all.size()), shares_of(spec))) {
    // Before what the part has of its own.
    std::vector<int32_t>& to = stream.parts[part];
    to.insert(to.begin(), from, from + count);
    from += count;
  }
  return stream;
}

[[noreturn]] void refuse_length(const DataSpec& spec, size_t field, Part part, size_t length, size_t other) {
  const DataField& f = spec.fields[field];
  throw DataError(
      {.file = spec.file,
       .line = f.place.line,
       .column = f.place.column,
       .message = fmt::format("`{}` has another length than `{}` in both of {}   ({} and {}, {} part)",
                              f.name, spec.fields[0].name, f.dimension, length, other,
                              part == Part::Train ? "training" : part_name(part)),
       .notes = {},
       .help = {}});
}

}  // namespace

std::vector<std::pair<Part, int64_t>> cut_in_order(int64_t n, std::span<const Share> shares) {
  if (shares.empty()) return {{Part::Train, n}};
  std::vector<std::pair<Part, int64_t>> cuts;
  double sum = 0;
  int64_t begin = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    sum += shares[i].share;
    const int64_t end = i + 1 == shares.size() ? n
                                               : std::clamp(std::llround(static_cast<double>(n) * sum), 0LL,
                                                            static_cast<long long>(n));
    cuts.emplace_back(shares[i].part, end - begin);
    begin = end;
  }
  return cuts;
}

void encode_streams(const DataSpec& spec, std::span<const SourceTable> tables, const Learned& others,
                    Dataset& dataset) {
  std::vector<Stream> streams;
  VocabularyCounts counts;
  for (const DataField& field : spec.fields) {
    streams.push_back(read_stream(spec, tables, field, dataset.learned));
    Stream& stream = streams.back();
    std::vector<int64_t> times(stream.symbols.texts().size());
    for (const int32_t s : stream.parts[Part::Train]) ++times[static_cast<size_t>(s)];
    for (size_t s = 0; s < times.size(); ++s)
      if (times[s] > 0) see(counts[field.vocabulary], stream.symbols.texts()[s], times[s]);
  }
  learn_vocabularies(spec, counts, others, dataset.learned);
  dataset.data.resize(spec.fields.size());
  dataset.dimensions = {spec.pieces.dimension};
  dataset.learned.longest[spec.pieces.dimension] = spec.pieces.length;
  for (FieldData& data : dataset.data) data.offsets = {0};
  for (const Part part : kParts) {
    if (streams.empty() || streams[0].parts[part].empty()) continue;
    std::vector<int64_t>& rows = part == Part::Train   ? dataset.train
                                 : part == Part::Valid ? dataset.valid
                                                       : dataset.test;
    rows.push_back(dataset.rows++);
    const size_t length = streams[0].parts[part].size();
    for (size_t f = 0; f < streams.size(); ++f) {
      const std::vector<int32_t>& symbols = streams[f].parts[part];
      if (symbols.size() != length) refuse_length(spec, f, part, symbols.size(), length);
      const Vocabulary& vocabulary = dataset.learned.vocabularies.at(spec.fields[f].vocabulary);
      std::vector<int32_t> ids;
      for (const std::string& text : streams[f].symbols.texts()) ids.push_back(vocabulary.find_or_unk(text));
      FieldData& data = dataset.data[f];
      for (const int32_t s : symbols) data.ids.push_back(ids[static_cast<size_t>(s)]);
      data.offsets.push_back(static_cast<int64_t>(data.ids.size()));
    }
  }
}

}  // namespace rnnc

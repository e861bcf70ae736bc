// Data of the format `stream`: see streams.h.
#include "runtime/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

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

// The symbols of one field. A text may be a gigabyte, so each symbol is kept once: what is dealt stays one
// vector, and the parts say where theirs lie in it.
struct Stream {
  struct Run {
    const Ids* ids;
    int64_t begin, length;
  };
  Symbols symbols;
  Ids dealt;                                   // numbers of `symbols`
  std::vector<std::pair<Part, int64_t>> cuts;  // of `dealt`, in order
  std::map<Part, Ids> own;                     // of parts that have files of their own
  std::map<Part, std::vector<Run>> of_part;    // what is dealt comes first

  int64_t length(Part part) const {
    const auto found = of_part.find(part);
    int64_t sum = 0;
    if (found != of_part.end())
      for (const Run& run : found->second) sum += run.length;
    return sum;
  }
  template <class F>
  void for_each(Part part, const F& f) const {
    const auto found = of_part.find(part);
    if (found == of_part.end()) return;
    for (const Run& run : found->second)
      for (int64_t i = 0; i < run.length; ++i) f((*run.ids)[static_cast<size_t>(run.begin + i)]);
  }
};

// The symbols of all files of one field, those that are dealt cut into the parts.
void read_stream(const DataSpec& spec, std::span<const SourceTable> tables, const DataField& field,
                 const Learned& learned, Stream& stream) {
  const Encoder encoder(spec, learned);
  const Part dealt = dealt_part(spec);
  std::map<Part, size_t> bytes;
  for (const SourceTable& source : tables) bytes[source.part] += source.table.text().size() + 1;
  for (const SourceTable& source : tables) {
    Ids& to = source.part == dealt ? stream.dealt : stream.own[source.part];
    // Memory that is not written to costs nothing; words are fewer, so they may grow.
    to.reserve(bytes[source.part] / (field.value.op == EncodeOp::Words ? 4 : 1));
    const RowView row{.table = &source.table};
    encoder.symbols(field, row, [&](std::string_view s) { to.push_back(stream.symbols.number(s)); });
  }
  stream.cuts = cut_in_order(static_cast<int64_t>(stream.dealt.size()), shares_of(spec));
  int64_t begin = 0;
  for (const auto& [part, count] : stream.cuts) {
    stream.of_part[part].push_back({&stream.dealt, begin, count});
    begin += count;
  }
  for (const auto& [part, ids] : stream.own)
    stream.of_part[part].push_back({&ids, 0, static_cast<int64_t>(ids.size())});
}

// The symbols of all parts, one after the other, as entries of the vocabulary.
Ids ids_of(Stream& stream, const Vocabulary& vocabulary) {
  std::vector<int32_t> entry;
  for (const std::string& text : stream.symbols.texts()) entry.push_back(vocabulary.find_or_unk(text));
  Ids ids;
  const bool in_order = std::ranges::is_sorted(
      stream.cuts, {}, [](const auto& cut) { return std::ranges::find(kParts, cut.first) - kParts.begin(); });
  if (stream.own.empty() && in_order) {
    ids = std::move(stream.dealt);
  } else {
    for (const Part part : kParts) stream.for_each(part, [&](int32_t id) { ids.push_back(id); });
  }
  for (size_t i = 0; i < ids.size(); ++i) ids.set(i, entry[static_cast<size_t>(ids[i])]);
  return ids;
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
  streams.reserve(spec.fields.size());  // pieces point into them
  VocabularyCounts counts;
  for (const DataField& field : spec.fields) {
    Stream& stream = streams.emplace_back();
    read_stream(spec, tables, field, dataset.learned, stream);
    std::vector<int64_t> times(stream.symbols.texts().size());
    stream.for_each(Part::Train, [&](int32_t s) { ++times[static_cast<size_t>(s)]; });
    for (size_t s = 0; s < times.size(); ++s)
      if (times[s] > 0) see(counts[field.vocabulary], stream.symbols.texts()[s], times[s]);
  }
  learn_vocabularies(spec, counts, others, dataset.learned);
  dataset.data.resize(spec.fields.size());
  dataset.dimensions = {spec.pieces.dimension};
  dataset.learned.longest[spec.pieces.dimension] = spec.pieces.length;
  for (FieldData& data : dataset.data) data.offsets = {0};
  for (const Part part : kParts) {
    if (streams.empty() || streams[0].length(part) == 0) continue;
    std::vector<int64_t>& rows = part == Part::Train   ? dataset.train
                                 : part == Part::Valid ? dataset.valid
                                                       : dataset.test;
    rows.push_back(dataset.rows++);
    const int64_t length = streams[0].length(part);
    for (size_t f = 0; f < streams.size(); ++f) {
      if (streams[f].length(part) != length)
        refuse_length(spec, f, part, static_cast<size_t>(streams[f].length(part)),
                      static_cast<size_t>(length));
      std::vector<int64_t>& offsets = dataset.data[f].offsets;
      offsets.push_back(offsets.back() + length);
    }
  }
  for (size_t f = 0; f < streams.size(); ++f)
    dataset.data[f].ids = ids_of(streams[f], dataset.learned.vocabularies.at(spec.fields[f].vocabulary));
}

}  // namespace rnnc

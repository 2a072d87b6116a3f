// Any bytes out of an event pipe: read at once and in pieces they must be the same events.
#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "real/actor/event_codec.h"

namespace {

using namespace distlab;

struct Read {
  bool good = true;
  std::vector<results::EventRecord> events;
  size_t incomplete = 0;
};

Read read_in_pieces(Bytes bytes, size_t piece) {
  actor::EventReader reader("host");
  Read out;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    out.good = reader.feed(bytes.first(std::min(piece, bytes.size())),
                           [&](results::EventRecord&& event) { out.events.push_back(std::move(event)); });
  }
  out.incomplete = reader.incomplete();
  return out;
}

// Not operator==: a double may be no number.
bool same(const results::EventRecord& a, const results::EventRecord& b) {
  return a.time_ns == b.time_ns && a.kind == b.kind && a.subject == b.subject && a.fields.size() == b.fields.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes bytes = Bytes(data, size).subspan(1);
  const Read whole = read_in_pieces(bytes, size);
  const Read pieces = read_in_pieces(bytes, size_t{data[0]} + 1);
  if (whole.good != pieces.good || whole.incomplete != pieces.incomplete) std::abort();
  if (!std::equal(whole.events.begin(), whole.events.end(), pieces.events.begin(), pieces.events.end(), same)) {
    std::abort();
  }
  return 0;
}

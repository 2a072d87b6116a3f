#include "real/actor/event_codec.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>
#include <utility>

namespace distlab::actor {
namespace {

constexpr uint8_t integer_type = 1, real_type = 2, text_type = 3;
constexpr size_t size_bytes = 4;

template <typename Number>
void put(Number number, std::vector<uint8_t>& out) {
  for (size_t i = 0; i < sizeof number; ++i) out.push_back(static_cast<uint8_t>(number >> (8 * i)));
}

template <typename Length>
void put_text(std::string_view text, size_t limit, std::vector<uint8_t>& out) {
  text = text.substr(0, limit);
  put(static_cast<Length>(text.size()), out);
  out.insert(out.end(), text.begin(), text.end());
}

struct PutValue {
  std::vector<uint8_t>& out;
  void operator()(int64_t value) const {
    out.push_back(integer_type);
    put(static_cast<uint64_t>(value), out);
  }
  void operator()(double value) const {
    out.push_back(real_type);
    put(std::bit_cast<uint64_t>(value), out);
  }
  void operator()(const std::string& value) const {
    out.push_back(text_type);
    put_text<uint32_t>(value, max_event_text, out);
  }
};

// Reads on until something is missing; then all that follows is zero and empty.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  template <typename Number>
  Number number() {
    Number out = 0;
    const Bytes from = take(sizeof out);
    for (size_t i = 0; i < from.size(); ++i) out |= static_cast<Number>(Number{from[i]} << (8 * i));
    return out;
  }
  template <typename Length>
  std::string text() {
    const Bytes from = take(number<Length>());
    return {from.begin(), from.end()};
  }
  std::optional<results::Value> value() {
    switch (number<uint8_t>()) {
      case integer_type:
        return static_cast<int64_t>(number<uint64_t>());
      case real_type:
        return std::bit_cast<double>(number<uint64_t>());
      case text_type:
        return text<uint32_t>();
      default:
        return std::nullopt;
    }
  }
  bool whole() const { return good_ && bytes_.empty(); }
  bool good() const { return good_; }

 private:
  Bytes take(size_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const Bytes out = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return out;
  }

  Bytes bytes_;
  bool good_ = true;
};

std::optional<results::EventRecord> decode(Bytes body, const std::string& host) {
  Reader in(body);
  results::EventRecord out;
  out.host = host;
  out.time_ns = static_cast<int64_t>(in.number<uint64_t>());
  out.kind = in.text<uint8_t>();
  out.subject = in.text<uint32_t>();
  const size_t fields = in.number<uint8_t>();
  if (fields > max_event_fields) return std::nullopt;
  for (size_t i = 0; i < fields && in.good(); ++i) {
    std::string key = in.text<uint8_t>();
    auto value = in.value();
    if (!value) return std::nullopt;
    out.fields.emplace_back(std::move(key), std::move(*value));
  }
  if (!in.whole()) return std::nullopt;
  return out;
}

}  // namespace

void encode_event(Time at, const Event& event, std::vector<uint8_t>& out) {
  const size_t begin = out.size();
  put(uint32_t{0}, out);
  put(static_cast<uint64_t>((at - run_start).count()), out);
  put_text<uint8_t>(event.kind, 255, out);
  put_text<uint32_t>(event.subject, max_event_text, out);
  const size_t fields = std::min(event.fields.size(), max_event_fields);
  out.push_back(static_cast<uint8_t>(fields));
  for (size_t i = 0; i < fields; ++i) {
    put_text<uint8_t>(event.fields[i].key, 255, out);
    std::visit(PutValue{out}, event.fields[i].value);
  }
  const auto size = static_cast<uint32_t>(out.size() - begin - size_bytes);
  for (size_t i = 0; i < size_bytes; ++i) out[begin + i] = static_cast<uint8_t>(size >> (8 * i));
}

bool EventReader::feed(Bytes bytes, const Sink& sink) {
  if (broken_) return false;
  if (rest_.empty()) {
    bytes = bytes.subspan(take(bytes, sink));
    if (!broken_) rest_.assign(bytes.begin(), bytes.end());
  } else {
    rest_.insert(rest_.end(), bytes.begin(), bytes.end());
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(take(rest_, sink)));
  }
  if (broken_) rest_.clear();
  return !broken_;
}

// How much of it was whole records.
size_t EventReader::take(Bytes bytes, const Sink& sink) {
  size_t taken = 0;
  while (bytes.size() - taken >= size_bytes) {
    const Bytes left = bytes.subspan(taken);
    const size_t size = Reader(left).number<uint32_t>();
    if (size > max_event_size) {
      broken_ = true;
      break;
    }
    if (left.size() - size_bytes < size) break;
    auto event = decode(left.subspan(size_bytes, size), host_);
    if (!event) {
      broken_ = true;
      break;
    }
    ++records_;
    taken += size_bytes + size;
    sink(std::move(*event));
  }
  return taken;
}

}  // namespace distlab::actor

#include "real/actor/event_codec.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/host/event_kinds.h"

namespace distlab::actor {
namespace {

using namespace std::chrono_literals;
using results::EventRecord;
using testing::ElementsAre;

const Event node_up{kinds::node_up, "bob@b.test", {{"direction", "out"}, {"setup_ns", int64_t{-7}}, {"share", 0.25}}};
const EventRecord node_up_record{
    3, "alice", "bob@b.test", "node_up", {{"direction", "out"}, {"setup_ns", int64_t{-7}}, {"share", 0.25}}};
const EventRecord bare_record{std::numeric_limits<int64_t>::max() - 1'000'000'000, "alice", "", "tick", {}};

std::vector<uint8_t> both() {
  std::vector<uint8_t> bytes;
  encode_event(run_start + 3ns, node_up, bytes);
  encode_event(Time::max() - 0s, {kinds::tick, "", {}}, bytes);
  return bytes;
}

struct Read {
  bool good = true;
  std::vector<EventRecord> events;
  size_t incomplete = 0;
};

Read read_in_pieces(const std::vector<uint8_t>& bytes, size_t piece) {
  EventReader reader("alice");
  Read out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const Bytes next = Bytes(bytes).subspan(at, std::min(piece, bytes.size() - at));
    out.good = reader.feed(next, [&](EventRecord&& event) { out.events.push_back(std::move(event)); });
  }
  out.incomplete = reader.incomplete();
  EXPECT_EQ(reader.records(), out.events.size());
  return out;
}

// What was recorded is what is read, to the last bit, however the pipe cuts it into pieces.
TEST(EventCodec, SurvivesAnyCut) {
  const auto bytes = both();
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Read read = read_in_pieces(bytes, piece);
    EXPECT_TRUE(read.good);
    EXPECT_THAT(read.events, ElementsAre(node_up_record, bare_record)) << piece;
    EXPECT_EQ(read.incomplete, 0u);
  }
}

// A stream that ends anywhere gives all records before the end, and says that one is cut short.
TEST(EventCodec, CountsWhatACutLeaves) {
  const auto bytes = both();
  std::vector<uint8_t> first;
  encode_event(run_start + 3ns, node_up, first);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Read read = read_in_pieces({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)}, 1000);
    EXPECT_TRUE(read.good);
    EXPECT_EQ(read.events.size(), size < first.size() ? 0u : 1u);
    EXPECT_EQ(read.incomplete, size < first.size() ? size : size - first.size());
  }
}

// Sizes beyond the limit, texts beyond their record, unknown types, bytes to spare: the reader gives up,
// and stays that way.
TEST(EventCodec, RefusesWhatNobodyWrites) {
  std::vector<uint8_t> good;
  encode_event(run_start, {kinds::tick, "b", {{"id", int64_t{1}}}}, good);
  const auto broken = [&](size_t at, uint8_t value) {
    auto bytes = good;
    bytes.at(at) = value;
    EventReader reader("alice");
    const bool taken = reader.feed(bytes, [](EventRecord&&) {});
    return !taken && !reader.feed(good, [](EventRecord&&) { ADD_FAILURE(); });
  };
  EXPECT_TRUE(broken(3, 0x7f));                // size
  EXPECT_TRUE(broken(12, 200));                // length of the kind
  EXPECT_TRUE(broken(20, 0xff));               // length of the subject
  EXPECT_TRUE(broken(good.size() - 9, 9));     // type of the value
  EXPECT_TRUE(broken(good.size() - 9, 3));     // a text that is longer than the record
  EXPECT_TRUE(broken(good.size() - 13, 0));    // no fields, and bytes left
  EXPECT_TRUE(broken(good.size() - 13, 255));  // more fields than there are
}

// A text that is longer than the limit is cut, so that every record can be read.
TEST(EventCodec, CutsLongTexts) {
  std::vector<uint8_t> bytes;
  encode_event(run_start, {kinds::log, "a", {{"text", std::string(1'000'000, 'x')}}}, bytes);
  const Read read = read_in_pieces(bytes, 10'000);
  ASSERT_EQ(read.events.size(), 1u);
  EXPECT_EQ(text_field(read.events[0], "text"), std::string(max_event_text, 'x'));
}

}  // namespace
}  // namespace distlab::actor

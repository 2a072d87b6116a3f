#include "models/dist/fragments.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/dist/testing/samples.h"

namespace distlab::dist {
namespace {

using namespace testing;
using etf::atom;
using etf::tuple;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Flags all = default_flags(true);
const Flags no_headers = all & ~flag::fragments;
const Pid from = pid(node_a, 80);
const Pid to = pid(node_b, 81);

// The pid `from` as it stands in the bytes below.
constexpr const char* from_bytes = "58 770c 'a@hosta.test' 00000050 00000000 00000007";
constexpr const char* to_bytes = "58 770c 'b@hostb.test' 00000051 00000000 00000007";

Assembler assembler(Flags flags = all, AssemblerLimits limits = {}) {
  return Assembler({node_b, node_a, 9179}, flags, limits);
}

Message big_message(size_t payload_size) {
  std::vector<uint8_t> data(payload_size);
  for (size_t i = 0; i < data.size(); ++i) data[i] = uint8_t(i * 7 + i / 251);
  return {SendSender{from, to}, etf::binary(std::move(data))};
}

std::vector<std::vector<uint8_t>> frames_of(const Message& message, Flags flags = all, uint64_t sequence = 1) {
  return to_frames(encode_for(message, flags), flags, sequence);
}

Bytes body(const std::vector<uint8_t>& frame) {
  return Bytes(frame).subspan(4);
}

// The frames with every header are these very bytes (facts section 3, rows FRAGMENTS).
TEST(Frames, KnownBytes) {
  const Message send{RegSend{from, "echo"}, atom("hi")}, link{Link{from, to}, {}};
  const std::string reg_send = std::string("6804 6106") + from_bytes + "7700 7704 'echo'";
  const std::string hi = "7702 'hi'";
  EXPECT_THAT(frames_of(send), ElementsAre(bytes("0000002e 83 44 00" + reg_send + hi)));
  EXPECT_THAT(frames_of(send, no_headers), ElementsAre(bytes("0000002e 70 83" + reg_send + "83" + hi)));
  EXPECT_THAT(frames_of(link), ElementsAre(bytes(std::string("0000003d 83 44 00 6803 6101") + from_bytes + to_bytes)));
  for (const Flags flags : {all, no_headers}) {
    for (const auto& message : {send, link}) {
      const auto got = assembler(flags).on_frame(body(frames_of(message, flags)[0]));
      ASSERT_TRUE(got && *got);
      EXPECT_EQ((*got)->payload, message.payload);
    }
  }
}

// A long message is cut into 64 KiB pieces of control and payload, numbered downwards to 1.
TEST(Frames, LongMessagesAreFragmented) {
  const auto frames = frames_of(big_message(200'000), all, 0x0102030405060708);
  ASSERT_EQ(frames.size(), 4u);
  EXPECT_EQ(frames[0].size(), 4 + 19 + fragment_size);
  EXPECT_EQ(frames[1].size(), 4 + 18 + fragment_size);
  const auto prefix = [&](size_t i) { return std::vector<uint8_t>(frames[i].begin() + 4, frames[i].begin() + 22); };
  EXPECT_EQ(prefix(0), bytes("83 45 0102030405060708 0000000000000004"));
  EXPECT_EQ(frames[0][22], 0);
  EXPECT_EQ(prefix(1), bytes("83 46 0102030405060708 0000000000000003"));
  EXPECT_EQ(prefix(3), bytes("83 46 0102030405060708 0000000000000001"));
  // Without FRAGMENTS it stays whole (facts: 16 MB arrive unfragmented).
  EXPECT_EQ(frames_of(big_message(200'000), no_headers).size(), 1u);
}

// Messages of any length survive, right around the fragment size and elsewhere.
TEST(Frames, EveryLengthAroundTheFragmentSizeSurvives) {
  for (size_t size = fragment_size - 80; size < fragment_size + 20; ++size) {
    const Message message = big_message(size);
    Assembler in = assembler();
    std::optional<Message> got;
    const auto frames = frames_of(message);
    EXPECT_LE(frames.size(), 2u);
    for (const auto& frame : frames) {
      ASSERT_FALSE(got);
      auto outcome = in.on_frame(body(frame));
      ASSERT_TRUE(outcome);
      got = std::move(*outcome);
    }
    ASSERT_TRUE(got);
    EXPECT_EQ(got->payload, message.payload);
    EXPECT_EQ(in.sequences(), 0u);
    EXPECT_EQ(in.bytes(), 0u);
  }
}

// Fragments of several messages may come mixed, as ERTS sends those of different processes; each
// message keeps its own order.
RC_GTEST_PROP(Frames, InterleavedSequencesAreTakenApart, ()) {
  const size_t count = *rc::gen::inRange<size_t>(1, 5);
  std::vector<std::vector<std::vector<uint8_t>>> queues;
  std::vector<Message> messages;
  for (size_t i = 0; i < count; ++i) {
    messages.push_back(big_message(*rc::gen::inRange<size_t>(0, 300'000)));
    queues.push_back(frames_of(messages.back(), all, i + 1));
  }
  Assembler in = assembler();
  std::vector<size_t> next(count, 0);
  size_t left =
      std::accumulate(queues.begin(), queues.end(), size_t{0}, [](size_t n, const auto& q) { return n + q.size(); });
  size_t whole = 0;
  for (; left > 0; --left) {
    size_t i = *rc::gen::inRange<size_t>(0, count);
    while (next[i] == queues[i].size()) i = (i + 1) % count;
    const auto outcome = in.on_frame(body(queues[i][next[i]++]));
    RC_ASSERT(outcome.has_value());
    RC_ASSERT(outcome->has_value() == (next[i] == queues[i].size()));
    if (!*outcome) continue;
    RC_ASSERT((*outcome)->payload == messages[i].payload);
    ++whole;
  }
  RC_ASSERT(whole == count);
  RC_ASSERT(in.bytes() == 0u);
}

// Corruption rows of the facts: what our node logs, and that it kills the connection, where OTP does.

Corruption corruption(Bytes frame, Flags flags = all) {
  auto outcome = assembler(flags).on_frame(frame);
  EXPECT_FALSE(outcome);
  return outcome ? Corruption{} : outcome.error();
}

std::vector<uint8_t> sample() {
  const auto frame = frames_of({RegSend{from, "echo"}, atom("hi")})[0];
  return {frame.begin() + 4, frame.end()};
}

// "flip byte 4 (131)": no version byte.
TEST(Corruption, FlippedVersionByte) {
  auto frame = sample();
  frame[0] ^= 0xff;
  const auto error = corruption(frame);
  EXPECT_THAT(error.log, ElementsAre("** Got message from incompatible erlang on channel 9179\n"));
  EXPECT_EQ(error.reason, "killed");
}

// "flip header / control byte": the kind of header, or references into an atom cache nobody has.
TEST(Corruption, FlippedHeaderByte) {
  for (const size_t at : {1, 2}) {
    auto frame = sample();
    frame[at] ^= 0x40;
    const auto error = corruption(frame);
    ASSERT_EQ(error.log.size(), 1u);
    EXPECT_THAT(error.log[0], StartsWith("'b@hostb.test' got a corrupted distribution header from 'a@hosta.test' on "
                                         "distribution channel 9179\n<<131,"));
  }
}

// A control byte flipped so that its term cannot be read: a corrupted external term.
TEST(Corruption, FlippedControlByte) {
  auto frame = sample();
  frame[3] = 0xff;
  const auto error = corruption(frame);
  ASSERT_EQ(error.log.size(), 1u);
  EXPECT_THAT(error.log[0], StartsWith("'b@hostb.test' got a corrupted external term from 'a@hosta.test' on "
                                       "distribution channel 9179\n<<...,255,4,97,6,"));
  EXPECT_THAT(error.log[0], HasSubstr(">>\nATOM_CACHE_REF translations: none"));
}

// "flip last byte" of a term whose end matters, and "length - 1": the payload ends too early.
TEST(Corruption, TruncatedPayload) {
  auto frame = sample();
  frame.pop_back();
  const auto error = corruption(frame);
  ASSERT_EQ(error.log.size(), 1u);
  EXPECT_THAT(error.log[0], HasSubstr("got a corrupted external term"));
  EXPECT_THAT(error.log[0], HasSubstr("<<...,119,2,104>>"));
}

// A payload that is missing altogether is a corrupted external term with nothing to show.
TEST(Corruption, MissingPayload) {
  auto frame = sample();
  frame.erase(frame.end() - 4, frame.end());
  EXPECT_THAT(corruption(frame).log[0], HasSubstr("channel 9179\n>>\n"));
}

// "drop 5 bytes" can leave a term that is no message: {} here, as in the measured row.
TEST(Corruption, NotAMessage) {
  EXPECT_THAT(corruption(bytes("83 44 00 68 00")).log, ElementsAre("Invalid distribution message: {}"));
}

// "+4 zeros" is a tick, and bytes behind the payload are ignored: undetected, as in OTP.
TEST(Corruption, WhatGoesUndetected) {
  Assembler in = assembler();
  auto outcome = in.on_frame({});
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(*outcome);
  auto frame = sample();
  frame.push_back(0);
  outcome = in.on_frame(frame);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
  // A duplicated frame is simply a second message.
  EXPECT_TRUE(*in.on_frame(sample()));
}

// Frames that are no frames for the flags agreed.
TEST(Corruption, HeadersThatWereNotAgreed) {
  EXPECT_TRUE(corruption(bytes("83")).log.empty());
  EXPECT_TRUE(corruption(bytes("70 83"), no_headers).log.empty());
  EXPECT_THAT(corruption(bytes("70 83 44 00 6103"), no_headers).log[0], HasSubstr("corrupted distribution header"));
  EXPECT_THAT(corruption(bytes("70 83 46 00"), no_headers).log[0], HasSubstr("corrupted distribution header"));
  EXPECT_THAT(corruption(bytes("83 68 03"), all).log[0], HasSubstr("corrupted distribution header"));
  EXPECT_THAT(corruption(bytes("83 44 00 83 6103"), all).log[0], HasSubstr("corrupted external term"));
  EXPECT_TRUE(corruption(bytes("83 46 00"), all).log.empty());
  EXPECT_THAT(corruption(bytes("83 45 00000000000000"), all).log[0], HasSubstr("corrupted distribution header"));
}

// Fragments that do not belong: OTP kills the connection without a word (dist.c, data_error).
TEST(Corruption, FragmentsOutOfOrder) {
  const auto frames = frames_of(big_message(300'000));
  ASSERT_EQ(frames.size(), 5u);
  const std::vector<std::vector<size_t>> orders = {{1}, {0, 2}, {0, 1, 1}, {0, 0}, {0, 1, 3}};
  for (const auto& order : orders) {
    Assembler in = assembler();
    for (size_t i = 0; i < order.size(); ++i) {
      const auto outcome = in.on_frame(body(frames[order[i]]));
      EXPECT_EQ(outcome.has_value(), i + 1 < order.size());
      if (!outcome) {
        EXPECT_TRUE(outcome.error().log.empty());
      }
    }
  }
}

// What a peer can make us keep is limited, in number and in bytes.
TEST(Assembler, Limits) {
  AssemblerLimits few;
  few.max_sequences = 2;
  Assembler in = assembler(all, few);
  EXPECT_TRUE(in.on_frame(body(frames_of(big_message(100'000), all, 1)[0])));
  EXPECT_TRUE(in.on_frame(body(frames_of(big_message(100'000), all, 2)[0])));
  EXPECT_FALSE(in.on_frame(body(frames_of(big_message(100'000), all, 3)[0])));

  AssemblerLimits small;
  small.max_bytes = 100'000;
  Assembler other = assembler(all, small);
  const auto frames = frames_of(big_message(200'000));
  EXPECT_TRUE(other.on_frame(body(frames[0])));
  EXPECT_FALSE(other.on_frame(body(frames[1])));
}

// What an OTP 25.2.3 node logged for these frames, line by line (the channel number aside).
TEST(Corruption, LogLinesAreThoseOfTheRealNode) {
  const std::string header =
      "'b@hostb.test' got a corrupted distribution header from 'a@hosta.test' on distribution channel 9179\n";
  const std::string external =
      "'b@hostb.test' got a corrupted external term from 'a@hosta.test' on distribution channel 9179\n";
  const std::string none = "\nATOM_CACHE_REF translations: none";
  const struct {
    const char* frame;
    std::string line;
    bool warning;
  } rows[] = {
      {"83 c4 00 61 01", header + "<<131,196,0,97,1>>", true},
      {"83 44 00 ff 04 61 06", external + "<<...,255,4,97,6>>" + none, true},
      {"83 44 00 61", external + "<<...,97>>" + none, true},
      {"83 44 00", external + ">>" + none, true},
      {"83 44 00 68 00", "Invalid distribution message: {}", false},
      {"83 45 0000000000000001 00000000", header + "<<131,69,0,0,0,0,0,0,0,1,0,0,0,0>>", true},
  };
  for (const auto& row : rows) {
    const auto error = corruption(bytes(row.frame));
    EXPECT_THAT(error.log, ElementsAre(row.line));
    EXPECT_EQ(error.warning, row.warning);
  }
}

// A message that speaks for a process of another node is invalid, as ERTS has it.
TEST(Corruption, ImplausibleSender) {
  const auto frame = frames_of({Link{pid("c@hostc.test", 1), to}, {}})[0];
  EXPECT_THAT(corruption(body(frame)).log[0], StartsWith("Invalid distribution message: {1,"));
}

// The dump of a long bad frame is cut off: the log must not grow with what a peer sends.
TEST(Corruption, LongDumpsAreCut) {
  std::vector<uint8_t> frame(100'000, 9);
  frame[0] = 131;
  EXPECT_LT(corruption(frame).log[0].size(), 5000u);
}

}  // namespace
}  // namespace distlab::dist

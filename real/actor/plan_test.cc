#include "real/actor/plan.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "real/actor/document.h"

namespace distlab::actor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Plan full_plan() {
  Plan plan;
  plan.scenario = "name: x\xff\n";  // any bytes
  plan.process = "alice";
  plan.seed = 0xffffffffffffffff;
  plan.life = 3;
  plan.origin = 123456789012345ns;
  plan.started = 5s;
  plan.address = Ipv4::parse("10.0.0.1");
  plan.hosts = {{"a.test", *Ipv4::parse("10.0.0.1")}, {"b.test", *Ipv4::parse("10.0.0.2")}};
  plan.quiet_kinds = {"tick"};
  plan.qlog_directory = "/tmp";
  plan.harms = {{7, "bob@b.test", scenario::MessageHarm::swap, 2}};
  return plan;
}

// A plan arrives as it was sent; what is optional may be absent.
TEST(Plan, ArrivesAsSent) {
  EXPECT_EQ(decode_plan(encode(full_plan())), full_plan());
  EXPECT_EQ(decode_plan(encode(Plan{})), Plan{});
}

// A plan that is cut short anywhere, or has a bit turned, is refused or read, never more.
TEST(Plan, SurvivesDamage) {
  const auto bytes = encode(full_plan());
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_plan(Bytes(bytes).first(size))) << size;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    const auto plan = decode_plan(damaged);
    EXPECT_THAT(plan ? "bad plan: none" : plan.error(), HasSubstr("bad plan: "));
  }
}

// The error names what is missing or wrong.
TEST(Plan, SaysWhatIsWrong) {
  const auto error_with = [](const std::string& key, const Json& value) {
    Json json = *mesh::decode_cbor(encode(full_plan()));
    if (value.is_discarded())
      json.erase(key);
    else
      json[key] = value;
    return decode_plan(mesh::encode_cbor(json)).error();
  };
  EXPECT_EQ(error_with("process", Json(Json::value_t::discarded)), "bad plan: 'process' is missing");
  EXPECT_EQ(error_with("format", 2), "bad plan: it is of another format");
  EXPECT_EQ(error_with("seed", -1), "bad plan: 'seed' is not a number from 0 to 18446744073709551615");
  EXPECT_EQ(error_with("life", uint64_t{1} << 32), "bad plan: 'life' is not a number from 0 to 4294967295");
  EXPECT_EQ(error_with("scenario", "text"), "bad plan: 'scenario' is not a byte string");
  EXPECT_EQ(error_with("address", "10.0.0"), "bad plan: an address is not of the kind 10.0.0.1");
  EXPECT_EQ(error_with("hosts", {{"a", nullptr}}), "bad plan: a host has no address");
  EXPECT_EQ(error_with("harms", {{{"id", 1}}}), "bad plan: in 'harms': 'peer' is missing");
}

// Every command and report arrives as it was sent, within the limit of a message.
TEST(Command, ArrivesAsSent) {
  for (const Command& command :
       {Command(KillClient{}), Command(StartClient{}), Command(Wedge{true}), Command(Wedge{false}), Command(Shutdown{}),
        Command(Finish{true}), Command(Finish{false}),
        Command(HarmMessage{9, "bob@b.test", scenario::MessageHarm::corrupt, 3})}) {
    EXPECT_EQ(decode_command(encode(command)), command);
  }
  Woken all_buckets{.counts = {}, .max = Duration::max()};
  for (uint32_t bucket = 0; bucket < real::Lateness::buckets; ++bucket)
    all_buckets.counts.emplace_back(bucket, std::numeric_limits<int64_t>::max());
  for (const Report& report :
       {Report(Ready{}), Report(Harmed{uint64_t{1} << 63}), Report(Late{"busy"}), Report(Woken{}), Report(all_buckets)})
    EXPECT_EQ(decode_report(encode(report)), report);
}

// What is no command is refused in words.
TEST(Command, RefusesOthers) {
  const auto error_of = [](const Json& json) { return decode_command(mesh::encode_cbor(json)).error(); };
  EXPECT_EQ(error_of({{"do", "dance"}}), "bad command: nobody knows how to 'dance'");
  EXPECT_EQ(error_of({{"do", "wedge"}, {"on", 1}}), "bad command: 'on' is not a boolean");
  EXPECT_EQ(error_of({{"do", "harm_message"}, {"id", 1}, {"peer", "b"}, {"harm", "eat"}, {"nth", 1}}),
            "bad command: no message can be harmed by 'eat'");
  EXPECT_EQ(error_of({{"do", "harm_message"}, {"id", 1}, {"peer", "b"}, {"harm", "drop"}, {"nth", 0}}),
            "bad command: 'nth' counts from 1");
  EXPECT_EQ(error_of(Json::array()), "bad command: it is not a map");
  EXPECT_EQ(decode_report(mesh::encode_cbor({{"did", "dance"}})).error(), "bad report: nobody can have done 'dance'");
  const auto woken = [](const Json& counts) {
    return decode_report(mesh::encode_cbor({{"did", "wake"}, {"max_ns", 1}, {"counts", counts}}));
  };
  EXPECT_TRUE(woken(Json::array({Json::array({2047, 1})})));
  EXPECT_EQ(woken("many").error(), "bad report: 'counts' is not a list of buckets");
  for (const Json& count :
       {Json::array({2048, 1}), Json::array({1, -1}), Json::array({1}), Json::array({1, 2, 3}), Json("x")})
    EXPECT_EQ(woken(Json::array({count})).error(),
              "bad report: one of 'counts' is not a bucket and how many are in it");
  EXPECT_EQ(decode_command(std::vector<uint8_t>{0xff}).error(), "bad command: it is not CBOR");
  EXPECT_EQ(decode_command(std::vector<uint8_t>(max_message_size + 1)).error(), "bad command: it is too long");
}

}  // namespace
}  // namespace distlab::actor

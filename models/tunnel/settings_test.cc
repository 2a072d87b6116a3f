#include "models/tunnel/settings.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace distlab::tunnel {
namespace {

using namespace std::chrono_literals;

std::map<std::string, std::string> values(const TunnelSettings& settings) {
  std::map<std::string, std::string> out;
  for (const Parameter& parameter : parameters()) {
    out.emplace(parameter.name, to_string(parameter.get(settings)));
  }
  return out;
}

TEST(Settings, DefaultsAreTheSeedsTable) {
  // Seeds 002, configuration reference, line by line.
  const auto table = values(TunnelSettings{});
  EXPECT_EQ(table.at("dist_timeout"), "25s");
  EXPECT_EQ(table.at("bridge_recv_timeout"), "60s");
  EXPECT_EQ(table.at("controller_timeout"), "30s");
  EXPECT_EQ(table.at("backpressure_hwm"), "64");
  EXPECT_EQ(table.at("reconnect_interval"), "2s");
  EXPECT_EQ(table.at("reconnect_max_attempts"), "15");
  EXPECT_EQ(documented(), TunnelSettings{});
}

TEST(Settings, WhatTheCodeDoesDifferently) {
  // Everything in which macula-3.13 differs from documented, and nothing else.
  const auto seeds = values(documented()), code = values(macula_3_13());
  std::map<std::string, std::string> different;
  for (const auto& [name, value] : code) {
    if (seeds.at(name) != value) different[name] = value;
  }
  const std::map<std::string, std::string> expected{{"dist_timeout", "10s"},
                                                    {"controller_delay", "100us"},
                                                    {"own_cookie_only", "true"},
                                                    {"reply_before_subscribe", "true"},
                                                    {"resubscribe_on_accept", "true"},
                                                    {"resubscribe_gap", "100us"},
                                                    {"flush_passes_ciphertext", "true"},
                                                    {"count_lost_as_sent", "true"},
                                                    {"reconnect_needs_session", "false"},
                                                    {"reader_runs_while_reconnecting", "true"},
                                                    {"recv_outlives_reader", "true"}};
  EXPECT_EQ(different, expected);
}

TEST(Settings, EveryFieldHasItsOwnName) {
  // Setting one parameter changes that one, and all fields together differ from the defaults: none is
  // missing from the table (the struct would compare equal in it).
  std::set<std::string_view> names;
  TunnelSettings all;
  for (const Parameter& parameter : parameters()) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    EXPECT_FALSE(parameter.source.empty()) << parameter.name;
    EXPECT_EQ(find_parameter(parameter.name), &parameter);
    const Parameter::Value other = parameter.unit == "time" ? Parameter::Value(17us)
                                   : parameter.unit == "switch"
                                       ? Parameter::Value(!std::get<bool>(parameter.get(TunnelSettings{})))
                                       : Parameter::Value(uint64_t{17});
    TunnelSettings one;
    ASSERT_TRUE(parameter.set(one, other)) << parameter.name;
    ASSERT_TRUE(parameter.set(all, other)) << parameter.name;
    EXPECT_EQ(parameter.get(one), other);
    auto changed = values(one);
    changed[std::string(parameter.name)] = to_string(parameter.get(TunnelSettings{}));
    EXPECT_EQ(changed, values(TunnelSettings{})) << parameter.name;
  }
  size_t bytes = 0;
  for (const Parameter& parameter : parameters()) bytes += parameter.unit == "switch" ? 1 : 8;
  EXPECT_GE(sizeof(TunnelSettings), bytes);
  EXPECT_LT(sizeof(TunnelSettings), bytes + 8 * 7) << "a field that no parameter names";
}

TEST(Settings, AValueOfAnotherKindChangesNothing) {
  // The loader learns of it by the answer.
  TunnelSettings settings;
  EXPECT_FALSE(find_parameter("dist_timeout")->set(settings, uint64_t{5}));
  EXPECT_FALSE(find_parameter("chunk_bytes")->set(settings, true));
  EXPECT_FALSE(find_parameter("close_message")->set(settings, Duration{1s}));
  EXPECT_EQ(settings, TunnelSettings{});
  EXPECT_EQ(find_parameter("no_such_thing"), nullptr);
}

TEST(Settings, PresetsHaveNames) {
  // As a scenario says them.
  EXPECT_EQ(preset("documented"), documented());
  EXPECT_EQ(preset("macula-3.13"), macula_3_13());
  EXPECT_EQ(preset("macula"), std::nullopt);
}

TEST(Settings, ValuesReadAsAScenarioWritesThem) {
  // The largest unit that says it exactly.
  EXPECT_EQ(to_string(Parameter::Value(Duration{1500ms})), "1500ms");
  EXPECT_EQ(to_string(Parameter::Value(Duration{0s})), "0s");
  EXPECT_EQ(to_string(Parameter::Value(Duration{7ns})), "7ns");
  EXPECT_EQ(to_string(Parameter::Value(false)), "false");
}

}  // namespace
}  // namespace distlab::tunnel

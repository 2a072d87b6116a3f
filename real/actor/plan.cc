#include "real/actor/plan.h"

#include <limits>
#include <utility>

#include "real/actor/document.h"
#include "real/actor/harm.h"

namespace distlab::actor {
namespace {

constexpr int format = 1;
constexpr mesh::CborLimits limits{.depth = 4, .values = 1'000'000};
constexpr uint64_t max_time = std::numeric_limits<int64_t>::max() / 4;  // sums of times must not overflow

std::string text_of(const Json& scenario, DocumentReader& in) {
  if (!scenario.is_binary()) {
    in.complain("'scenario' is not a byte string");
    return {};
  }
  const auto& bytes = scenario.get_binary();
  return {bytes.begin(), bytes.end()};
}

std::optional<Ipv4> read_address(const Json& value, DocumentReader& in) {
  if (value.is_null()) return std::nullopt;
  const auto* text = value.get_ptr<const Json::string_t*>();
  const auto address = text == nullptr ? std::nullopt : Ipv4::parse(*text);
  if (!address) in.complain("an address is not of the kind 10.0.0.1");
  return address;
}

std::map<std::string, Ipv4> read_hosts(const Json& value, DocumentReader& in) {
  std::map<std::string, Ipv4> out;
  if (!value.is_object()) in.complain("'hosts' is not a map");
  if (!in.ok()) return out;
  for (const auto& [name, at] : value.items()) {
    const auto address = read_address(at, in);
    if (!address) in.complain("a host has no address");
    out[name] = address.value_or(Ipv4{});
  }
  return out;
}

std::set<std::string> read_quiet_kinds(const Json& value, DocumentReader& in) {
  std::set<std::string> out;
  if (!value.is_array()) in.complain("'quiet_kinds' is not a list");
  if (!in.ok()) return out;
  for (const Json& kind : value) {
    if (const auto* text = kind.get_ptr<const Json::string_t*>())
      out.insert(*text);
    else
      in.complain("'quiet_kinds' has something that is not a text");
  }
  return out;
}

std::vector<HarmMessage> read_harms(const Json& value, DocumentReader& in) {
  std::vector<HarmMessage> out;
  if (!value.is_array()) in.complain("'harms' is not a list");
  if (!in.ok()) return out;
  for (const Json& one : value) {
    DocumentReader harm(one);
    out.push_back(read_harm(harm));
    if (!harm.ok()) in.complain("in 'harms': " + harm.error());
  }
  return out;
}

}  // namespace

std::vector<uint8_t> encode(const Plan& plan) {
  Json hosts = Json::object();
  for (const auto& [name, address] : plan.hosts) hosts[name] = address.to_string();
  Json harms = Json::array();
  for (const HarmMessage& harm : plan.harms) harms.push_back(harm_to_json(harm));
  Json quiet = Json::array();
  for (const std::string& kind : plan.quiet_kinds) quiet.push_back(kind);
  return mesh::encode_cbor({
      {"format", format},
      {"scenario", Json::binary({plan.scenario.begin(), plan.scenario.end()})},
      {"process", plan.process},
      {"seed", plan.seed},
      {"life", plan.life},
      {"origin", static_cast<uint64_t>(plan.origin.count())},
      {"started", static_cast<uint64_t>(plan.started.count())},
      {"address", plan.address ? Json(plan.address->to_string()) : Json()},
      {"hosts", std::move(hosts)},
      {"quiet_kinds", std::move(quiet)},
      {"qlog_directory", plan.qlog_directory},
      {"harms", std::move(harms)},
  });
}

tl::expected<Plan, std::string> decode_plan(Bytes bytes) {
  if (bytes.empty()) return tl::unexpected(std::string("bad plan: it is empty"));
  if (bytes.size() > max_plan_size) return tl::unexpected(std::string("bad plan: it is too long"));
  const auto json = mesh::decode_cbor(bytes, limits);
  if (!json) return tl::unexpected(std::string("bad plan: it is not CBOR"));
  DocumentReader in(*json);
  if (in.number("format") != format) in.complain("it is of another format");
  Plan plan;
  plan.scenario = text_of(in.get("scenario"), in);
  plan.process = in.text("process");
  plan.seed = in.number("seed");
  plan.life = static_cast<uint32_t>(in.number("life", std::numeric_limits<uint32_t>::max()));
  plan.origin = std::chrono::nanoseconds(in.number("origin", max_time));
  plan.started = Duration(in.number("started", max_time));
  plan.address = read_address(in.get("address"), in);
  plan.hosts = read_hosts(in.get("hosts"), in);
  plan.quiet_kinds = read_quiet_kinds(in.get("quiet_kinds"), in);
  plan.qlog_directory = in.text("qlog_directory");
  plan.harms = read_harms(in.get("harms"), in);
  if (!in.ok()) return tl::unexpected("bad plan: " + in.error());
  return plan;
}

}  // namespace distlab::actor

#include "real/actor/command.h"

#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "real/actor/document.h"
#include "real/actor/harm.h"

namespace distlab::actor {
namespace {

constexpr size_t most_values = size_t{4} * real::Lateness::buckets;  // every bucket is three, in Woken

struct ToJson {
  Json operator()(const KillClient&) const { return {{"do", "kill_client"}}; }
  Json operator()(const StartClient&) const { return {{"do", "start_client"}}; }
  Json operator()(const HarmMessage& harm) const {
    Json out = harm_to_json(harm);
    out["do"] = "harm_message";
    return out;
  }
  Json operator()(const Wedge& wedge) const { return {{"do", "wedge"}, {"on", wedge.on}}; }
  Json operator()(const Shutdown&) const { return {{"do", "shutdown"}}; }
  Json operator()(const Finish& finish) const { return {{"do", "finish"}, {"stay", finish.stay}}; }
  Json operator()(const Ready&) const { return {{"did", "boot"}}; }
  Json operator()(const Late& late) const { return {{"did", "late"}, {"why", late.why}}; }
  Json operator()(const Harmed& harmed) const { return {{"did", "harm_message"}, {"id", harmed.id}}; }
  Json operator()(const Woken& woken) const {
    Json counts = Json::array();
    for (const auto& [bucket, count] : woken.counts) counts.push_back({bucket, count});
    return {{"did", "wake"}, {"counts", std::move(counts)}, {"max_ns", uint64_t(woken.max.count())}};
  }
};

Command read_command(DocumentReader& in) {
  const std::string what = in.text("do");
  if (what == "kill_client") return KillClient{};
  if (what == "start_client") return StartClient{};
  if (what == "harm_message") return read_harm(in);
  if (what == "wedge") return Wedge{in.boolean("on")};
  if (what == "shutdown") return Shutdown{};
  if (what == "finish") return Finish{in.boolean("stay")};
  in.complain("nobody knows how to '" + mesh::shortened(what) + "'");
  return Finish{};
}

Woken read_woken(DocumentReader& in) {
  Woken out;
  out.max = Duration(static_cast<int64_t>(in.number("max_ns", std::numeric_limits<int64_t>::max())));
  const Json& counts = in.get("counts");
  if (!counts.is_array() || counts.size() > real::Lateness::buckets) in.complain("'counts' is not a list of buckets");
  if (!in.ok()) return out;
  for (const Json& count : counts) {
    const auto number = [&](size_t at) {
      const auto* found =
          count.is_array() && count.size() == 2 ? count[at].get_ptr<const Json::number_unsigned_t*>() : nullptr;
      return found != nullptr ? std::optional(*found) : std::nullopt;
    };
    const auto bucket = number(0), many = number(1);
    if (bucket && many && *bucket < real::Lateness::buckets) {
      out.counts.emplace_back(static_cast<uint32_t>(*bucket), *many);
    } else {
      in.complain("one of 'counts' is not a bucket and how many are in it");
    }
  }
  return out;
}

Report read_report(DocumentReader& in) {
  const std::string what = in.text("did");
  if (what == "harm_message") return Harmed{in.number("id")};
  if (what == "late") return Late{in.text("why")};
  if (what == "wake") return read_woken(in);
  if (what != "boot") in.complain("nobody can have done '" + mesh::shortened(what) + "'");
  return Ready{};
}

tl::expected<Json, std::string> document(Bytes bytes) {
  if (bytes.size() > max_message_size) return tl::unexpected(std::string("it is too long"));
  auto json = mesh::decode_cbor(bytes, {.values = most_values});
  if (!json) return tl::unexpected(std::string("it is not CBOR"));
  return std::move(*json);
}

}  // namespace

std::vector<uint8_t> encode(const Command& command) {
  return mesh::encode_cbor(std::visit(ToJson{}, command));
}

std::vector<uint8_t> encode(const Report& report) {
  return mesh::encode_cbor(std::visit(ToJson{}, report));
}

tl::expected<Command, std::string> decode_command(Bytes bytes) {
  const auto json = document(bytes);
  if (!json) return tl::unexpected("bad command: " + json.error());
  DocumentReader in(*json);
  Command command = read_command(in);
  if (!in.ok()) return tl::unexpected("bad command: " + in.error());
  return command;
}

tl::expected<Report, std::string> decode_report(Bytes bytes) {
  const auto json = document(bytes);
  if (!json) return tl::unexpected("bad report: " + json.error());
  DocumentReader in(*json);
  const Report report = read_report(in);
  if (!in.ok()) return tl::unexpected("bad report: " + in.error());
  return report;
}

bool send(int control_fd, const Command& command) {
  const auto bytes = encode(command);
  return ::send(control_fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == ssize_t(bytes.size());
}

}  // namespace distlab::actor

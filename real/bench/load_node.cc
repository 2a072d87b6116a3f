#include "real/bench/load_node.h"

#include <chrono>
#include <optional>
#include <utility>

#include "models/etf/term.h"
#include "models/process/process.h"
#include "models/process/runtime.h"
#include "models/tunnel/relay_carrier.h"
#include "models/tunnel/settings.h"
#include "real/bench/flows.h"
#include "real/bench/host_options.h"

namespace distlab::bench {
namespace {

constexpr const char* sink_name = "sink";
constexpr const char* cookie = "bench";

class Sink final : public process::Process {
 public:
  explicit Sink(LoadNode::Arrived arrived) : arrived_(std::move(arrived)) {}

 protected:
  void on_message(const etf::Term& term) override { arrived_(parse(term)); }

 private:
  static std::optional<Message> parse(const etf::Term& term) {
    const auto parts = term.as_tuple(5);
    if (parts.empty()) return std::nullopt;
    const auto flow = parts[0].as_int(), number = parts[1].as_int(), due = parts[2].as_int(), size = parts[3].as_int();
    const auto* payload = parts[4].as<etf::Bits>();
    if (!flow || !number || !due || !size || payload == nullptr) return std::nullopt;
    if (static_cast<uint64_t>(*size) != payload->bytes.size()) return std::nullopt;
    return Message{static_cast<uint64_t>(*flow), static_cast<uint64_t>(*number), run_start + Duration{*due},
                   payload->bytes.size()};
  }

  const LoadNode::Arrived arrived_;
};

mesh::MembershipSettings membership(const LoadNode::Settings& settings) {
  mesh::ClientSettings client;
  client.relays = {{"relay", "127.0.0.1", settings.relay_port}};
  client.identity = node_name(settings.number);
  return mesh::documented(std::move(client));
}

// Nobody but us decides who is connected to whom.
node::NodeConfig config(const LoadNode::Settings& settings, mesh::ClientSlot& slot) {
  node::NodeConfig out;
  out.net_kernel.name = node_name(settings.number);
  out.net_kernel.cookie = cookie;
  out.net_kernel.auto_connect = node::AutoConnect::never;
  out.net_kernel.net_setuptime = std::chrono::seconds{60};
  out.services.pg = out.services.global = false;
  out.carrier = [&slot](Host& host) {
    return std::make_unique<tunnel::RelayCarrier>(host, tunnel::documented(), slot,
                                                  [](std::string_view) { return std::string(cookie); });
  };
  return out;
}

}  // namespace

LoadNode::LoadNode(real::AsioLoop& loop, const Settings& settings, const Arrived& arrived)
    : host_(loop, host_options(node_name(settings.number), settings.seed)),
      membership_(host_, membership(settings)),
      node_(host_, config(settings, membership_.slot()), [this, arrived](const tl::expected<void, NetError>& up) {
        if (!up) return;
        Sink* const sink = node_.runtime().spawn<Sink>(arrived);
        if (sink != nullptr) node_.runtime().register_name(sink_name, sink->self());
      }) {}

bool LoadNode::in_session() {
  return membership_.client() != nullptr && membership_.client()->connected() && node_.running();
}

void LoadNode::connect(size_t peer, std::function<void(bool)> done) {
  node_.connect(node_name(peer), std::move(done));
}

void LoadNode::send(size_t peer, const Message& message, const etf::Term& payload) {
  node_.runtime().send(
      process::RemoteName{sink_name, node_name(peer)},
      etf::tuple(etf::integer(message.flow), etf::integer(message.number), etf::Term((message.due - run_start).count()),
                 etf::integer(message.payload), payload));
}

}  // namespace distlab::bench

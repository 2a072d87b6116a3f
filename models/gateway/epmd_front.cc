#include "models/gateway/epmd_front.h"

#include <utility>

#include <fmt/format.h>

#include "models/gateway/outgoing.h"
#include "models/host/event_kinds.h"

namespace distlab::gateway {
namespace {

constexpr int attempts = 20;  // to find a port that is free at every address
constexpr size_t max_outgoing = 1024;

std::string alive_part(const std::string& node) {
  return node.substr(0, node.find('@'));
}
std::string host_part(const std::string& node) {
  const size_t at = node.find('@');
  return at == std::string::npos ? "" : node.substr(at + 1);
}

}  // namespace

EpmdFront::EpmdFront(Host& host, EpmdFrontSettings settings)
    : host_(host), settings_(std::move(settings)), pipes_(host) {
  assign_addresses();
  const int tries = settings_.epmd_port == 0 ? attempts : 1;
  for (int i = 0; i < tries && !open(); ++i) {
  }
}

EpmdFront::~EpmdFront() = default;

// 127.0.0.1 is ours, 127.1.0.1 and on are the peers' hosts.
void EpmdFront::assign_addresses() {
  hosts_[host_part(settings_.node)] = loopback_address;
  uint32_t next = (127U << 24) + (1U << 16);
  for (const std::string& peer : settings_.peers)
    if (hosts_.count(host_part(peer)) == 0) hosts_[host_part(peer)] = Ipv4{++next};
}

bool EpmdFront::open() {
  own_.reset();
  epmds_.clear();
  listeners_.clear();
  Known known;
  if (!open_listeners(known)) return false;
  auto own = epmd_at(loopback_address, settings_.epmd_port, std::move(known[host_part(settings_.node)]));
  if (!own) return false;
  known.erase(host_part(settings_.node));
  for (auto& [host, nodes] : known) {
    epmds_.push_back(epmd_at(hosts_.at(host), own->local().port, std::move(nodes)));
    if (!epmds_.back()) return false;
  }
  own_ = std::move(own);
  return true;
}

bool EpmdFront::open_listeners(Known& known) {
  for (const std::string& peer : settings_.peers) {
    if (peer == settings_.node) continue;
    const std::string host = host_part(peer);
    auto listener = host_.listen_tcp(
        {hosts_.at(host), 0}, [this, peer](std::unique_ptr<ByteStream> stream) { called(std::move(stream), peer); });
    if (!listener) return false;
    known[host].push_back({.port = (*listener)->local().port, .name = alive_part(peer), .extra = {}});
    listeners_.push_back(std::move(*listener));
  }
  return true;
}

std::unique_ptr<epmd::Server> EpmdFront::epmd_at(Ipv4 address, uint16_t port, std::vector<epmd::Alive2Request> known) {
  epmd::ServerOptions options;
  options.address = address;
  options.port = port;
  options.known = std::move(known);
  if (address == loopback_address)
    options.changed = [this](const std::string& name, const epmd::Alive2Request* who) { registered(name, who); };
  auto made = std::make_unique<epmd::Server>(host_, std::move(options));
  return made->listening() ? std::move(made) : nullptr;
}

void EpmdFront::registered(const std::string& name, const epmd::Alive2Request* request) {
  if (name != alive_part(settings_.node)) return;
  beam_port_ = request == nullptr ? 0 : request->port;
  listen_if_ready();
}

void EpmdFront::serve(carrier::Carrier& carrier) {
  carrier_ = &carrier;
  listen_if_ready();
}

void EpmdFront::listen_if_ready() {
  if (carrier_ == nullptr || beam_port_ == 0 || std::exchange(listens_, true)) return;
  carrier_->listen(
      settings_.node,
      [this, alive = std::weak_ptr<int>(alive_)](std::unique_ptr<ByteStream> stream) {
        if (!alive.expired() && beam_port_ != 0) pipes_.join_to(std::move(stream), {loopback_address, beam_port_});
      },
      [](const tl::expected<uint32_t, NetError>&) {});
}

// Our BEAM connects to a peer.
void EpmdFront::called(std::unique_ptr<ByteStream> stream, const std::string& peer) {
  if (carrier_ == nullptr || outgoing_.size() >= max_outgoing) return;  // the stream closes as it goes
  const uint64_t id = ++last_;
  auto& made = outgoing_[id] = std::make_unique<Outgoing>(host_, std::move(stream), std::vector<uint8_t>{});
  made->dial(*carrier_, peer,
             {.dialled =
                  [this, id] {
                    outgoing_.at(id)->join(pipes_);
                    outgoing_.erase(id);
                  },
              .failed = [this, id](const carrier::DialError&) { outgoing_.erase(id); },
              .gone = [this, id] { outgoing_.erase(id); }});
}

std::string EpmdFront::inetrc() const {
  return inetrc_of(hosts_);
}

std::string inetrc_of(const std::map<std::string, Ipv4>& hosts) {
  std::map<Ipv4, std::string> names;
  for (const auto& [name, address] : hosts) {
    std::string& out = names[address];
    out += fmt::format("{}\"{}\"", out.empty() ? "" : ",", name);
  }
  std::string out = "{lookup,[file]}.\n{hosts_file,\"\"}.\n";
  for (const auto& [address, list] : names) {
    const uint32_t bits = address.bits;
    out += fmt::format("{{host,{{{},{},{},{}}},[{}]}}.\n", bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255,
                       list);
  }
  return out;
}

}  // namespace distlab::gateway

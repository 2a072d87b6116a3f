#include "models/process/testing/cluster.h"

#include <algorithm>
#include <stdexcept>

#include "models/host/event_kinds.h"
#include "models/process/peer_flags.h"

namespace distlab::process {

TestNode::TestNode(Cluster& cluster, TestHost& host, std::string name, uint32_t creation, dist::Flags flags,
                   Limits limits)
    : cluster_(cluster),
      host_(host),
      name_(std::move(name)),
      creation_(creation),
      own_flags_(flags),
      runtime_(std::make_unique<Runtime>(host, *this, limits)) {}

TestNode::~TestNode() = default;

Services& TestNode::start_services(const ServiceOptions& options) {
  services_ = std::make_unique<Services>(*runtime_, options);
  return *services_;
}

bool TestNode::connected(const std::string& peer) const {
  return up_.contains(peer);
}

uint64_t TestNode::flags(const std::string& peer) const {
  return up_.contains(peer) ? own_flags_ & cluster_.nodes_.at(peer)->own_flags_ : 0;
}

std::vector<std::string> TestNode::visible_nodes() const {
  std::vector<std::string> names;
  for (const std::string& peer : up_) {
    if (cluster_.nodes_.at(peer)->own_flags_ & dist::flag::published) names.push_back(peer);
  }
  return names;
}

SendResult TestNode::send(const std::string& peer, dist::Message message) {
  if (up_.contains(peer)) {
    transmit(peer, message);
  } else {
    start_connecting(peer);
    connecting_[peer].queue.push_back(std::move(message));
  }
  return busy_.contains(peer) ? SendResult::busy : SendResult::sent;
}

void TestNode::inject(const std::string& peer, const dist::Message& message) {
  transmit(peer, message);
}

void TestNode::connect(const std::string& peer, std::function<void(bool)> done) {
  if (up_.contains(peer)) return cluster_.world_.after(Duration{0}, [done] { done(true); });
  start_connecting(peer);
  connecting_[peer].waiting.push_back(std::move(done));
}

void TestNode::start_connecting(const std::string& peer) {
  if (connecting_.contains(peer)) return;
  connecting_[peer];
  cluster_.world_.after(2 * Cluster::one_way, [this, peer] {
    const bool possible = cluster_.nodes_.contains(peer) && !cluster_.forbidden_.contains({name_, peer});
    if (possible && !up_.contains(peer)) {
      TestNode& other = *cluster_.nodes_.at(peer);
      up_.insert(peer);
      other.up_.insert(name_);
      ++epoch_[peer];
      ++other.epoch_[name_];
      untold_.insert(peer);
      other.untold_.insert(name_);
      other.connecting_done(name_, true);
    }
    connecting_done(peer, possible);
  });
}

// Also for an attempt of the other side's that made ours unnecessary.
void TestNode::connecting_done(const std::string& peer, bool up) {
  Connecting waiting;
  if (const auto found = connecting_.find(peer); found != connecting_.end()) {
    waiting = std::move(found->second);
    connecting_.erase(found);
  } else if (!up) {
    return;
  }
  if (up) {
    if (untold_.erase(peer)) {
      const bool visible = (cluster_.nodes_.at(peer)->own_flags_ & dist::flag::published) != 0;
      runtime_->on_node_up(peer, visible);
    }
    for (dist::Message& message : waiting.queue) {
      if (fit_to_peer(message, flags(peer))) transmit(peer, message);
    }
  } else {
    runtime_->on_connect_failed(peer);
  }
  for (const auto& done : waiting.waiting) done(up);
}

void TestNode::transmit(const std::string& peer, const dist::Message& message) {
  const bool exit_payload = (flags(peer) & dist::flag::exit_payload) != 0;
  const dist::EncodedMessage bytes = dist::encode(message, exit_payload);
  const auto control = etf::decode(bytes.control);
  if (!control) throw std::runtime_error("undecodable control message");
  std::optional<Term> payload;
  if (!bytes.payload.empty()) payload = etf::decode(bytes.payload)->term;
  const int64_t op = *(*control->term.as<etf::Tuple>()->elements)[0].as_int();
  cluster_.wires_.push_back({name_, peer, op, control->term, payload});
  auto decoded = dist::decode(control->term, payload);
  if (!decoded) throw std::runtime_error(decoded.error());
  TestNode& other = *cluster_.nodes_.at(peer);
  const uint64_t epoch = other.epoch_[name_];
  cluster_.world_.after(Cluster::one_way, [this, &other, epoch, received = *decoded] {
    if (other.up_.contains(name_) && other.epoch_[name_] == epoch) {
      other.runtime_->on_message(name_, received);
    }
  });
}

void TestNode::disconnect(const std::string& peer) {
  cluster_.world_.after(Duration{0}, [this, peer] {
    if (up_.contains(peer)) cluster_.break_connection(name_, peer, "disconnect", "connection_closed");
  });
}

void TestNode::set_busy(const std::string& peer, bool on) {
  if (on) {
    busy_.insert(peer);
  } else if (busy_.erase(peer)) {
    runtime_->on_resume(peer);
  }
}

Cluster::~Cluster() = default;

TestNode& Cluster::add(const std::string& name, dist::Flags flags, Limits limits) {
  const Ipv4 address{0x0a000000u + next_address_++};
  TestHost& host = world_.add_host(name, address);
  const auto creation = static_cast<uint32_t>(nodes_.size() + 1);
  auto node = std::make_unique<TestNode>(*this, host, name, creation, flags, limits);
  return *nodes_.emplace(name, std::move(node)).first->second;
}

bool Cluster::connect(TestNode& a, TestNode& b) {
  std::optional<bool> up;
  a.connect(b.self(), [&](bool result) { up = result; });
  run_until([&] { return up.has_value(); });
  return up.value_or(false);
}

void Cluster::cut(TestNode& a, TestNode& b) {
  forbid(a, b);
  world_.after(Duration{0},
               [this, &a, &b] { break_connection(a.self(), b.self(), "connection_closed", "connection_closed"); });
}

void Cluster::forbid(TestNode& a, TestNode& b, bool on) {
  for (const auto& pair : {std::pair(a.self(), b.self()), std::pair(b.self(), a.self())}) {
    if (on) {
      forbidden_.insert(pair);
    } else {
      forbidden_.erase(pair);
    }
  }
}

void Cluster::break_connection(const std::string& a, const std::string& b, const std::string& a_reason,
                               const std::string& b_reason) {
  TestNode& first = *nodes_.at(a);
  TestNode& second = *nodes_.at(b);
  if (!first.up_.erase(b)) return;
  second.up_.erase(a);
  first.runtime_->on_node_down(b, a_reason);
  second.runtime_->on_node_down(a, b_reason);
}

std::vector<Wire> Cluster::wires(const TestNode& from, const TestNode& to) const {
  std::vector<Wire> found;
  std::copy_if(wires_.begin(), wires_.end(), std::back_inserter(found),
               [&](const Wire& wire) { return wire.from == from.self() && wire.to == to.self(); });
  return found;
}

std::vector<int64_t> Cluster::ops(const TestNode& from, const TestNode& to) const {
  std::vector<int64_t> found;
  for (const Wire& wire : wires(from, to)) found.push_back(wire.op);
  return found;
}

std::vector<std::string> Cluster::logs(const TestNode& node) const {
  std::vector<std::string> texts;
  for (const RecordedEvent& event : world_.events_of(node.self(), kinds::log)) {
    for (const Field& field : event.event.fields) {
      if (field.key == "text") texts.push_back(std::get<std::string>(field.value));
    }
  }
  return texts;
}

}  // namespace distlab::process

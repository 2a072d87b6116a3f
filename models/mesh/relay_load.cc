#include "models/mesh/relay_load.h"

#include <cassert>

#include <fmt/format.h>

namespace distlab::mesh {
namespace {

constexpr const char* procedure = "_dist.tunnel.b@host.example";

// As long as those of real tunnels: 24 characters of identifier.
std::string topic_of(size_t tunnel, const char* direction) {
  return fmt::format("_dist.data.{:A>24}{}", tunnel, direction);
}

}  // namespace

RelayLoad::RelayLoad(size_t sessions) : core_({.name = "load"}) {
  assert(sessions >= 2);
  sessions_.reserve(sessions);
  for (size_t i = 0; i < sessions; ++i) sessions_.push_back(join(fmt::format("node{}@host.example", i)));
  core_.take_events();
}

SessionId RelayLoad::join(const std::string& identity) {
  const SessionId id = core_.open(run_start, Endpoint{Ipv4{static_cast<uint32_t>(sessions_.size() + 1)}, 4433});
  ingress_.open(id);
  feed(id, encode(Connect{"io.macula", identity}).bytes());
  drain(id);
  return id;
}

void RelayLoad::add_tunnels(size_t count) {
  for (size_t i = 0; i < count; ++i, ++tunnels_) {
    feed(sessions_[tunnels_ % sessions_.size()], encode(Subscribe{topic_of(tunnels_, ".in")}).bytes());
    feed(sessions_[(tunnels_ + 1) % sessions_.size()], encode(Subscribe{topic_of(tunnels_, ".out")}).bytes());
  }
}

uint64_t RelayLoad::publish(size_t messages, size_t payload) {
  if (tunnels_ == 0) add_tunnels(1);
  const std::vector<uint8_t> bytes(payload);
  const Frame frame = encode(Publish{topic_of(0, ".out"), bytes, {}});
  uint64_t out = 0;
  for (size_t i = 0; i < messages; ++i) {
    feed(sessions_[0], frame.bytes());
    out += drain(sessions_[1]);
  }
  return out;
}

uint64_t RelayLoad::call(size_t calls) {
  if (calls_ == 0) feed(sessions_[1], encode(Advertise{procedure}).bytes());
  const Frame ask = encode(Call{1, procedure, {{"from_node", "a@host.example"}, {"target_node", "b@host.example"}}});
  uint64_t out = 0;
  for (size_t i = 0; i < calls; ++i) {
    feed(sessions_[0], ask.bytes());
    out += drain(sessions_[1]);
    feed(sessions_[1], encode(Reply{++calls_, Json("answer")}).bytes());
    out += drain(sessions_[0]);
  }
  return out;
}

void RelayLoad::feed(SessionId id, Bytes bytes) {
  [[maybe_unused]] const auto taken = ingress_.on_bytes(run_start, id, bytes);
  assert(taken);
  while (const auto served = ingress_.next(run_start)) core_.on_frame(run_start, served->session, served->frame);
}

size_t RelayLoad::drain(SessionId id) {
  size_t total = 0;
  for (Bytes out = core_.output(id); !out.empty(); out = core_.output(id)) {
    total += out.size();
    core_.consumed(id, out.size());
  }
  core_.take_touched();
  return total;
}

}  // namespace distlab::mesh

#include "models/mesh/membership.h"

#include <algorithm>
#include <utility>

namespace distlab::mesh {
namespace {

ClientStats sum(ClientStats a, const ClientStats& b) {
  a.published += b.published;
  a.dropped_disconnected += b.dropped_disconnected;
  a.dropped_oversize += b.dropped_oversize;
  a.lost_frames += b.lost_frames;
  a.lost_bytes += b.lost_bytes;
  a.delivered += b.delivered;
  a.connects += b.connects;
  a.failures += b.failures;
  a.errors += b.errors;
  a.mailbox_peak = std::max(a.mailbox_peak, b.mailbox_peak);
  return a;
}

}  // namespace

MembershipSettings documented(ClientSettings client) {
  client.on_farewell = OnLoss::die;
  client.on_connection_end = OnLoss::die;
  client.on_ping_timeout = OnLoss::die;
  return {.client = std::move(client), .restart_after = std::chrono::seconds{1}};
}

MembershipSettings macula_3_13(ClientSettings client) {
  client.on_farewell = OnLoss::reconnect;
  client.on_connection_end = OnLoss::ignore;
  client.on_ping_timeout = OnLoss::reconnect;
  return {.client = std::move(client), .restart_after = {}};
}

Membership::Membership(Host& host, MembershipSettings settings)
    : host_(host), settings_(std::move(settings)), restart_(host), burial_(host) {
  start();
}

Membership::~Membership() = default;

void Membership::start() {
  restart_.cancel();
  ++stats_.started;
  client_ = std::make_unique<RelayClient>(
      host_, settings_.client,
      ClientListener{.on_connected = {}, .on_disconnected = {}, .on_died = [this](const auto&) { died(); }});
  slot_.set(client_.get());
}

void Membership::kill_client(const std::string& reason) {
  if (client_) client_->kill(reason);
}

void Membership::register_client() {
  if (!client_) return start();
  wanted_ = true;
  client_->kill("replaced");
}

// A watcher of the slot may still hold the client until it is told.
void Membership::died() {
  ++stats_.died;
  stats_.earlier = sum(stats_.earlier, client_->stats());
  slot_.set(nullptr);
  // Its last calls have still to be told.
  dead_ = std::move(client_);
  burial_.start(Duration::zero(), [this] { dead_.reset(); });
  if (std::exchange(wanted_, false)) return start();
  if (settings_.restart_after) restart_.start(*settings_.restart_after, [this] { start(); });
}

ClientStats Membership::total() const {
  return client_ ? sum(stats_.earlier, client_->stats()) : stats_.earlier;
}

}  // namespace distlab::mesh

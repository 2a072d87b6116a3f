// How connections end: handle_exit/3 and what follows of it in net_kernel.erl. And the names this
// node gives to peers that ask for one, which are free again then.
#include <algorithm>
#include <cassert>
#include <utility>

#include "models/host/event_kinds.h"
#include "models/node/connection.h"
#include "models/node/net_kernel.h"

namespace distlab::node {
namespace {

constexpr size_t max_free_names = 1024;  // per host name, and host names

// net_kernel:wrap_creation/1: small creations are avoided.
uint32_t wrap_creation(uint32_t creation) {
  return creation >= 4 ? creation : creation + 4;
}

// integer_to_list(Number, 36).
std::string base_36(uint64_t number) {
  std::string out;
  do {
    out += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 36];
    number /= 36;
  } while (number > 0);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

// Its object goes away with the next event: one of its handlers may be running.
void NetKernel::discard(Connection& connection) {
  const auto found = connections_.find(connection.id());
  assert(found != connections_.end());
  ended_.push_back(std::move(found->second));
  connections_.erase(found);
  if (!reaper_.running()) reaper_.start(Duration::zero(), [this] { ended_.clear(); });
}

// conn_own_exit/3, dist_ctrlr_exit/3 and pending_own_exit/2. The owner and the controller (the
// port) of a connection end together here.
void NetKernel::exited(Connection& connection, std::string_view reason) {
  const auto row = rows_.find(connection.peer());
  if (row == rows_.end()) return;
  if (row->second.pending_owner == &connection) {
    row->second.state = PeerState::up;
    row->second.pending_owner = nullptr;
    return answer(std::exchange(row->second.waiting, {}), true);
  }
  if (row->second.owner != &connection) return;
  switch (row->second.state) {
    case PeerState::pending:
      return pending_down(row, reason);
    case PeerState::up:
      return up_down(row, reason);
    case PeerState::up_pending:
      return up_pending_down(row, reason);
    case PeerState::none:
      return;
  }
}

// pending_nodedown/5: erts_internal:abort_pending_connection/2 fires monitors and links.
void NetKernel::pending_down(Rows::iterator found, std::string_view reason) {
  const std::string peer = found->first;
  const Row row = std::move(found->second);
  rows_.erase(found);
  release_name(peer, row);
  if (row.dialled) {
    host_.record({kinds::connect_failed,
                  peer,
                  {{"reason", std::string(reason)}, {"elapsed_ns", int64_t((host_.now() - *row.dialled).count())}}});
  }
  if (listener_ != nullptr) listener_->on_connect_failed(peer);
  answer(row.waiting, false);
}

// up_nodedown/6.
void NetKernel::up_down(Rows::iterator found, std::string_view reason) {
  const std::string peer = found->first;
  release_name(peer, found->second);
  rows_.erase(found);
  if (config_.auto_connect == AutoConnect::once) barred_.insert(peer);
  host_.record({kinds::node_down, peer, {{"reason", std::string(reason)}}});
  if (listener_ != nullptr) listener_->on_node_down(peer, reason);
}

// up_pending_nodedown/6: who waited for this becomes the owner; what was sent from now on waits
// for its nodeup.
void NetKernel::up_pending_down(Rows::iterator found, std::string_view reason) {
  const std::string peer = found->first;
  Row& row = found->second;
  row.state = PeerState::pending;
  row.owner = std::exchange(row.pending_owner, nullptr);
  row.owner->old_connection_gone();
  host_.record({kinds::node_down, peer, {{"reason", std::string(reason)}}});
  if (listener_ != nullptr) listener_->on_node_down(peer, reason);
}

// generate_node_name/2.
std::string NetKernel::accept_named(Connection& asking, const std::string& host_name, bool visible,
                                    uint32_t& creation) {
  std::string name;
  do {
    auto& free = free_names_[host_name];
    if (!free.empty()) {
      std::tie(name, creation) = std::move(free.back());
      free.pop_back();
    } else {
      RandomStream& random = host_.random("net_kernel names");
      name = base_36(random.next()) + "@" + host_name;
      creation = wrap_creation(uint32_t(random.next()));
    }
    if (free.empty()) free_names_.erase(host_name);
  } while (rows_.count(name) > 0);
  Row& row = rows_[name];
  row.owner = &asking;
  row.visible = visible;
  row.given_creation = creation;
  return name;
}

// delete_connection/3: back to the pool.
void NetKernel::release_name(const std::string& peer, const Row& row) {
  if (!row.given_creation) return;
  const std::string host_name = peer.substr(peer.find('@') + 1);
  if (free_names_.count(host_name) == 0 && free_names_.size() >= max_free_names) return;
  auto& free = free_names_[host_name];
  if (free.size() < max_free_names) free.emplace_back(peer, wrap_creation(*row.given_creation + 1));
}

}  // namespace distlab::node

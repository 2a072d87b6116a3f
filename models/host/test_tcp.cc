// The TCP side of test_net::Network.
#include <algorithm>
#include <cassert>

#include "models/host/test_net.h"

namespace distlab::test_net {
namespace {

constexpr size_t backlog_limit = 128;
constexpr Duration first_syn_gap = std::chrono::seconds{1};
constexpr int syn_attempts = 7;  // tcp_connect_timeout is the sum of their gaps

Endpoint source_of(Ipv4 machine, Endpoint remote, Ipv4 far_machine) {
  // Towards 127/8 of its own machine a socket binds to that very address, as Linux does.
  return {far_machine == machine ? remote.address : machine, 0};
}

}  // namespace

TcpEnd* Network::find(uint64_t id) {
  const auto found = ends_.find(id);
  return found == ends_.end() ? nullptr : found->second.get();
}

Listener* Network::find_listener(Ipv4 machine, Endpoint local) {
  for (const auto& [id, listener] : listeners_) {
    if (listener->machine == machine && listener->local.port == local.port &&
        (listener->local.address == any_address || listener->local.address == local.address)) {
      return listener.get();
    }
  }
  return nullptr;
}

// Sends on behalf of an end, never overtaking what it sent before.
void Network::transmit(TcpEnd& end, Packet packet) {
  packet.from_machine = end.machine;
  packet.to_machine = end.far_machine;
  packet.from = end.local;
  packet.to = end.remote;
  packet.from_end = end.id;
  if (packet.kind != Packet::Kind::syn) packet.to_end = end.peer;
  const bool handshake = packet.kind == Packet::Kind::syn || packet.kind == Packet::Kind::syn_ack ||
                         (packet.kind == Packet::Kind::ack && end.sent == 0 && packet.arrived == 0);
  const bool instant = handshake && tcp_.instant_connect;
  end.in_order =
      std::max(end.in_order, queue_.now() + (instant ? Duration{0} : delay_of(end.machine, end.far_machine)));
  const Time arrival = end.in_order;
  send(std::move(packet), arrival);
}

// --- Setting up -------------------------------------------------------------------------------

std::shared_ptr<TcpEnd> Network::connect(TestHost& process, Endpoint remote, StreamHandler& handler) {
  auto end = std::make_shared<TcpEnd>();
  end->id = next_id_++;
  end->process = &process;
  end->machine = process.address();
  end->far_machine = machine_of(process, remote.address);
  end->remote = remote;
  end->local = source_of(end->machine, remote, end->far_machine);
  end->local.port = ephemeral_port(end->machine, false);
  end->handler = &handler;
  end->connect_told = false;
  end->send_capacity = tcp_.send_buffer;
  end->peer_capacity = tcp_.receive_buffer;
  ends_.emplace(end->id, end);
  send_syn(end->id, 0);
  return end;
}

void Network::send_syn(uint64_t id, int attempt) {
  TcpEnd* const end = find(id);
  if (!end || end->state != TcpEnd::State::connecting) return;
  if (attempt == syn_attempts) return fail(*end, NetError::timed_out);
  Packet syn;
  syn.kind = Packet::Kind::syn;
  transmit(*end, std::move(syn));
  queue_.push(queue_.now() + first_syn_gap * (1 << attempt), [this, id, attempt] { send_syn(id, attempt + 1); });
}

void Network::arrive_syn(const Packet& packet) {
  TcpEnd* const client = find(packet.from_end);
  if (!client) return;  // it gave up meanwhile
  if (TcpEnd* const known = find(client->peer)) {
    // A repeated SYN: the answer to the first was lost.
    if (known->state != TcpEnd::State::accepting) return;
    Packet again;
    again.kind = Packet::Kind::syn_ack;
    return transmit(*known, std::move(again));
  }
  Listener* const listener = find_listener(packet.to_machine, packet.to);
  if (!listener) return send_rst(packet);
  if (listener->backlog >= backlog_limit) return;
  ++listener->backlog;
  auto end = std::make_shared<TcpEnd>();
  end->id = next_id_++;
  end->peer = packet.from_end;
  end->listener = listener->id;
  end->process = listener->process;
  end->machine = packet.to_machine;
  end->far_machine = packet.from_machine;
  end->local = packet.to;
  end->remote = packet.from;
  end->state = TcpEnd::State::accepting;
  end->send_capacity = tcp_.send_buffer;
  end->peer_capacity = tcp_.receive_buffer;
  client->peer = end->id;
  ends_.emplace(end->id, end);
  Packet answer;
  answer.kind = Packet::Kind::syn_ack;
  transmit(*end, std::move(answer));
}

void Network::arrive_syn_ack(const Packet& packet) {
  TcpEnd* const end = find(packet.to_end);
  if (!end) return send_rst(packet);
  if (end->state != TcpEnd::State::connecting) return;
  end->state = TcpEnd::State::open;
  send_ack(*end);
  post_deliver(*end);
  pump(*end);
}

// The connection is complete: it waits in the backlog until the process runs.
void Network::hand_over(TcpEnd& end) {
  end.state = TcpEnd::State::open;
  const auto listener = listeners_.find(end.listener);
  assert(listener != listeners_.end());  // closing it aborts its backlog
  end.process->post([this, shared = end.shared_from_this(), from = listener->second] {
    if (shared->listener == 0) return;  // the listener was closed meanwhile
    shared->listener = 0;
    --from->backlog;
    const auto accept = from->accept;  // it may destroy the listener
    accept(shared->process->wrap(shared));
    if (shared->owned) post_deliver(*shared);
  });
}

tl::expected<std::shared_ptr<Listener>, NetError> Network::listen(TestHost& process, Endpoint local,
                                                                  AcceptHandler accept) {
  const auto bound = bind(process, local, false);
  if (!bound) return tl::unexpected(bound.error());
  auto listener = std::make_shared<Listener>();
  listener->id = next_id_++;
  listener->process = &process;
  listener->machine = process.address();
  listener->local = *bound;
  listener->accept = std::move(accept);
  listeners_.emplace(listener->id, listener);
  return listener;
}

void Network::close(Listener& listener) {
  if (listeners_.erase(listener.id) == 0) return;
  std::vector<std::shared_ptr<TcpEnd>> waiting;
  for (const auto& [id, end] : ends_) {
    if (end->listener == listener.id) waiting.push_back(end);
  }
  for (const auto& end : waiting) {
    end->listener = 0;
    abort(*end);
  }
}

// --- Sending ----------------------------------------------------------------------------------

size_t Network::write(TcpEnd& end, Bytes data) {
  if (!end.owned || end.failure || end.close_told) return 0;
  const size_t used = end.unsent.size() + static_cast<size_t>(end.sent - end.acked);
  const size_t taken = std::min(data.size(), end.send_capacity - std::min(used, end.send_capacity));
  end.unsent.insert(end.unsent.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(taken));
  if (taken < data.size()) end.wants_room = true;
  pump(end);
  return taken;
}

void Network::pump(TcpEnd& end) {
  if (end.state != TcpEnd::State::open) return;
  while (!end.unsent.empty()) {
    const size_t window = end.peer_capacity - static_cast<size_t>(end.sent - end.peer_read);
    const size_t size = std::min({tcp_.chunk, end.unsent.size(), window});
    if (size == 0) return;
    Packet packet;
    packet.kind = Packet::Kind::data;
    packet.bytes.assign(end.unsent.begin(), end.unsent.begin() + static_cast<ptrdiff_t>(size));
    packet.wire_size = size;
    end.unsent.erase(end.unsent.begin(), end.unsent.begin() + static_cast<ptrdiff_t>(size));
    end.sent += size;
    TcpChunk chunk{end.local, end.remote, end.chunks++, packet.bytes};
    if (const TcpHook& hook = link(end.machine, end.far_machine).tcp_hook) hook(chunk);
    transmit(end, std::move(packet));
  }
  if (end.fin_asked && !end.fin_sent) {
    end.fin_sent = true;
    Packet fin;
    fin.kind = Packet::Kind::fin;
    transmit(end, std::move(fin));
  }
}

void Network::send_ack(TcpEnd& end) {
  Packet ack;
  ack.kind = Packet::Kind::ack;
  ack.arrived = end.arrived;
  ack.read = end.read;
  ack.fin_arrived = end.fin_received;
  transmit(end, std::move(ack));
}

// After the process had its turn at this instant, so that one acknowledgement serves for arrival
// and reading.
void Network::post_ack(TcpEnd& end) {
  if (end.ack_posted) return;
  end.ack_posted = true;
  queue_.push(queue_.now(), [this, shared = end.shared_from_this()] {
    shared->ack_posted = false;
    if (shared->state == TcpEnd::State::open) send_ack(*shared);
    forget_if_done(*shared);
  });
}

void Network::arrive_ack(const Packet& packet) {
  TcpEnd* const end = find(packet.to_end);
  if (!end) return;
  end->acked = std::max(end->acked, packet.arrived);
  end->peer_read = std::max(end->peer_read, packet.read);
  end->fin_acked = end->fin_acked || packet.fin_arrived;
  if (end->state == TcpEnd::State::accepting) hand_over(*end);
  pump(*end);
  post_room(*end);
  forget_if_done(*end);
}

void Network::post_room(TcpEnd& end) {
  // sk_stream_is_writeable: a third of the buffer must be free, so that a writer is not woken for
  // every byte.
  const auto roomy = [](const TcpEnd& e) {
    return e.wants_room && (e.unsent.size() + static_cast<size_t>(e.sent - e.acked)) * 3 <= e.send_capacity * 2;
  };
  if (end.room_posted || !end.handler || !roomy(end)) return;
  end.room_posted = true;
  end.process->post([shared = end.shared_from_this(), roomy] {
    shared->room_posted = false;
    if (!shared->handler || shared->failure || !roomy(*shared)) return;
    shared->wants_room = false;
    shared->handler->on_writable();
  });
}

void Network::watch_for_give_up(uint64_t id) {
  TcpEnd* const end = find(id);
  if (!end || end->giving_up || (end->sent == end->acked && end->fin_sent == end->fin_acked)) return;
  end->giving_up = true;
  const auto before = std::pair{end->acked, end->fin_acked};
  queue_.push(queue_.now() + tcp_give_up_timeout, [this, id, before] {
    TcpEnd* const later = find(id);
    if (!later) return;
    later->giving_up = false;
    if (before == std::pair{later->acked, later->fin_acked}) return fail(*later, NetError::timed_out);
    watch_for_give_up(id);
  });
}

// --- Receiving --------------------------------------------------------------------------------

void Network::arrive_data(Packet& packet) {
  TcpEnd* const end = find(packet.to_end);
  if (!end) return send_rst(packet);
  if (!end->owned) {
    // Nobody will ever read it (tcp_rcv_state_process, the FIN_WAIT states without a socket).
    send_rst(packet);
    end->state = TcpEnd::State::closed;
    ends_.erase(end->id);
    return;
  }
  end->arrived += packet.wire_size;
  if (packet.bytes.empty()) {
    end->read += packet.wire_size;
  } else {
    end->received.push_back({std::move(packet.bytes), packet.wire_size});
  }
  post_deliver(*end);
  post_ack(*end);
}

void Network::arrive_fin(const Packet& packet) {
  TcpEnd* const end = find(packet.to_end);
  if (!end) return;
  end->fin_received = true;
  post_deliver(*end);
  post_ack(*end);
}

void Network::arrive_rst(const Packet& packet) {
  if (TcpEnd* const end = find(packet.to_end)) {
    fail(*end, end->state == TcpEnd::State::connecting ? NetError::refused : NetError::reset);
  }
}

// Answers a packet that no end here expects.
void Network::send_rst(const Packet& cause) {
  Packet rst;
  rst.kind = Packet::Kind::rst;
  rst.from_machine = cause.to_machine;
  rst.to_machine = cause.from_machine;
  rst.from = cause.to;
  rst.to = cause.from;
  rst.to_end = cause.from_end;
  const bool instant = cause.kind == Packet::Kind::syn && tcp_.instant_connect;
  send(std::move(rst), queue_.now() + (instant ? Duration{0} : delay_of(cause.to_machine, cause.from_machine)));
}

void Network::fail(TcpEnd& end, NetError why) {
  const auto shared = end.shared_from_this();  // ends_ may hold the last reference
  if (end.listener != 0) {
    if (const auto listener = listeners_.find(end.listener); listener != listeners_.end()) --listener->second->backlog;
    end.listener = 0;
  }
  end.state = TcpEnd::State::closed;
  end.failure = why;
  end.unsent.clear();
  ends_.erase(end.id);
  post_deliver(end);
}

void Network::set_reading(TcpEnd& end, bool on) {
  end.reading = on;
  if (on) post_deliver(end);
}

void Network::set_handler(TcpEnd& end, StreamHandler& handler) {
  if (!end.owned || end.close_told) return;
  end.handler = &handler;
  post_deliver(end);
}

void Network::post_deliver(TcpEnd& end) {
  if (end.deliver_posted || !end.handler) return;
  end.deliver_posted = true;
  end.process->post([this, shared = end.shared_from_this()] { deliver(*shared); });
}

// One callback per turn: a handler may close, destroy or stop reading in any of them.
void Network::deliver(TcpEnd& end) {
  end.deliver_posted = false;
  if (!end.handler) return;
  if (!end.connect_told && end.state == TcpEnd::State::open) {
    end.connect_told = true;
    post_deliver(end);
    return end.handler->on_connected();
  }
  if (end.reading && !end.received.empty()) {
    const Received chunk = std::move(end.received.front());
    end.received.pop_front();
    end.read += chunk.wire_size;
    post_ack(end);
    post_deliver(end);
    return end.handler->on_data(chunk.bytes);
  }
  if (end.failure || (end.fin_received && end.reading)) {
    end.close_told = true;
    return std::exchange(end.handler, nullptr)->on_closed(end.failure.value_or(NetError::closed));
  }
}

// --- Closing ----------------------------------------------------------------------------------

void Network::close(TcpEnd& end) {
  if (!end.owned) return;
  if (end.state == TcpEnd::State::connecting || !end.received.empty()) return abort(end);
  end.owned = false;
  end.handler = nullptr;
  end.fin_asked = true;
  pump(end);
  forget_if_done(end);
}

void Network::abort(TcpEnd& end) {
  if (!end.owned) return;
  const auto shared = end.shared_from_this();
  end.owned = false;
  end.handler = nullptr;
  if (end.state == TcpEnd::State::open || end.state == TcpEnd::State::accepting) {
    Packet rst;
    rst.kind = Packet::Kind::rst;
    transmit(end, std::move(rst));
  }
  end.state = TcpEnd::State::closed;
  ends_.erase(end.id);
}

void Network::forget_if_done(TcpEnd& end) {
  const bool sent_all = end.fin_sent && end.fin_acked;
  if (end.owned || !sent_all || !end.fin_received || end.ack_posted) return;
  end.state = TcpEnd::State::closed;
  const uint64_t id = end.id;
  ends_.erase(id);
}

}  // namespace distlab::test_net

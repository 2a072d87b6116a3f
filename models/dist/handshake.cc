#include "models/dist/handshake.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "models/etf/term.h"

namespace distlab::dist {
namespace {

constexpr size_t max_atom_characters = 255;

std::string text(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// Node names travel as Latin-1 (atom_to_binary(Node, latin1)); in here they are UTF-8.
std::string from_latin1(Bytes bytes) {
  std::string out;
  for (const uint8_t b : bytes) {
    if (b >= 0x80) out += char(0xc0 | b >> 6);
    out += b < 0x80 ? char(b) : char(0x80 | (b & 0x3f));
  }
  return out;
}

// Nothing if a character has no place in Latin-1 or the text is no UTF-8.
std::optional<std::vector<uint8_t>> to_latin1(std::string_view utf8) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = uint8_t(utf8[i]);
    if (lead < 0x80) {
      out.push_back(lead);
      continue;
    }
    if ((lead != 0xc2 && lead != 0xc3) || i + 1 == utf8.size() || (uint8_t(utf8[i + 1]) & 0xc0) != 0x80) return {};
    out.push_back(uint8_t(lead << 6 | (uint8_t(utf8[++i]) & 0x3f)));
  }
  return out;
}

template <typename Integer>
void put(std::vector<uint8_t>& out, Integer value) {
  for (size_t i = sizeof value; i-- > 0;) out.push_back(uint8_t(value >> (8 * i)));
}

template <typename Integer>
Integer get(Bytes bytes, size_t offset) {
  Integer value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = Integer(uint64_t{value} << 8 | bytes[offset + i]);
  return value;
}

std::string printed(std::string_view name) {
  return etf::atom(name).to_string(600);
}

std::string printed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const auto& name : names) out += fmt::format("{}\"{}\"", out.size() > 1 ? "," : "", name);
  return out + "]";
}

// split_node/1: {node, Name, Host}.
std::optional<std::string_view> host_of(std::string_view name) {
  if (!is_node_name(name)) return {};
  return name.substr(name.find('@') + 1);
}

bool same(Bytes bytes, const Digest& digest) {
  return std::equal(bytes.begin(), bytes.end(), digest.begin(), digest.end());
}

}  // namespace

std::string_view to_string(HandshakeError error) {
  switch (error) {
    case HandshakeError::closed:
      return "closed";
    case HandshakeError::garbage:
      return "garbage";
    case HandshakeError::invalid_name:
      return "invalid_name";
    case HandshakeError::not_allowed:
      return "not_allowed";
    case HandshakeError::missing_flags:
      return "missing_flags";
    case HandshakeError::bad_cookie:
      return "bad_cookie";
    case HandshakeError::nok:
      return "nok";
    case HandshakeError::attempt_dropped:
      return "attempt_dropped";
    case HandshakeError::already_pending:
      return "already_pending";
    case HandshakeError::crashed:
      return "crashed";
  }
  return "?";
}

Digest challenge_digest(uint32_t challenge, std::string_view cookie) {
  const std::string input = fmt::format("{}{}", cookie, challenge);
  Digest digest{};
  unsigned size = 0;
  [[maybe_unused]] const int ok = EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_md5(), nullptr);
  assert(ok == 1 && size == digest.size());
  return digest;
}

bool is_node_name(std::string_view name) {
  const size_t at = name.find('@');
  return at != name.npos && at > 0 && at + 1 < name.size() && name.find('@', at + 1) == name.npos;
}

// --- common ---

void Handshake::on_bytes(Bytes bytes) {
  if (state_ == HandshakeState::failed) return;
  if (state_ == HandshakeState::receiving) return drain(bytes);
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  if (state_ != HandshakeState::done && waiting_.size() > max_waiting) {
    fail(HandshakeError::garbage, "more bytes than a handshake can have");
  }
}

void Handshake::drain(Bytes bytes) {
  decoder_.feed(bytes);
  while (state_ == HandshakeState::receiving) {
    const auto frame = decoder_.next();
    if (!frame) return;
    ++received_packets_;
    on_packet(frame->bytes);
  }
  waiting_ = decoder_.take_rest();
}

void Handshake::resume() {
  state_ = HandshakeState::receiving;
  drain(std::exchange(waiting_, {}));
}

void Handshake::on_closed() {
  if (state_ == HandshakeState::done || state_ == HandshakeState::failed || state_ == HandshakeState::parked) return;
  fail(HandshakeError::closed, "{error,closed}");
}

std::vector<uint8_t> Handshake::take_output() {
  return std::exchange(output_, {});
}
bool Handshake::take_timer_reset() {
  return std::exchange(timer_reset_, false);
}
std::vector<HandshakeStep> Handshake::take_steps() {
  return std::exchange(steps_, {});
}
std::vector<uint8_t> Handshake::take_rest() {
  return std::exchange(waiting_, {});
}

const HandshakeResult& Handshake::result() const {
  assert(state_ == HandshakeState::done);
  return result_;
}

const HandshakeFailure& Handshake::failure() const {
  assert(failure_);
  return *failure_;
}

void Handshake::send(std::vector<uint8_t> packet, std::string_view step, std::string status) {
  write_length(output_, packet.size(), HeaderSize::two);
  output_.insert(output_.end(), packet.begin(), packet.end());
  ++sent_packets_;
  steps_.push_back({step, std::move(status)});
}

void Handshake::send_status(std::string_view status) {
  std::vector<uint8_t> packet{'s'};
  packet.insert(packet.end(), status.begin(), status.end());
  send(std::move(packet), "send_status", std::string(status));
}

void Handshake::received(std::string_view step, std::string status) {
  steps_.push_back({step, std::move(status)});
}

void Handshake::fail(HandshakeError error, std::string detail, std::optional<std::string> log) {
  state_ = HandshakeState::failed;
  failure_ = HandshakeFailure{error, std::move(detail), std::move(log)};
}

void Handshake::crash(std::string_view self, std::string_view reason, std::string_view where) {
  auto detail = fmt::format("{{{},[{{{}}}]}}", reason, where);
  auto log = fmt::format("Error in process on node {} with exit value:\n{}", printed(self), detail);
  fail(HandshakeError::crashed, std::move(detail), std::move(log));
}

void Handshake::finish(HandshakeResult result) {
  state_ = HandshakeState::done;
  result_ = std::move(result);
}

// --- initiator: dist_util:handshake_we_started/1 ---

Initiator::Initiator(InitiatorConfig config) : config_(std::move(config)) {
  pending_.peer = config_.peer;
  const auto name = to_latin1(config_.self);
  if (!name || name->size() > 0xffff) {
    crash(config_.self, "badarg", "erlang,atom_to_binary,2");
    return;
  }
  std::vector<uint8_t> packet{'N'};
  put(packet, config_.flags);
  put(packet, (config_.flags & flag::name_me) != 0 ? uint32_t{0} : config_.creation);
  put(packet, uint16_t(name->size()));
  packet.insert(packet.end(), name->begin(), name->end());
  send(std::move(packet), "send_name", config_.self);
}

void Initiator::on_packet(Bytes packet) {
  switch (expect_) {
    case Expect::status:
      return on_status(packet);
    case Expect::challenge:
      return on_challenge(packet);
    case Expect::ack:
      return on_ack(packet);
  }
}

// dist_util:recv_status/1.
void Initiator::on_status(Bytes packet) {
  if (packet.empty() || packet[0] != 's') return fail(HandshakeError::garbage, "{recv_status_failed,garbage}");
  const std::string status = text(packet.subspan(1));
  constexpr std::string_view named = "named:";
  const bool dynamic = (config_.flags & flag::name_me) != 0;
  if (status.compare(0, named.size(), named) == 0) return on_named(packet.subspan(1 + named.size()));

  received("recv_status", status.substr(0, 64));
  if (status == "not_allowed") return fail(HandshakeError::not_allowed, "{recv_status_failed,not_allowed}");
  if (dynamic) return fail(HandshakeError::garbage, "{recv_status_failed,unexpected}");
  if (status == "ok" || status == "ok_simultaneous") {
    expect_ = Expect::challenge;
  } else if (status == "nok") {
    ask(HandshakeState::parked);
  } else if (status == "alive") {
    ask(HandshakeState::asks_pending);
  } else {
    fail(HandshakeError::garbage, "{recv_status_failed,unknown}");
  }
}

// Status `named:` len:16 name creation:32, to a node that asked for a name.
void Initiator::on_named(Bytes rest) {
  const size_t length = rest.size() < 2 ? 0 : get<uint16_t>(rest, 0);
  if (rest.size() < 2 + length + 4) return crash(config_.self, "badmatch", "dist_util,recv_status,1");
  pending_.given_name = text(rest.subspan(2, length));
  pending_.given_creation = get<uint32_t>(rest, 2 + length);
  received("recv_status", "named:" + pending_.given_name);
  const bool dynamic = (config_.flags & flag::name_me) != 0;
  if (!dynamic || host_of(pending_.given_name) != config_.self) {
    return crash(config_.self, "badmatch", "dist_util,recv_status,1");
  }
  expect_ = Expect::challenge;
}

void Initiator::answer_pending(bool pending) {
  if (state() != HandshakeState::asks_pending) return;
  send_status(pending ? "true" : "false");
  if (!pending) return fail(HandshakeError::attempt_dropped, "shutdown");
  expect_ = Expect::challenge;
  resume();
}

// dist_util:recv_challenge_new/2, then send_challenge_reply/3.
void Initiator::on_challenge(Bytes packet) {
  constexpr size_t name_at = 1 + 8 + 4 + 4 + 2;
  if (packet.size() < name_at || packet[0] != 'N') {
    return fail(HandshakeError::garbage, "{recv_challenge_failed,garbage}");
  }
  const size_t length = get<uint16_t>(packet, name_at - 2);
  if (length > packet.size() - name_at) return fail(HandshakeError::garbage, "{recv_challenge_failed,no_node}");
  const std::string name = from_latin1(packet.subspan(name_at, length));
  received("recv_challenge", name);
  if (name != config_.peer) return fail(HandshakeError::invalid_name, "{recv_challenge_failed,no_node}");

  const uint32_t challenge = get<uint32_t>(packet, 9);
  pending_.peer_flags = expand_mandatory_25(get<uint64_t>(packet, 1));
  pending_.peer_creation = get<uint32_t>(packet, 13);
  pending_.flags = config_.flags & pending_.peer_flags;
  if (const auto missing = check_mandatory(pending_.flags, config_.mandatory); !missing.empty()) {
    return fail(HandshakeError::missing_flags, fmt::format("{{check_dflags_failed,{}}}", printed(missing)),
                missing_flags_log(config_.self, config_.peer, Direction::outgoing, missing));
  }

  const Digest digest = challenge_digest(challenge, config_.cookie(config_.peer));
  std::vector<uint8_t> reply{'r'};
  put(reply, config_.challenge);
  reply.insert(reply.end(), digest.begin(), digest.end());
  send(std::move(reply), "send_challenge_reply");
  reset_timer();
  expect_ = Expect::ack;
}

// dist_util:recv_challenge_ack/3.
void Initiator::on_ack(Bytes packet) {
  if (packet.size() != 1 + sizeof(Digest) || packet[0] != 'a') {
    return fail(HandshakeError::garbage, "{recv_challenge_ack_failed,garbage}");
  }
  received("recv_challenge_ack");
  if (!same(packet.subspan(1), challenge_digest(config_.challenge, config_.cookie(config_.peer)))) {
    return fail(
        HandshakeError::bad_cookie, "{recv_challenge_ack_failed,bad_cookie}",
        fmt::format("** Connection attempt to node {} cancelled. Invalid challenge ack. **", printed(config_.peer)));
  }
  finish(pending_);
}

// --- acceptor: dist_util:handshake_other_started/1 ---

Acceptor::Acceptor(AcceptorConfig config) : config_(std::move(config)) {}

void Acceptor::on_packet(Bytes packet) {
  switch (expect_) {
    case Expect::name:
      return on_name(packet);
    case Expect::alive_answer:
      return on_alive_answer(packet);
    case Expect::reply:
      return on_reply(packet);
  }
}

// dist_util:recv_name/1. The version 5 name ('n') has not been understood since OTP 25 (the branch
// went away with ERL_DIST_VER_LOW = 6): closed without a word.
void Acceptor::on_name(Bytes packet) {
  constexpr size_t name_at = 1 + 8 + 4 + 2;
  if (packet.empty() || packet[0] != 'N') return fail(HandshakeError::garbage, "no_node");
  if (packet.size() < name_at) return crash(config_.self, "function_clause", "dist_util,recv_name_new,2");
  const size_t length = get<uint16_t>(packet, name_at - 2);
  if (length > packet.size() - name_at) return crash(config_.self, "badarg", "lists,split,2");

  pending_.peer_flags = expand_mandatory_25(get<uint64_t>(packet, 1));
  pending_.peer_creation = get<uint32_t>(packet, 9);
  pending_.peer = from_latin1(packet.subspan(name_at, length));
  received("recv_name", pending_.peer);
  const bool good = wants_name() ? !pending_.peer.empty() && pending_.peer.find('@') == std::string::npos
                                 : is_node_name(pending_.peer);
  if (!good) return fail(HandshakeError::invalid_name, "shutdown");

  if (config_.allowed && !config_.allowed(pending_.peer)) {
    send_status("not_allowed");
    return fail(HandshakeError::not_allowed, "{is_allowed,not_allowed}",
                fmt::format("** Connection attempt from disallowed node {} ** ", pending_.peer));
  }
  if (!wants_name() && length > max_atom_characters) {
    return crash(config_.self, "system_limit", "erlang,list_to_atom,1");
  }
  if (const auto missing = check_mandatory(pending_.peer_flags, config_.mandatory); !missing.empty()) {
    send_status("not_allowed");
    return fail(HandshakeError::missing_flags, fmt::format("{{check_dflags_failed,{}}}", printed(missing)),
                missing_flags_log(config_.self, pending_.peer, Direction::incoming, missing));
  }
  ask(HandshakeState::asks_status);
}

// dist_util:mark_pending/1.
void Acceptor::answer_status(Pending decision) {
  if (state() != HandshakeState::asks_status) return;
  switch (decision) {
    case Pending::ok:
    case Pending::ok_pending:
      send_status(decision == Pending::ok ? "ok" : "ok_simultaneous");
      reset_timer();
      return send_challenge();
    case Pending::nok_pending:
      send_status("nok");
      return fail(HandshakeError::nok, "shutdown");
    case Pending::up_pending:
      up_pending_ = true;
      send_status("alive");
      expect_ = Expect::alive_answer;
      return resume();
    case Pending::already_pending:
      return fail(HandshakeError::already_pending, "shutdown");
  }
}

void Acceptor::answer_named(std::string name, uint32_t creation) {
  if (state() != HandshakeState::asks_status) return;
  assert(wants_name() && is_node_name(name) && name.size() <= 0xffff);
  std::vector<uint8_t> packet{'s', 'n', 'a', 'm', 'e', 'd', ':'};
  put(packet, uint16_t(name.size()));
  packet.insert(packet.end(), name.begin(), name.end());
  put(packet, creation);
  send(std::move(packet), "send_status", "named:" + name);
  reset_timer();
  pending_.peer = std::move(name);
  pending_.peer_creation = creation;
  send_challenge();
}

// dist_util:do_alive/1.
void Acceptor::on_alive_answer(Bytes packet) {
  if (packet.empty() || packet[0] != 's') return fail(HandshakeError::garbage, "{recv_status_failed,garbage}");
  const std::string answer = text(packet.subspan(1));
  received("recv_status_reply", answer.substr(0, 64));
  if (answer == "false") return fail(HandshakeError::attempt_dropped, "shutdown");
  if (answer != "true") return fail(HandshakeError::garbage, "{recv_status_failed,unexpected}");
  reset_timer();
  send_challenge();
}

void Acceptor::send_challenge() {
  const auto name = to_latin1(config_.self);
  if (!name || name->size() > 0xffff) return crash(config_.self, "badarg", "erlang,atom_to_binary,2");
  cookie_ = config_.cookie(pending_.peer);
  // make_this_flags/6: towards a node that asks for its name, NAME_ME takes the place of PUBLISHED.
  const Flags flags = wants_name() ? (config_.flags & ~flag::published) | flag::name_me : config_.flags;
  std::vector<uint8_t> packet{'N'};
  put(packet, flags);
  put(packet, config_.challenge);
  put(packet, config_.creation);
  put(packet, uint16_t(name->size()));
  packet.insert(packet.end(), name->begin(), name->end());
  send(std::move(packet), "send_challenge");
  reset_timer();
  pending_.flags = flags & pending_.peer_flags;
  expect_ = Expect::reply;
  if (state() != HandshakeState::receiving) resume();
}

// dist_util:recv_challenge_reply/3.
void Acceptor::on_reply(Bytes packet) {
  if (packet.size() != 1 + 4 + sizeof(Digest) || packet[0] != 'r') {
    return fail(HandshakeError::garbage, "{recv_challenge_reply_failed,garbage}");
  }
  received("recv_challenge_reply");
  peer_challenge_ = get<uint32_t>(packet, 1);
  if (!same(packet.subspan(5), challenge_digest(config_.challenge, cookie_))) {
    return fail(HandshakeError::bad_cookie, "{recv_challenge_reply_failed,bad_cookie}",
                fmt::format("** Connection attempt from node {} rejected. Invalid challenge reply. **",
                            printed(pending_.peer)));
  }
  if (up_pending_) return ask(HandshakeState::asks_wait_pending);
  send_ack();
}

void Acceptor::old_connection_gone() {
  if (state() == HandshakeState::asks_wait_pending) send_ack();
}

void Acceptor::send_ack() {
  const Digest digest = challenge_digest(peer_challenge_, cookie_);
  std::vector<uint8_t> packet{'a'};
  packet.insert(packet.end(), digest.begin(), digest.end());
  send(std::move(packet), "send_challenge_ack");
  finish(pending_);
}

}  // namespace distlab::dist

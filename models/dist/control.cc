#include "models/dist/control.h"

#include <array>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "models/dist/flags.h"
#include "models/etf/codec.h"

namespace distlab::dist {
namespace {

// enum dop of dist.h. The _tt variants carry a sequential trace token.
enum Op : int {
  op_link = 1,
  op_send = 2,
  op_exit = 3,
  op_unlink = 4,
  op_reg_send = 6,
  op_group_leader = 7,
  op_exit2 = 8,
  op_send_tt = 12,
  op_exit_tt = 13,
  op_reg_send_tt = 16,
  op_exit2_tt = 18,
  op_monitor_p = 19,
  op_demonitor_p = 20,
  op_monitor_p_exit = 21,
  op_send_sender = 22,
  op_send_sender_tt = 23,
  op_payload_exit = 24,
  op_payload_exit_tt = 25,
  op_payload_exit2 = 26,
  op_payload_exit2_tt = 27,
  op_payload_monitor_p_exit = 28,
  op_spawn_request = 29,
  op_spawn_request_tt = 30,
  op_spawn_reply = 31,
  op_spawn_reply_tt = 32,
  op_alias_send = 33,
  op_alias_send_tt = 34,
  op_unlink_id = 35,
  op_unlink_id_ack = 36,
};

// --- out ---

Term to_term(const ProcessName& name) {
  if (const auto* pid = std::get_if<Pid>(&name)) return *pid;
  return etf::atom(std::get<std::string>(name));
}

Term to_term(uint64_t id) {
  if (id <= uint64_t(std::numeric_limits<int64_t>::max())) return int64_t(id);
  etf::BigInt big;
  for (; id != 0; id >>= 8) big.magnitude.push_back(uint8_t(id));
  return big;
}

// Builds the control tuple; `reason` is the payload of a message whose reason goes inside, or null.
struct ToTuple {
  const Term* reason;

  Term with_reason(Op payload_op, Op inside_op, etf::Terms rest) const {
    etf::Terms out{Term(int(reason ? inside_op : payload_op))};
    out.insert(out.end(), rest.begin(), rest.end());
    if (reason) out.push_back(*reason);
    return etf::tuple(std::move(out));
  }

  Term operator()(const Link& m) const { return etf::tuple(int(op_link), m.from, m.to); }
  Term operator()(const Send& m) const { return etf::tuple(int(op_send), etf::atom(""), m.to); }
  Term operator()(const RegSend& m) const {
    return etf::tuple(int(op_reg_send), m.from, etf::atom(""), etf::atom(m.to_name));
  }
  Term operator()(const GroupLeader& m) const { return etf::tuple(int(op_group_leader), m.from, m.to); }
  Term operator()(const SendSender& m) const { return etf::tuple(int(op_send_sender), m.from, m.to); }
  Term operator()(const MonitorP& m) const { return etf::tuple(int(op_monitor_p), m.from, to_term(m.to), m.ref); }
  Term operator()(const DemonitorP& m) const { return etf::tuple(int(op_demonitor_p), m.from, to_term(m.to), m.ref); }
  Term operator()(const MonitorPExit& m) const {
    return with_reason(op_payload_monitor_p_exit, op_monitor_p_exit, {to_term(m.from), m.to, m.ref});
  }
  Term operator()(const Exit& m) const { return with_reason(op_payload_exit, op_exit, {m.from, m.to}); }
  Term operator()(const Exit2& m) const { return with_reason(op_payload_exit2, op_exit2, {m.from, m.to}); }
  Term operator()(const SpawnRequest& m) const {
    return etf::tuple(int(op_spawn_request), m.request_id, m.from, m.group_leader,
                      etf::tuple(etf::atom(m.module), etf::atom(m.function), int(m.arity)), m.options);
  }
  Term operator()(const SpawnReply& m) const {
    return etf::tuple(int(op_spawn_reply), m.request_id, m.to, int64_t{m.flags}, m.result);
  }
  Term operator()(const AliasSend& m) const { return etf::tuple(int(op_alias_send), m.from, m.alias); }
  Term operator()(const UnlinkId& m) const {
    if (m.id == 0) return etf::tuple(int(op_unlink), m.from, m.to);
    return etf::tuple(int(op_unlink_id), to_term(m.id), m.from, m.to);
  }
  Term operator()(const UnlinkIdAck& m) const { return etf::tuple(int(op_unlink_id_ack), to_term(m.id), m.from, m.to); }
};

template <typename... Kinds>
bool is_one_of(const Control& control) {
  return (std::holds_alternative<Kinds>(control) || ...);
}

bool has_reason(const Control& control) {
  return is_one_of<MonitorPExit, Exit, Exit2>(control);
}

// --- in ---

std::optional<uint64_t> to_uint64(const Term& term) {
  if (const auto number = term.as_int()) return *number < 0 ? std::nullopt : std::optional<uint64_t>(*number);
  const auto* big = term.as<etf::BigInt>();
  if (big == nullptr || big->negative || big->magnitude.size() > 8) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = big->magnitude.size(); i-- > 0;) value = value << 8 | big->magnitude[i];
  return value;
}

// Reads the elements of a control tuple; once one is of the wrong kind, ok() stays false.
class Elements {
 public:
  explicit Elements(std::span<const Term> elements) : elements_(elements) {}

  Pid pid(size_t i) { return get<Pid>(i); }
  Ref ref(size_t i) { return get<Ref>(i); }
  std::string atom(size_t i) { return get<etf::Atom>(i).text; }
  ProcessName process(size_t i) {
    if (elements_[i].as_atom() != nullptr) return atom(i);
    return pid(i);
  }
  uint64_t id(size_t i) {
    const auto value = to_uint64(elements_[i]);
    ok_ &= value.has_value();
    return value.value_or(0);
  }
  const Term& any(size_t i) const { return elements_[i]; }
  void require(bool condition) { ok_ &= condition; }
  bool ok() const { return ok_; }

 private:
  template <typename T>
  T get(size_t i) {
    const T* value = elements_[i].as<T>();
    ok_ &= value != nullptr;
    return value != nullptr ? *value : T{};
  }

  std::span<const Term> elements_;
  bool ok_ = true;
};

SpawnRequest read_spawn_request(Elements& e) {
  SpawnRequest out{e.ref(1), e.pid(2), e.pid(3), {}, {}, 0, e.any(5)};
  const auto mfa = e.any(4).as_tuple(3);
  e.require(!mfa.empty());
  if (mfa.empty()) return out;
  Elements parts(mfa);
  out.module = parts.atom(0);
  out.function = parts.atom(1);
  const auto arity = mfa[2].as_int();
  e.require(parts.ok() && arity && *arity >= 0 && *arity <= 255);
  out.arity = uint8_t(arity.value_or(0));
  return out;
}

SpawnReply read_spawn_reply(Elements& e) {
  const uint64_t flags = e.id(3);
  e.require(flags < 1u << 27);
  e.require(e.any(4).as<Pid>() != nullptr || e.any(4).as_atom() != nullptr);
  return {e.ref(1), e.pid(2), uint32_t(flags), e.any(4)};
}

// How many elements each op has (the op itself included), trace token included.
size_t arity_of(int64_t op) {
  switch (op) {
    case op_link:
    case op_unlink:
    case op_group_leader:
    case op_send:
    case op_send_sender:
    case op_payload_exit:
    case op_payload_exit2:
    case op_alias_send:
      return 3;
    case op_reg_send:
    case op_monitor_p:
    case op_demonitor_p:
    case op_exit:
    case op_exit2:
    case op_send_tt:
    case op_send_sender_tt:
    case op_payload_exit_tt:
    case op_payload_exit2_tt:
    case op_payload_monitor_p_exit:
    case op_alias_send_tt:
    case op_unlink_id:
    case op_unlink_id_ack:
      return 4;
    case op_reg_send_tt:
    case op_exit_tt:
    case op_exit2_tt:
    case op_monitor_p_exit:
    case op_spawn_reply:
      return 5;
    case op_spawn_request:
    case op_spawn_reply_tt:
      return 6;
    case op_spawn_request_tt:
      return 7;
    default:
      return 0;
  }
}

// dist.c:erts_net_message, op by op. The arity is right.
DecodedControl read(int64_t op, Elements& e) {
  switch (op) {
    case op_link:
      return {Link{e.pid(1), e.pid(2)}, false, {}};
    case op_unlink:
      return {UnlinkId{0, e.pid(1), e.pid(2)}, false, {}};
    case op_group_leader:
      return {GroupLeader{e.pid(1), e.pid(2)}, false, {}};
    case op_send:
    case op_send_tt:
      return {Send{e.pid(2)}, true, {}};
    case op_send_sender:
    case op_send_sender_tt:
      return {SendSender{e.pid(1), e.pid(2)}, true, {}};
    case op_reg_send:
    case op_reg_send_tt:
      return {RegSend{e.pid(1), e.atom(3)}, true, {}};
    case op_alias_send:
    case op_alias_send_tt:
      return {AliasSend{e.pid(1), e.ref(2)}, true, {}};
    case op_monitor_p:
      return {MonitorP{e.pid(1), e.process(2), e.ref(3)}, false, {}};
    case op_demonitor_p:
      return {DemonitorP{e.pid(1), e.process(2), e.ref(3)}, false, {}};
    case op_monitor_p_exit:
      return {MonitorPExit{e.process(1), e.pid(2), e.ref(3)}, false, e.any(4)};
    case op_payload_monitor_p_exit:
      return {MonitorPExit{e.process(1), e.pid(2), e.ref(3)}, true, {}};
    case op_exit:
      return {Exit{e.pid(1), e.pid(2)}, false, e.any(3)};
    case op_exit_tt:
      return {Exit{e.pid(1), e.pid(2)}, false, e.any(4)};
    case op_payload_exit:
    case op_payload_exit_tt:
      return {Exit{e.pid(1), e.pid(2)}, true, {}};
    case op_exit2:
      return {Exit2{e.pid(1), e.pid(2)}, false, e.any(3)};
    case op_exit2_tt:
      return {Exit2{e.pid(1), e.pid(2)}, false, e.any(4)};
    case op_payload_exit2:
    case op_payload_exit2_tt:
      return {Exit2{e.pid(1), e.pid(2)}, true, {}};
    case op_spawn_request:
    case op_spawn_request_tt:
      return {read_spawn_request(e), true, {}};
    case op_spawn_reply:
    case op_spawn_reply_tt:
      return {read_spawn_reply(e), false, {}};
    case op_unlink_id:
    case op_unlink_id_ack:
      break;
    default:
      e.require(false);
  }
  const uint64_t id = e.id(1);
  if (op == op_unlink_id_ack) return {UnlinkIdAck{id, e.pid(2), e.pid(3)}, false, {}};
  e.require(id != 0);
  return {UnlinkId{id, e.pid(2), e.pid(3)}, false, {}};
}

struct Plausible {
  std::string_view self, peer;

  bool theirs(const Pid& pid) const { return pid.node == peer; }
  bool ours(const Pid& pid) const { return pid.node == self; }
  bool theirs(const ProcessName& name) const {
    return !std::holds_alternative<Pid>(name) || theirs(std::get<Pid>(name));
  }
  bool ours(const ProcessName& name) const { return !std::holds_alternative<Pid>(name) || ours(std::get<Pid>(name)); }

  bool operator()(const Link& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const MonitorP& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const DemonitorP& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const MonitorPExit& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const Exit& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const Exit2& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const UnlinkId& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const UnlinkIdAck& m) const { return theirs(m.from) && ours(m.to); }
  bool operator()(const SpawnRequest& m) const { return !ours(m.from) && m.request_id.node != self; }
  bool operator()(const SpawnReply& m) const {
    const auto* child = m.result.as<Pid>();
    return ours(m.to) && m.request_id.node == self && (child == nullptr || !ours(*child));
  }
  // Messages to processes and the group leader may name anybody.
  bool operator()(const Send&) const { return true; }
  bool operator()(const RegSend&) const { return true; }
  bool operator()(const SendSender&) const { return true; }
  bool operator()(const AliasSend&) const { return true; }
  bool operator()(const GroupLeader&) const { return true; }
};

}  // namespace

EncodedMessage encode(const Message& message, bool exit_payload) {
  const Term* inside = !exit_payload && has_reason(message.control) && message.payload ? &*message.payload : nullptr;
  EncodedMessage out;
  etf::encode(std::visit(ToTuple{inside}, message.control), out.control);
  if (message.payload && inside == nullptr) etf::encode(*message.payload, out.payload);
  return out;
}

EncodedMessage encode_for(const Message& message, uint64_t flags) {
  const Control& control = message.control;
  constexpr Flags monitors = flag::dist_monitor | flag::dist_monitor_name;
  if ((flags & monitors) != monitors && is_one_of<MonitorP, DemonitorP, MonitorPExit>(control)) return {};
  if ((flags & flag::unlink_id) == 0) {
    if (is_one_of<UnlinkIdAck>(control)) return {};
    if (const auto* unlink = std::get_if<UnlinkId>(&control)) {
      return encode({UnlinkId{0, unlink->from, unlink->to}, std::nullopt});
    }
  }
  if (const auto* send = std::get_if<SendSender>(&control); send != nullptr && (flags & flag::send_sender) == 0) {
    return encode({Send{send->to}, message.payload});
  }
  return encode(message, (flags & flag::exit_payload) != 0);
}

tl::expected<DecodedControl, std::string> decode_control(const Term& control) {
  const auto invalid = [&control] {
    return tl::unexpected(fmt::format("Invalid distribution message: {}", control.to_string(200)));
  };
  const auto* tuple = control.as<etf::Tuple>();
  if (tuple == nullptr || !tuple->elements || tuple->elements->empty()) return invalid();
  const std::span<const Term> elements(*tuple->elements);
  const auto op = elements[0].as_int();
  if (!op || arity_of(*op) != elements.size()) return invalid();
  Elements e(elements);
  DecodedControl out = read(*op, e);
  if (!e.ok()) return invalid();
  return out;
}

tl::expected<Message, std::string> decode(const Term& control, std::optional<Term> payload) {
  auto decoded = decode_control(control);
  if (!decoded) return tl::unexpected(std::move(decoded.error()));
  if (!decoded->payload_follows) return Message{std::move(decoded->control), std::move(decoded->reason)};
  if (!payload) return tl::unexpected(fmt::format("message without payload: {}", control.to_string(200)));
  return Message{std::move(decoded->control), std::move(payload)};
}

bool plausible(const Control& control, std::string_view self, std::string_view peer) {
  return std::visit(Plausible{self, peer}, control);
}

}  // namespace distlab::dist

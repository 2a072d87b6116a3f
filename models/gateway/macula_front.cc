#include "models/gateway/macula_front.h"

#include <utility>

#include <fmt/format.h>

#include "models/dist/framing.h"
#include "models/etf/codec.h"
#include "models/gateway/outgoing.h"

namespace distlab::gateway {
namespace {

using etf::Term;

constexpr etf::DecodeLimits limits{.max_depth = 8, .max_terms = 10'000, .max_uncompressed = 0};
constexpr size_t max_relays = 64;
constexpr int64_t protocol_version = 1;
constexpr size_t max_unsent = 4 << 20;  // of answers, per connection: those about 10,000 tunnels
constexpr Duration look_again = std::chrono::milliseconds{20};  // whether there is a relay
constexpr size_t tunnels_per_frame = 100;                       // of 600 bytes at most, with names of 255 characters

Term error(std::string_view why) {
  return etf::tuple(etf::atom("error"), etf::binary(why));
}

// What our node would say of it; macula_dist prints it.
std::string text_of(const carrier::DialError& error) {
  return fmt::format("{}: {}", error.step, to_string(error.error));
}

}  // namespace

// A connection that has not become a pipe.
class MaculaFront::Connection final : public StreamHandler {
 public:
  Connection(MaculaFront& front, uint64_t number, std::unique_ptr<ByteStream> stream)
      : id(number),
        front_(front),
        stream_(std::move(stream)),
        frames_(dist::HeaderSize::two),
        limit_(front.host_),
        end_(front.host_) {
    stream_->set_handler(*this);
    limit_.start(front_.settings_.preamble_limit, [this] { front_.gone(id); });
  }

  void on_data(Bytes data) override {
    if (over_) return;
    frames_.feed(data);
    while (!over_) {
      const auto frame = frames_.next();
      if (!frame) return;
      const auto decoded = etf::decode(frame->bytes, limits);
      if (!decoded || !front_.first(*this, decoded->term)) end();
    }
  }
  void on_closed(NetError) override { end(); }

  void say(const Term& term) {
    std::vector<uint8_t> body = etf::encode(term);
    if (body.size() > 0xffff) body = etf::encode(error("the answer is too long"));
    const std::vector<uint8_t> bytes = dist::framed(body, dist::HeaderSize::two);
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    on_writable();
    if (unsent_.size() > max_unsent) end();  // who does not read has no use for us
  }
  void on_writable() override {
    const size_t taken = stream_->write(unsent_);
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<ptrdiff_t>(taken));
  }
  void known() { limit_.cancel(); }  // it has said what it is
  // From here on the stream is somebody else's; what came behind the frame goes with it.
  std::pair<std::unique_ptr<ByteStream>, std::vector<uint8_t>> give_away() {
    over_ = true;
    limit_.cancel();
    return {std::move(stream_), frames_.take_rest()};
  }
  void bury() {
    end_.start(Duration::zero(), [this] { front_.gone(id); });
  }

  const uint64_t id;

 private:
  void end() {
    if (std::exchange(over_, true)) return;
    bury();
  }

  MaculaFront& front_;
  std::unique_ptr<ByteStream> stream_;
  dist::FrameDecoder frames_;
  std::vector<uint8_t> unsent_;
  bool over_ = false;
  Timer limit_, end_;
};

// A tunnel a peer has opened, until the BEAM fetches it.
struct MaculaFront::Incoming {
  Incoming(Host& host, std::unique_ptr<ByteStream> tunnel) : stream(std::move(tunnel)), limit(host) {}
  std::unique_ptr<ByteStream> stream;
  Timer limit;
};

MaculaFront::MaculaFront(Host& host, MaculaMesh& mesh, MaculaFrontSettings settings)
    : host_(host), mesh_(mesh), settings_(settings), waiting_(host), pipes_(host) {
  auto listener =
      host_.listen_tcp(settings_.listen, [this](std::unique_ptr<ByteStream> stream) { accept(std::move(stream)); });
  if (listener) listener_ = std::move(*listener);
}

MaculaFront::~MaculaFront() = default;

void MaculaFront::accept(std::unique_ptr<ByteStream> stream) {
  if (connections_.size() + outgoing_.size() >= settings_.max_connections) return;  // it closes as it goes
  const uint64_t id = ++last_;
  connections_[id] = std::make_unique<Connection>(*this, id, std::move(stream));
}

bool MaculaFront::first(Connection& connection, const Term& term) {
  if (connection.id == control_) return ask(connection, term);
  if (const auto join_args = term.as_tagged("join", 2); !join_args.empty()) return join(connection, join_args[1]);
  if (const auto dial_args = term.as_tagged("dial", 3); !dial_args.empty()) {
    const auto peer = dial_args[1].as_text(), cookie = dial_args[2].as_text();
    return peer && cookie && dial(connection, *peer, *cookie);
  }
  if (const auto attach_args = term.as_tagged("attach", 2); !attach_args.empty()) {
    const auto id = attach_args[1].as_int();
    return id && attach(connection, static_cast<uint64_t>(*id));
  }
  return false;
}

bool MaculaFront::join(Connection& connection, const Term& request) {
  const auto parsed = parse_join(request);
  if (!parsed) {
    connection.say(error(parsed.error()));
    return false;
  }
  if (carrier_ != nullptr) {
    connection.say(error("this agent serves a node already"));
    return false;
  }
  const auto carrier = mesh_.join(*parsed);
  if (!carrier) {
    connection.say(error(carrier.error()));
    return false;
  }
  carrier_ = *carrier;
  control_ = connection.id;
  connection.known();
  carrier_->listen(
      parsed->node,
      [this, alive = std::weak_ptr<int>(alive_)](std::unique_ptr<ByteStream> stream) {
        if (!alive.expired()) arrived(std::move(stream));
      },
      [](const tl::expected<uint32_t, NetError>&) {});
  confirm(control_, host_.now() + settings_.wait_for_relay);
  return true;
}

void MaculaFront::confirm(uint64_t control, Time until) {
  const auto found = connections_.find(control);
  if (control != control_ || found == connections_.end()) return;
  if (mesh_.relay().empty() && host_.now() < until)
    return waiting_.start(look_again, [this, control, until] { confirm(control, until); });
  confirmed_ = true;
  found->second->say(etf::atom("ok"));
  for (const auto& [id, waiting] : incoming_) announce(id);
}

void MaculaFront::announce(uint64_t id) {
  connections_.at(control_)->say(etf::tuple(etf::atom("incoming"), Term(static_cast<int64_t>(id))));
}

bool MaculaFront::dial(Connection& connection, const std::string& peer, const std::string& cookie) {
  if (carrier_ == nullptr) {
    connection.say(error("not joined"));
    return false;
  }
  mesh_.set_cookie(peer, cookie);
  const uint64_t id = connection.id;
  auto [stream, rest] = connection.give_away();
  auto& made = outgoing_[id] = std::make_unique<Outgoing>(host_, std::move(stream), std::move(rest));
  const auto answer = [](Outgoing& to, const Term& term) {
    // The first bytes of a connection: there is room.
    to.stream().write(dist::framed(etf::encode(term), dist::HeaderSize::two));
  };
  made->dial(*carrier_, peer,
             {.dialled =
                  [this, id, answer] {
                    answer(*outgoing_.at(id), etf::atom("ok"));
                    outgoing_.at(id)->join(pipes_);
                    outgoing_.erase(id);
                  },
              .failed =
                  [this, id, answer](const carrier::DialError& why) {
                    answer(*outgoing_.at(id), error(text_of(why)));
                    outgoing_.erase(id);
                  },
              .gone = [this, id] { outgoing_.erase(id); }});
  connection.bury();
  return true;
}

bool MaculaFront::attach(Connection& connection, uint64_t id) {
  const auto found = incoming_.find(id);
  if (found == incoming_.end()) {
    connection.say(error("no such tunnel"));
    return false;
  }
  connection.say(etf::atom("ok"));
  auto [stream, rest] = connection.give_away();
  pipes_.join(std::move(stream), std::move(found->second->stream), std::move(rest));
  incoming_.erase(found);
  connection.bury();
  return true;
}

// On the control connection.
bool MaculaFront::ask(Connection& connection, const Term& term) {
  const auto metrics = term.as_tagged("metrics", 2), status_of = term.as_tagged("status", 2);
  if (!metrics.empty() && metrics[1].as_int()) {
    say_metrics(connection, metrics[1]);
    return true;
  }
  if (const auto told = term.as_tagged("cookie", 2); !told.empty() && told[1].as_text()) {
    mesh_.set_cookie("", *told[1].as_text());
    return true;
  }
  if (status_of.empty() || !status_of[1].as_int()) return false;
  connection.say(etf::tuple(etf::atom("status"), status_of[1], status()));
  return true;
}

void MaculaFront::say_metrics(Connection& connection, const Term& question) {
  etf::Terms lines;
  const auto say = [&](bool more) {
    etf::Terms answer{etf::atom("metrics"), question, etf::list(std::exchange(lines, {}))};
    if (more) answer.push_back(etf::atom("more"));
    connection.say(etf::tuple(std::move(answer)));
  };
  for (const TunnelLine& one : mesh_.tunnels()) {
    if (lines.size() == tunnels_per_frame) say(true);
    lines.push_back(etf::map({{etf::atom("id"), etf::binary(one.id)},
                              {etf::atom("peer"), etf::binary(one.peer)},
                              {etf::atom("state"), etf::binary(one.state)},
                              {etf::atom("direction"), etf::binary(one.direction)},
                              {etf::atom("bytes_in"), Term(one.bytes_in)},
                              {etf::atom("bytes_out"), Term(one.bytes_out)},
                              {etf::atom("msgs_in"), Term(one.msgs_in)},
                              {etf::atom("msgs_out"), Term(one.msgs_out)}}));
  }
  say(false);
}

Term MaculaFront::status() {
  const std::string relay = mesh_.relay();
  return etf::map({{etf::atom("relay"), etf::binary(relay)}, {etf::atom("connected"), etf::boolean(!relay.empty())}});
}

void MaculaFront::arrived(std::unique_ptr<ByteStream> stream) {
  const auto control = connections_.find(control_);
  if (control == connections_.end() || incoming_.size() >= settings_.max_connections) return;
  const uint64_t id = ++last_;
  stream->set_reading(false);
  auto& made = incoming_[id] = std::make_unique<Incoming>(host_, std::move(stream));
  made->limit.start(settings_.attach_limit, [this, id] { incoming_.erase(id); });
  if (confirmed_) announce(id);  // the answer to the join comes first
}

void MaculaFront::gone(uint64_t id) {
  connections_.erase(id);
  if (id == control_) left();
}

// The BEAM is gone, or has left the mesh: its tunnels go, too.
void MaculaFront::left() {
  control_ = 0;
  confirmed_ = false;
  waiting_.cancel();
  carrier_ = nullptr;
  outgoing_.clear();
  incoming_.clear();
  pipes_.clear();
  mesh_.leave();
}

tl::expected<JoinRequest, std::string> parse_join(const Term& map) {
  JoinRequest out;
  const Term* const version = map.find("version");
  if (version == nullptr || version->as_int() != protocol_version)
    return tl::unexpected(fmt::format("this agent speaks version {} of the agent protocol", protocol_version));
  const auto text = [&](std::string_view key, std::string& to) {
    const Term* const value = map.find(key);
    if (value == nullptr) return true;
    const auto bytes = value->as_text();
    if (bytes) to = *bytes;
    return bytes.has_value();
  };
  for (const auto& [key, to] : {std::pair<std::string_view, std::string*>{"node", &out.node},
                                {"cookie", &out.cookie},
                                {"realm", &out.realm},
                                {"identity", &out.identity},
                                {"cacertfile", &out.cacertfile}})
    if (!text(key, *to)) return tl::unexpected(fmt::format("{} is no binary", key));
  if (out.node.find('@') == std::string::npos || out.node.size() > 255)
    return tl::unexpected(std::string("no node name"));
  if (const Term* const verify = map.find("tls_verify")) {
    if (!verify->is_atom("none") && !verify->is_atom("peer"))
      return tl::unexpected(std::string("tls_verify is none or peer"));
    out.verify = verify->is_atom("peer");
  }
  if (const Term* const relays = map.find("relays")) {
    const auto items = relays->as_list();
    if (!items || items->size() > max_relays) return tl::unexpected(fmt::format("relays: at most {}", max_relays));
    for (const Term& item : *items) {
      const auto relay = item.as_text();
      if (!relay) return tl::unexpected(std::string("relays is a list of binaries"));
      out.relays.push_back(*relay);
    }
  }
  return out;
}

}  // namespace distlab::gateway

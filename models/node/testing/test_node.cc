#include "models/node/testing/test_node.h"

#include "models/etf/term.h"

namespace distlab::node::testing {
namespace {

class DirectDial final : public carrier::Dial, private StreamHandler {
 public:
  DirectDial(Host& host, std::string host_name, Duration time, std::function<void()> progress,
             carrier::Carrier::Dialled done)
      : host_(host),
        host_name_(std::move(host_name)),
        progress_(std::move(progress)),
        done_(std::move(done)),
        timer_(host) {
    timer_.start(time, [this] { look_up(); });
  }

 private:
  void look_up() {
    host_.lookup(host_name_, [this, alive = std::weak_ptr<int>(alive_)](auto found) {
      if (alive.expired()) return;
      if (!found) return fail("address", found.error());
      progress_();
      stream_ = host_.connect_tcp({found->front(), dist_port}, *this);
    });
  }
  void fail(const char* step, NetError why) { done_(tl::unexpected(carrier::DialError{why, step})); }
  void on_connected() override {
    stream_->set_reading(false);
    done_(std::move(stream_));
  }
  void on_data(Bytes) override {}
  void on_closed(NetError why) override { fail("connect", why); }

  Host& host_;
  std::string host_name_;
  std::function<void()> progress_;
  carrier::Carrier::Dialled done_;
  Timer timer_;
  std::unique_ptr<ByteStream> stream_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace

void DirectCarrier::listen(const std::string&, Accepted accepted, Listening done) {
  auto listener = host_.listen_tcp({any_address, dist_port}, [accepted](std::unique_ptr<ByteStream> stream) {
    stream->set_reading(false);
    accepted(std::move(stream));
  });
  if (!listener) return done(tl::unexpected(listener.error()));
  listener_ = std::move(*listener);
  done(uint32_t(host_.random("creation").next()) | 4);
}

std::unique_ptr<carrier::Dial> DirectCarrier::dial(const std::string& node_name, std::function<void()> progress,
                                                   Dialled done) {
  return std::make_unique<DirectDial>(host_, node_name.substr(node_name.find('@') + 1), dial_time, std::move(progress),
                                      std::move(done));
}

TestNode::TestNode(TestHost& on, NetKernelConfig config)
    : host(on), carrier(on), kernel(on, carrier, std::move(config)) {
  kernel.set_listener(this);
  kernel.start([](auto) {});
}

void TestNode::send_to(const std::string& peer, const std::string& to_name, size_t bytes) {
  const dist::Pid from{name(), 1, 0, kernel.creation()};
  kernel.send(peer, {dist::RegSend{from, to_name}, etf::binary(std::vector<uint8_t>(bytes, 'x'))});
}

std::shared_ptr<std::optional<bool>> TestNode::connect(const std::string& peer) {
  auto result = std::make_shared<std::optional<bool>>();
  kernel.connect(peer, [result](bool connected) { *result = connected; });
  return result;
}

void TestNode::on_message(const std::string& peer, dist::Message message) {
  const auto* to = std::get_if<dist::RegSend>(&message.control);
  received.push_back((to ? to->to_name : "?") + " from " + peer);
  if (echo && to && to->to_name == "echo") send_to(peer, "answer");
}

void TestNode::on_node_up(const std::string& peer, bool visible) {
  told.push_back((visible ? "up " : "hidden-up ") + peer);
  if (!quiet) send_to(peer, "global_name_server");
}

void TestNode::on_node_down(const std::string& peer, std::string_view reason) {
  told.push_back("down " + peer + " " + std::string(reason));
  downs.emplace_back(host.now(), reason);
}

void TestNode::on_connect_failed(const std::string& peer) {
  told.push_back("failed " + peer);
}
void TestNode::on_resume(const std::string& peer) {
  told.push_back("resume " + peer);
}

TestHost& Lab::host(char letter) {
  for (const auto& [known, host] : hosts_) {
    if (known == letter) return *host;
  }
  hosts_.emplace_back(letter, &world.add_host(std::string(1, letter), Ipv4{0x0a000000u + uint32_t(letter - 'a' + 1)},
                                              {std::string("host") + letter + ".test"}));
  return *hosts_.back().second;
}

TestNode& Lab::start(char letter, NetKernelConfig config) {
  config.name = name_of(letter);
  if (config.cookie == "nocookie") config.cookie = "c";
  nodes_.push_back(std::make_unique<TestNode>(host(letter), std::move(config)));
  return *nodes_.back();
}

void Lab::set_delay(Duration one_way) {
  world.set_default_delay(one_way);
}

bool Lab::connect(TestNode& from, TestNode& to, Duration limit) {
  const auto result = from.connect(to.name());
  return world.run_until([&] { return result->has_value(); }, limit) && **result;
}

std::vector<std::string> Lab::fields(TestNode& node, std::string_view kind, std::string_view key) const {
  std::vector<std::string> out;
  for (const auto& recorded : world.events_of(node.host.name(), kind)) {
    for (const auto& field : recorded.event.fields) {
      if (field.key != key) continue;
      if (const auto* text = std::get_if<std::string>(&field.value)) out.push_back(*text);
      if (const auto* number = std::get_if<int64_t>(&field.value)) out.push_back(std::to_string(*number));
    }
  }
  return out;
}

std::vector<std::string> Lab::statuses(TestNode& node, std::string_view step) const {
  std::vector<std::string> out;
  for (const auto& recorded : world.events_of(node.host.name(), kinds::handshake_step)) {
    const auto& fields = recorded.event.fields;
    if (std::get<std::string>(fields[1].value) == step) out.push_back(std::get<std::string>(fields[2].value));
  }
  return out;
}

}  // namespace distlab::node::testing

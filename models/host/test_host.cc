#include "models/host/test_host.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include <fmt/format.h>

#include "models/host/test_net.h"

namespace distlab {

// What the models hold of a socket. After its process was killed it is inert: the kernel has
// closed it.
class TestStream final : public ByteStream {
 public:
  TestStream(TestHost& host, std::shared_ptr<test_net::TcpEnd> end) : host_(host), end_(std::move(end)) {
    ++host_.handles_;
  }
  ~TestStream() override {
    network().close(*end_);
    --host_.handles_;
  }
  void set_handler(StreamHandler& handler) override { network().set_handler(*end_, handler); }
  size_t write(Bytes data) override { return network().write(*end_, data); }
  void set_reading(bool on) override { network().set_reading(*end_, on); }
  void close() override { network().close(*end_); }
  void abort() override { network().abort(*end_); }
  Endpoint local() const override { return end_->local; }
  Endpoint remote() const override { return end_->remote; }

 private:
  test_net::Network& network() { return *host_.world_.network_; }

  TestHost& host_;
  std::shared_ptr<test_net::TcpEnd> end_;
};

class TestListener final : public TcpListener {
 public:
  TestListener(TestHost& host, std::shared_ptr<test_net::Listener> listener)
      : host_(host), listener_(std::move(listener)) {
    ++host_.handles_;
  }
  ~TestListener() override {
    host_.world_.network_->close(*listener_);
    --host_.handles_;
  }
  Endpoint local() const override { return listener_->local; }

 private:
  TestHost& host_;
  std::shared_ptr<test_net::Listener> listener_;
};

class TestUdpSocket final : public UdpSocket {
 public:
  TestUdpSocket(TestHost& host, std::shared_ptr<test_net::UdpEnd> socket) : host_(host), socket_(std::move(socket)) {
    ++host_.handles_;
  }
  ~TestUdpSocket() override {
    host_.world_.network_->close(*socket_);
    --host_.handles_;
  }
  bool send_to(Endpoint remote, Bytes datagram) override {
    return host_.world_.network_->send_to(*socket_, remote, datagram);
  }
  Endpoint local() const override { return socket_->local; }

 private:
  TestHost& host_;
  std::shared_ptr<test_net::UdpEnd> socket_;
};

// --- TestHost ---------------------------------------------------------------------------------

TestHost::TestHost(TestWorld& world, std::string name, Ipv4 address)
    : world_(world), name_(std::move(name)), address_(address) {}

TestHost::~TestHost() = default;

Time TestHost::now() const {
  return world_.now();
}

TimerId TestHost::start_timer(Duration delay, std::function<void()> fn) {
  assert(alive_);
  const uint64_t id = next_timer_++;
  const auto key = world_.queue_->push(now() + std::max(delay, Duration{0}),
                                       [this, life = life_, id] { run(life, [this, id] { fire(id); }); });
  timers_.emplace(id, PendingTimer{std::move(fn), key});
  return TimerId{id};
}

void TestHost::fire(uint64_t id) {
  auto timer = timers_.extract(id);
  if (!timer.empty()) timer.mapped().fn();
}

void TestHost::cancel_timer(TimerId id) {
  const auto timer = timers_.find(static_cast<uint64_t>(id));
  if (timer == timers_.end()) return;
  world_.queue_->erase(timer->second.key);  // no longer there if it fell due while frozen
  const auto fn = std::move(timer->second.fn);
  timers_.erase(timer);  // before fn's captures die: their destructors may cancel timers
}

RandomStream& TestHost::random(std::string_view stream_name) {
  const auto found = streams_.find(stream_name);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(std::string(stream_name), RandomStream(world_.seed(), name_, stream_name)).first->second;
}

void TestHost::fill_secret(std::span<uint8_t> out) {
  random("secret").fill(out);
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> TestHost::open_udp(Endpoint local, UdpHandler& handler) {
  assert(alive_);
  auto socket = world_.network_->open_udp(*this, local, handler);
  if (!socket) return tl::unexpected(socket.error());
  return std::make_unique<TestUdpSocket>(*this, std::move(*socket));
}

tl::expected<std::unique_ptr<TcpListener>, NetError> TestHost::listen_tcp(Endpoint local, AcceptHandler accept) {
  assert(alive_);
  auto listener = world_.network_->listen(*this, local, std::move(accept));
  if (!listener) return tl::unexpected(listener.error());
  return std::make_unique<TestListener>(*this, std::move(*listener));
}

std::unique_ptr<ByteStream> TestHost::connect_tcp(Endpoint remote, StreamHandler& handler) {
  assert(alive_);
  return std::make_unique<TestStream>(*this, world_.network_->connect(*this, remote, handler));
}

std::unique_ptr<ByteStream> TestHost::wrap(std::shared_ptr<test_net::TcpEnd> end) {
  return std::make_unique<TestStream>(*this, std::move(end));
}

void TestHost::lookup(std::string_view host_name, LookupHandler done) {
  assert(alive_);
  world_.queue_->push(now() + world_.lookup_delay_,
                      [this, life = life_, key = std::string(host_name), done = std::move(done)] {
                        run(life, [this, key, done] { done(world_.resolve(key)); });
                      });
}

void TestHost::record(Event event) {
  world_.events_.push_back({now(), name_, std::move(event)});
}

void TestHost::post(std::function<void()> task) {
  world_.queue_->push(now(), [this, life = life_, task = std::move(task)]() mutable { run(life, std::move(task)); });
}

void TestHost::run(uint64_t life, std::function<void()> task) {
  if (life != life_ || !alive_) return;
  if (frozen_) {
    deferred_.push_back(std::move(task));
  } else {
    task();
  }
}

void TestHost::freeze() {
  frozen_ = true;
}

void TestHost::thaw() {
  frozen_ = false;
  for (auto& task : std::exchange(deferred_, {})) post(std::move(task));
}

void TestHost::kill() {
  assert(alive_);
  alive_ = false;
  frozen_ = false;
  for (const auto& [id, timer] : timers_) world_.queue_->erase(timer.key);
  world_.network_->process_died(*this);
  const auto timers = std::exchange(timers_, {});
  const auto tasks = std::exchange(deferred_, {});
}

void TestHost::restart() {
  assert(!alive_);
  assert(handles_ == 0 && "models of the killed process are still there");
  alive_ = true;
  ++life_;
}

// --- TestWorld --------------------------------------------------------------------------------

TestWorld::TestWorld(uint64_t seed)
    : seed_(seed),
      queue_(std::make_unique<test_net::EventQueue>()),
      network_(std::make_unique<test_net::Network>(*queue_, tcp_)) {}

TestWorld::~TestWorld() {
  for (const auto& host : hosts_) {
    // Moved out first: what the tasks capture may call the host as it dies.
    const auto timers = std::exchange(host->timers_, {});
    const auto tasks = std::exchange(host->deferred_, {});
  }
  queue_->clear();
  for ([[maybe_unused]] const auto& host : hosts_)
    assert(host->handles_ == 0 && "models must be destroyed before the world");
}

TestHost& TestWorld::add_host(std::string name, Ipv4 address, const std::vector<std::string>& host_names) {
  network_->add_machine(address);
  for (const std::string& host_name : host_names) add_name(host_name, address);
  hosts_.push_back(std::unique_ptr<TestHost>(new TestHost(*this, std::move(name), address)));
  return *hosts_.back();
}

Time TestWorld::now() const {
  return queue_->now();
}

void TestWorld::after(Duration delay, std::function<void()> fn) {
  queue_->push(now() + delay, std::move(fn));
}

void TestWorld::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool TestWorld::run_until(const std::function<bool()>& done, Duration limit) {
  assert(!running_ && "run_* called from inside a callback");
  running_ = true;
  const auto stop = [this](bool result) {
    running_ = false;
    return result;
  };
  const Time end = now() + limit;
  for (uint64_t events = 0; !done(); ++events) {
    if (!queue_->due_by(end)) {
      queue_->advance_to(end);
      return stop(done());
    }
    if (events == max_events_) {
      stop(false);
      throw std::runtime_error(fmt::format("more than {} events before {:.6f} s: a runaway loop?", max_events_,
                                           to_seconds(now().time_since_epoch())));
    }
    queue_->run_next();
  }
  return stop(true);
}

void TestWorld::set_delay(Ipv4 from, Ipv4 to, Duration one_way) {
  network_->link(from, to).delay = one_way;
}

void TestWorld::set_default_delay(Duration one_way) {
  network_->set_default_delay(one_way);
}

void TestWorld::hold(Ipv4 from, Ipv4 to) {
  network_->link(from, to).held = true;
}

void TestWorld::release(Ipv4 from, Ipv4 to) {
  network_->link(from, to).held = false;
  network_->flush(from, to);
}

void TestWorld::black_hole(Ipv4 from, Ipv4 to, bool on) {
  network_->link(from, to).black_hole = on;
  if (!on) network_->flush(from, to);
}

void TestWorld::set_tcp_hook(Ipv4 from, Ipv4 to, TcpHook hook) {
  network_->link(from, to).tcp_hook = std::move(hook);
}

void TestWorld::set_udp_hook(Ipv4 from, Ipv4 to, UdpHook hook) {
  network_->link(from, to).udp_hook = std::move(hook);
}

void TestWorld::add_name(const std::string& host_name, Ipv4 address) {
  auto& addresses = names_[host_name];
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
}

void TestWorld::fail_lookup(const std::string& host_name, NetError error) {
  failing_names_[host_name] = error;
}

void TestWorld::heal_lookup(const std::string& host_name) {
  failing_names_.erase(host_name);
}

tl::expected<std::vector<Ipv4>, NetError> TestWorld::resolve(const std::string& host_name) const {
  if (const auto failing = failing_names_.find(host_name); failing != failing_names_.end()) {
    return tl::unexpected(failing->second);
  }
  if (const auto literal = Ipv4::parse(host_name)) return std::vector{*literal};
  const auto found = names_.find(host_name);
  if (found == names_.end()) return tl::unexpected(NetError::not_found);
  return found->second;
}

std::vector<RecordedEvent> TestWorld::events_of(std::string_view host, std::string_view kind) const {
  std::vector<RecordedEvent> result;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(result), [&](const RecordedEvent& recorded) {
    return (host.empty() || recorded.host == host) && recorded.event.kind == kind;
  });
  return result;
}

}  // namespace distlab

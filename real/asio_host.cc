#include "real/asio_host.h"

#include <algorithm>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "real/asio_impl.h"

namespace distlab::real {

NetError to_net_error(const error_code& error) {
  namespace e = asio::error;
  if (error == e::connection_refused) return NetError::refused;
  if (error == e::timed_out) return NetError::timed_out;
  if (error == e::host_unreachable || error == e::network_unreachable || error == e::network_down) {
    return NetError::unreachable;
  }
  if (error == e::address_in_use) return NetError::address_in_use;
  if (error == boost::system::errc::address_not_available) return NetError::unreachable;
  if (error == e::eof) return NetError::closed;
  if (error == e::connection_reset || error == e::connection_aborted || error == e::broken_pipe) {
    return NetError::reset;
  }
  return NetError::limit;  // EMFILE, ENOBUFS, EACCES: this host does not let us
}

// --- AsioLoop ---------------------------------------------------------------------------------

Time AsioLoop::Impl::now() const {
  return run_start + (std::chrono::steady_clock::now() - epoch);
}

AsioLoop::Impl::TimerKey AsioLoop::Impl::push(Time at, std::function<void()> fn) {
  const TimerKey key{at, next_timer++};
  timers.emplace(key, std::move(fn));
  arm();
  return key;
}

void AsioLoop::Impl::erase(TimerKey key) {
  const auto dying = timers.extract(key);  // its captures die after the queue is whole again
}

// To set the kernel's timer costs more than all else a packet costs, so what is due already goes by way of the
// queue. A timer that was cancelled may leave the alarm early; ring() then finds nothing due.
void AsioLoop::Impl::arm() {
  if (timers.empty() || ring_posted) return;
  const Time next = timers.begin()->first.first;
  if (next <= now()) {
    ring_posted = true;
    asio::post(io, [this] {
      ring_posted = false;
      ring();
    });
    return;
  }
  if (next >= armed_for) return;
  armed_for = next;
  alarm.expires_at(epoch + (armed_for - run_start));
  alarm.async_wait([this](const error_code& error) {
    if (error) return;
    if (on_wake && !timers.empty() && timers.begin()->first.first <= now()) {
      on_wake(std::max(timers.begin()->first.first, awake_until), now());
    }
    armed_for = Time::max();
    ring();
  });
}

// One timer per turn of the loop, so that sockets get theirs.
void AsioLoop::Impl::ring() {
  if (timers.empty() || timers.begin()->first.first > now()) return arm();
  const auto timer = timers.extract(timers.begin());
  arm();
  begin_turn();
  timer.mapped()();
  end_turn();
}

void AsioLoop::Impl::end_turn() {
  turn_is_on = false;
  for (const auto& one : kept_back) one->end_of_turn();
  kept_back.clear();
}

AsioLoop::AsioLoop() : AsioLoop(std::chrono::steady_clock::now()) {}

AsioLoop::AsioLoop(std::chrono::steady_clock::time_point origin) : impl_(std::make_unique<Impl>(origin)) {}

AsioLoop::~AsioLoop() = default;

Time AsioLoop::now() const {
  return impl_->now();
}

void AsioLoop::run() {
  const auto work = asio::make_work_guard(impl_->io);
  impl_->io.restart();
  if (!impl_->on_wake) {
    impl_->io.run();
    return;
  }
  while (impl_->io.run_one() > 0) impl_->awake_until = impl_->now();
}

void AsioLoop::stop() {
  impl_->io.stop();
}

void AsioLoop::post(std::function<void()> fn) {
  asio::post(impl_->io, std::move(fn));
}

bool AsioLoop::run_until(const std::function<bool()>& done, Duration limit) {
  const auto work = asio::make_work_guard(impl_->io);
  impl_->io.restart();
  const Time end = now() + limit;
  while (!done()) {
    const Duration left = end - now();
    if (left <= Duration{0}) return done();
    impl_->io.run_one_for(std::min<Duration>(left, std::chrono::milliseconds{10}));
  }
  return true;
}

void AsioLoop::watch_wakes(std::function<void(Time ready, Time rang)> fn) {
  impl_->on_wake = std::move(fn);
}

void AsioLoop::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

// --- AsioHost ---------------------------------------------------------------------------------

AsioHost::AsioHost(AsioLoop& loop, AsioHostOptions options)
    : impl_(std::make_shared<Impl>(loop.impl(), std::move(options))) {}

AsioHost::~AsioHost() {
  for (const auto& [id, key] : std::exchange(impl_->timers, {})) impl_->loop.erase(key);
  impl_->resolver.cancel();
}

Time AsioHost::now() const {
  return impl_->loop.now();
}

TimerId AsioHost::start_timer(Duration delay, std::function<void()> fn) {
  Impl& host = *impl_;
  const uint64_t id = host.loop.next_timer;
  const auto key = host.loop.push(now() + std::max(delay, Duration{0}), [&host, id, fn = std::move(fn)] {
    host.timers.erase(id);
    fn();
  });
  host.timers.emplace(id, key);
  return TimerId{id};
}

void AsioHost::cancel_timer(TimerId id) {
  const auto timer = impl_->timers.extract(static_cast<uint64_t>(id));
  if (!timer.empty()) impl_->loop.erase(timer.mapped());
}

RandomStream& AsioHost::random(std::string_view stream_name) {
  const auto found = impl_->streams.find(stream_name);
  if (found != impl_->streams.end()) return found->second;
  return impl_->streams
      .emplace(std::string(stream_name), RandomStream(impl_->options.seed, impl_->options.name, stream_name))
      .first->second;
}

void AsioHost::fill_secret(std::span<uint8_t> out) {
  impl_->secrets.fill(out);
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> AsioHost::open_udp(Endpoint local, UdpHandler& handler) {
  return real::open_udp(impl_->loop, impl_->options, local, handler);
}

tl::expected<std::unique_ptr<TcpListener>, NetError> AsioHost::listen_tcp(Endpoint local, AcceptHandler accept) {
  return real::listen_tcp(impl_->loop, impl_->options, local, std::move(accept));
}

std::unique_ptr<ByteStream> AsioHost::connect_tcp(Endpoint remote, StreamHandler& handler) {
  return real::connect_tcp(impl_->loop, impl_->options, remote, handler);
}

void AsioHost::lookup(std::string_view host_name, LookupHandler done) {
  using Answer = tl::expected<std::vector<Ipv4>, NetError>;
  const std::string key(host_name);
  const std::weak_ptr<Impl> alive = impl_;
  const auto answer = [this, &alive, &done](Answer known) {
    asio::post(impl_->loop.io, [alive, done, known = std::move(known)] {
      if (alive.lock()) done(known);
    });
  };
  if (const auto literal = Ipv4::parse(key)) return answer(std::vector{*literal});
  if (const auto known = impl_->options.hosts.find(key); known != impl_->options.hosts.end()) {
    return answer(known->second);
  }
  if (!impl_->options.resolver) return answer(tl::unexpected(NetError::not_found));
  impl_->resolver.async_resolve(
      asio::ip::tcp::v4(), key, "",
      [alive, done = std::move(done)](const error_code& error, const asio::ip::tcp::resolver::results_type& results) {
        if (!alive.lock()) return;
        if (error == asio::error::host_not_found || error == asio::error::no_data) {
          return done(tl::unexpected(NetError::not_found));
        }
        if (error || results.empty()) return done(tl::unexpected(NetError::lookup_failed));
        std::vector<Ipv4> addresses;
        for (const auto& result : results) addresses.push_back(from_asio(result.endpoint()).address);
        done(std::move(addresses));
      });
}

void AsioHost::record(Event event) {
  if (impl_->options.record) impl_->options.record(now(), event);
}

bool AsioHost::wants(std::string_view kind) const {
  return impl_->options.record && (!impl_->options.wants || impl_->options.wants(kind));
}

const std::string& AsioHost::name() const {
  return impl_->options.name;
}

}  // namespace distlab::real

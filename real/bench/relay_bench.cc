#include "real/bench/relay_bench.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "real/bench/board.h"
#include "real/bench/flows.h"
#include "real/bench/load_process.h"
#include "real/bench/peer_process.h"
#include "real/bench/process.h"
#include "real/bench/relay_process.h"
#include "real/ground/clock.h"
#include "real/lab/fd.h"

namespace distlab::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
template <typename T>
using Result = tl::expected<T, std::string>;

constexpr Duration nap = milliseconds{10};
constexpr Duration patience = seconds{20};  // for what should take no time
constexpr Duration longest_warm_up = seconds{1};
constexpr const char* interrupted = "interrupted";

// Free a moment ago.
Result<uint16_t> free_port() {
  const lab::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (!socket || ::bind(socket.get(), plain, size) != 0 || ::getsockname(socket.get(), plain, &size) != 0)
    return lab::failure("looking for a free UDP port", errno);
  return ntohs(address.sin_port);
}

struct Totals {
  uint64_t sent = 0, received = 0;
};

class RelayBench {
 public:
  explicit RelayBench(const RelayBenchOptions& options)
      : options_(options),
        layout_{options.sessions, options.tunnels, options.loads},
        arrivals_(std::max<size_t>(layout_.flows(), 1)) {
    result_.sessions = options.sessions;
    result_.tunnels = options.tunnels;
    for (const size_t payload : options.payloads) result_.sizes.push_back({payload, 0, {}, {}, {}});
    // Set-up counts as three measurements.
    steps_ = 3 + options.rounds * (options.payloads.size() * 3 + 1);
  }

  Result<RelayBenchResult> run() {
    auto done = start().and_then([&] { return join(); }).and_then([&] { return measure(); });
    if (!done && done.error() == interrupted) {
      result_.interrupted = true;
    } else if (!done) {
      return tl::unexpected(done.error());
    }
    close_ledger();
    return std::move(result_);
  }

 private:
  // ---- set-up

  Result<void> start() {
    what_ = "starting a relay";
    const auto port = free_port();
    if (!port) return tl::unexpected(port.error());
    relay_ = Process::start([&] { return run_relay(*board_, *port, layout_.sessions); });
    if (!relay_) return lab::failure("starting a process", errno);
    auto up = wait_for([&] { return board_->relay.state != 0; }, patience, "the relay does not start");
    if (!up) return up;
    if (board_->relay.state != 1) return tl::unexpected(fmt::format("the relay cannot listen on UDP port {}", *port));
    auto settled = sleep(options_.settling);
    result_.memory.empty = relay_->private_memory();
    const auto origin = ground::Clock::monotonic();
    for (size_t i = 0; i < layout_.loads; ++i) {
      auto load = Process::start([&] { return run_load(*board_, arrivals_, {layout_, i, *port, origin, 1 + i}); });
      if (!load) return lab::failure("starting a process", errno);
      loads_.push_back(std::move(*load));
    }
    return settled;
  }

  Result<void> join() {
    what_ = fmt::format("{} sessions", layout_.sessions);
    give({.work = Work::join});
    auto up = wait_for([&] { return sum(&LoadCounts::sessions) == layout_.sessions; }, time_for(layout_.sessions),
                       "sessions do not come up");
    if (!up || !(up = sleep(options_.settling))) return up;
    result_.memory.with_sessions = relay_->private_memory();
    next_step();
    what_ = fmt::format("{} tunnels", layout_.tunnels);
    give({.work = Work::connect});
    up = wait_for([&] { return sum(&LoadCounts::tunnels) + sum(&LoadCounts::failures) == layout_.tunnels; },
                  time_for(layout_.tunnels), "tunnels do not come up");
    if (!up || !(up = sleep(options_.settling))) return up;
    if (sum(&LoadCounts::failures) > 0)
      return tl::unexpected(fmt::format("{} tunnels cannot be set up", sum(&LoadCounts::failures)));
    result_.memory.with_tunnels = relay_->private_memory();
    next_step();
    return {};
  }

  static Duration time_for(size_t count) { return patience + milliseconds{50} * count; }

  // ---- measurements

  Result<void> measure() {
    what_ = "warming up";
    for (Size& size : result_.sizes) {
      auto warm = relay_flood(size, std::min<Duration>(options_.seconds, longest_warm_up), {});
      if (!warm) return warm;
    }
    next_step();
    for (size_t round = 0; round < options_.rounds; ++round)
      for (Size& size : result_.sizes)
        if (auto done = measure(size); !done) return done;
    for (size_t round = 0; round < options_.rounds; ++round)
      if (auto done = pace(); !done) return done;
    result_.memory.after_load = relay_->private_memory();
    return {};
  }

  Result<void> measure(Size& size) {
    what_ = fmt::format("relay, {} B", size.payload);
    if (auto done = relay_flood(size, options_.seconds, &size.relay); !done) return done;
    next_step();
    what_ = fmt::format("bare QUIC, {} B", size.payload);
    // As many connections, and as much under way.
    PeerSettings quic{.bytes = std::max<size_t>(size.frame_bytes, 64), .connections = layout_.sessions / 2 * 2};
    quic.window = std::max<size_t>(1, layout_.flows() * options_.window / quic.connections);
    auto done = peer_flood(
        quic, [&] { return run_quic_forwarder(*board_, quic); }, [&] { return run_quic_sender(*board_, quic); },
        size.quic);
    if (!done) return done;
    next_step();
    what_ = fmt::format("bare UDP, {} B", size.payload);
    const PeerSettings udp{.bytes = quic.bytes, .window = 64};  // what the kernel's default buffers take
    done = peer_flood(
        udp, [&] { return run_udp_forwarder(*board_); }, [&] { return run_udp_sender(*board_, udp); }, size.udp);
    next_step();
    return done;
  }

  Result<void> relay_flood(Size& size, Duration time, std::vector<Flood>* out) {
    give({.work = Work::saturate, .payload = size.payload, .window = options_.window});
    auto ran = sleep(options_.settling);
    if (!ran) return ran;
    const uint64_t frames = board_->relay.frames_in, bytes = board_->relay.bytes_in;
    auto flood = sample_relay(time);
    if (!flood) return tl::unexpected(flood.error());
    const uint64_t frames_now = board_->relay.frames_in, bytes_now = board_->relay.bytes_in;
    size.frame_bytes = (bytes_now - bytes) / std::max<uint64_t>(1, frames_now - frames);
    ran = drain(size.payload);
    add_latency(*flood);
    if (out != nullptr) out->push_back(*flood);
    return ran;
  }

  Result<void> pace() {
    what_ = "latency at half the load";
    if (result_.paced_rate == 0) {
      std::vector<double> reached;
      for (const Flood& flood : result_.sizes.front().relay) reached.push_back(flood.messages_per_s);
      std::nth_element(reached.begin(), reached.begin() + static_cast<ptrdiff_t>(reached.size() / 2), reached.end());
      result_.paced_rate = std::round(reached[reached.size() / 2] / 2);
    }
    const size_t payload = result_.sizes.front().payload;
    give({.work = Work::pace, .payload = payload, .rate = result_.paced_rate});
    auto flood = sample_relay(options_.seconds);
    if (!flood) return tl::unexpected(flood.error());
    auto drained = drain(payload);
    add_latency(*flood);
    result_.paced.push_back(*flood);
    next_step();
    return drained;
  }

  Result<Flood> sample_relay(Duration time) {
    const uint64_t frames = board_->relay.frames_in, bytes = board_->relay.bytes_in;
    auto flood = sample(time, *relay_, loads_, [&] { return sum(&LoadCounts::received); });
    if (!flood) return flood;
    const double messages = flood->messages_per_s * to_seconds(elapsed_);
    flood->bytes_per_s = static_cast<double>(board_->relay.bytes_in - bytes) / to_seconds(elapsed_);
    flood->frames_per_message = static_cast<double>(board_->relay.frames_in - frames) / std::max(messages, 1.0);
    return flood;
  }

  template <typename Count>
  Result<Flood> sample(Duration time, const Process& forwarder, const std::vector<Process>& senders, Count count) {
    const auto cpu_of_senders = [&] {
      Duration sum{0};
      for (const Process& sender : senders) sum += sender.cpu();
      return sum;
    };
    const auto began = ground::Clock::monotonic();
    const Duration forwarder_before = forwarder.cpu(), senders_before = cpu_of_senders(), busy = machine_busy();
    const uint64_t before = count();
    if (auto slept = sleep(time); !slept) return tl::unexpected(slept.error());
    const uint64_t messages = count() - before;
    elapsed_ = ground::Clock::monotonic() - began;
    const double length = to_seconds(elapsed_);
    Flood flood;
    flood.messages_per_s = static_cast<double>(messages) / length;
    flood.forwarder_cpu = to_seconds(forwarder.cpu() - forwarder_before) / length;
    flood.load_cpu = to_seconds(cpu_of_senders() - senders_before) / length;
    flood.others_cpu = std::max(0.0, to_seconds(machine_busy() - busy) / length - flood.forwarder_cpu - flood.load_cpu);
    return flood;
  }

  template <typename Forward, typename Send>
  Result<void> peer_flood(const PeerSettings& settings, Forward forward, Send send, std::vector<Flood>& out) {
    board_->peer.port = 0;
    board_->peer.received = 0;
    auto forwarder = Process::start(forward);
    if (!forwarder) return lab::failure("starting a process", errno);
    auto up = wait_for([&] { return board_->peer.port != 0; }, patience, "the forwarder does not start");
    if (!up) return up;
    std::vector<Process> senders;
    auto sender = Process::start(send);
    if (!sender) return lab::failure("starting a process", errno);
    senders.push_back(std::move(*sender));
    // All connections carry something.
    up = wait_for([&] { return board_->peer.received > settings.connections * settings.window * 2; }, patience,
                  "the forwarder passes nothing on");
    if (!up || !(up = sleep(options_.settling))) return up;
    auto flood = sample(options_.seconds, *forwarder, senders, [&] { return board_->peer.received.load(); });
    if (!flood) return tl::unexpected(flood.error());
    flood->bytes_per_s = flood->messages_per_s * static_cast<double>(settings.bytes);
    out.push_back(*flood);
    return {};
  }

  // No more is sent, and all that was arrives; or it does not, which the ledger will say.
  Result<void> drain(size_t payload) {
    give({.work = Work::idle, .payload = payload});
    auto taken = wait_for(
        [&] {
          for (size_t i = 0; i < layout_.loads; ++i)
            if (board_->loads[i].taken.load(std::memory_order_acquire) != board_->number) return false;
          return true;
        },
        patience, "the load does not listen");
    if (!taken) return taken;
    const auto all_here = [&] {
      return sum(&LoadCounts::received) + sum(&LoadCounts::missing) >= sum(&LoadCounts::sent);
    };
    auto arrived = wait_for(all_here, patience, "");
    return arrived || !arrived.error().empty() ? arrived : Result<void>{};
  }

  void add_latency(Flood& flood) {
    real::Lateness latency;
    for (size_t i = 0; i < layout_.loads; ++i) latency.add(board_->loads[i].latency);
    flood.p50_s = to_seconds(latency.quantile(0.5));
    flood.p99_s = to_seconds(latency.quantile(0.99));
  }

  void close_ledger() {
    Ledger& ledger = result_.ledger;
    ledger.sent = sum(&LoadCounts::sent);
    ledger.received = sum(&LoadCounts::received);
    ledger.missing = sum(&LoadCounts::missing);
    ledger.duplicates = sum(&LoadCounts::duplicates);
    ledger.garbled = sum(&LoadCounts::garbled);
    ledger.relay_dropped = board_->relay.dropped;
  }

  // ---- helpers

  void give(const Order& order) {
    board_->order = order;
    board_->number.fetch_add(1, std::memory_order_release);
  }

  uint64_t sum(std::atomic<uint64_t> LoadCounts::*field) const {
    uint64_t total = 0;
    for (size_t i = 0; i < layout_.loads; ++i) total += (board_->loads[i].*field).load();
    return total;
  }

  void next_step() { ++step_; }

  Result<void> sleep(Duration time) {
    const auto end = ground::Clock::monotonic() + time;
    const auto late = [&] { return ground::Clock::monotonic() >= end; };
    return wait_for(late, time + patience, "");
  }

  // Every process lives meanwhile.
  template <typename Condition>
  Result<void> wait_for(Condition condition, Duration limit, const std::string& otherwise) {
    const auto end = ground::Clock::monotonic() + limit;
    while (!condition()) {
      if (options_.on_progress &&
          !options_.on_progress(what_, static_cast<double>(step_) / static_cast<double>(steps_)))
        return tl::unexpected(std::string(interrupted));
      if (relay_ && !relay_->alive()) return tl::unexpected(std::string("the relay's process died"));
      for (Process& load : loads_)
        if (!load.alive()) return tl::unexpected(std::string("a process of the load died"));
      if (ground::Clock::monotonic() >= end) return tl::unexpected(otherwise);
      std::this_thread::sleep_for(nap);
    }
    return {};
  }

  const RelayBenchOptions& options_;
  const Layout layout_;
  RelayBenchResult result_;
  Shared<Board> board_;
  const Arrivals arrivals_;
  std::optional<Process> relay_;
  std::vector<Process> loads_;
  Duration elapsed_{0};
  std::string what_;
  size_t step_ = 0, steps_ = 1;
};

}  // namespace

tl::expected<RelayBenchResult, std::string> bench_relay(const RelayBenchOptions& options) {
  return RelayBench(options).run();
}

}  // namespace distlab::bench

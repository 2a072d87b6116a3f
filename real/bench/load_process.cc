#include "real/bench/load_process.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "models/host/host.h"
#include "models/workload/ledger.h"
#include "real/asio_host.h"
#include "real/bench/host_options.h"
#include "real/bench/load_node.h"
#include "real/bench/numbering.h"

namespace distlab::bench {
namespace {

constexpr Duration look_interval = std::chrono::milliseconds{5};  // at the board
constexpr Duration window_interval = std::chrono::milliseconds{1};
constexpr size_t joining = 32;         // nodes that wait for their session at once
constexpr size_t connecting = 16;      // tunnels that are being set up at once
constexpr size_t connect_tries = 5;    // for each
constexpr size_t sends_per_turn = 32;  // between two looks at the sockets

class Load {
 public:
  Load(Board& board, const Arrivals& arrivals, const LoadSettings& settings)
      : board_(board),
        counts_(board.loads[settings.load]),
        arrivals_(arrivals),
        settings_(settings),
        loop_(std::chrono::steady_clock::time_point(settings.origin)),
        host_(loop_, host_options("load")),
        look_(host_),
        pace_(host_),
        windows_(host_) {
    const Layout& layout = settings_.layout;
    flows_.resize(layout.flows());
    for (size_t flow = 0; flow < layout.flows(); ++flow)
      if (layout.load_of(layout.source(flow)) == settings_.load) ours_.push_back(flow);
    for (size_t tunnel = 0; tunnel < layout.tunnels; ++tunnel)
      if (layout.load_of(layout.dialler(tunnel)) == settings_.load) to_connect_.push_back({tunnel, 0});
    for (size_t node = settings_.load; node < layout.sessions; node += layout.loads) to_join_.push_back(node);
  }

  int run() {
    look();
    loop_.run();
    return 0;
  }

 private:
  struct Flow {
    uint64_t sent = 0;
    Numbering arrived;
    bool ready = false;
  };
  struct Attempt {
    size_t tunnel;
    size_t tries;
  };

  void look() {
    if (const uint64_t number = board_.number.load(std::memory_order_acquire); number != taken_) {
      taken_ = number;
      take(board_.order);
      counts_.taken.store(number, std::memory_order_release);
    }
    if (order_.work == Work::join) join();
    look_.start(look_interval, [this] { look(); });
  }

  void take(const Order& order) {
    order_ = order;
    ready_.clear();
    for (Flow& flow : flows_) flow.ready = false;
    pace_.cancel();
    windows_.cancel();
    if (order.work == Work::connect) connect();
    if (order.work != Work::saturate && order.work != Work::pace) return;
    counts_.latency = {};
    payload_ = workload::payload_of(order.payload);
    if (order.work == Work::saturate) {
      open_windows();
    } else {
      began_ = host_.now();
      paced_ = 0;
      keep_pace();
    }
  }

  // ---- sessions and tunnels

  void join() {
    size_t up = 0;
    for (const auto& [number, node] : nodes_) up += node->in_session() ? 1 : 0;
    counts_.sessions = up;
    while (!to_join_.empty() && nodes_.size() - up < joining) {
      const size_t number = to_join_.front();
      to_join_.pop_front();
      nodes_.emplace(number, std::make_unique<LoadNode>(
                                 loop_, LoadNode::Settings{number, settings_.relay_port, settings_.seed + number},
                                 [this](const std::optional<Message>& message) { arrived(message); }));
    }
  }

  void connect() {
    while (!to_connect_.empty() && connecting_ < connecting) {
      const Attempt attempt = to_connect_.front();
      to_connect_.pop_front();
      ++connecting_;
      const Layout& layout = settings_.layout;
      nodes_.at(layout.dialler(attempt.tunnel))->connect(layout.acceptor(attempt.tunnel), [this, attempt](bool up) {
        --connecting_;
        if (up) {
          ++counts_.tunnels;
        } else if (attempt.tries + 1 < connect_tries) {
          to_connect_.push_back({attempt.tunnel, attempt.tries + 1});
        } else {
          ++counts_.failures;
        }
        loop_.post([this] { connect(); });
      });
    }
  }

  // ---- messages

  void send(size_t flow, Time due) {
    const Layout& layout = settings_.layout;
    nodes_.at(layout.source(flow))->send(layout.sink(flow), {flow, ++flows_[flow].sent, due, order_.payload}, payload_);
    ++counts_.sent;
  }

  void arrived(const std::optional<Message>& message) {
    if (!message || message->flow >= flows_.size()) {
      ++counts_.garbled;
      return;
    }
    const Numbering::Verdict verdict = flows_[message->flow].arrived.arrived(message->number);
    counts_.missing += verdict.skipped;
    if (!verdict.counts) {
      ++counts_.duplicates;
      return;
    }
    ++counts_.received;
    counts_.latency.add(host_.now() - message->due);
    arrivals_[message->flow].store(message->number, std::memory_order_relaxed);
    if (order_.work == Work::saturate && is_ours(message->flow)) check_window(message->flow);
  }

  bool is_ours(size_t flow) const { return settings_.layout.load_of(settings_.layout.source(flow)) == settings_.load; }

  // All flows of ours that have room get a turn; those whose messages arrive in this process are seen to as
  // they do, the others by looking now and then.
  void open_windows() {
    for (const size_t flow : ours_) check_window(flow);
    if (settings_.layout.loads > 1) windows_.start(window_interval, [this] { open_windows(); });
  }

  void check_window(size_t flow) {
    if (flows_[flow].ready || flows_[flow].sent >= arrivals_[flow].load(std::memory_order_relaxed) + order_.window)
      return;
    flows_[flow].ready = true;
    ready_.push_back(flow);
    schedule_turn();
  }

  void schedule_turn() {
    if (turn_scheduled_) return;
    turn_scheduled_ = true;
    loop_.post([this] {
      turn_scheduled_ = false;
      turn();
    });
  }

  void turn() {
    for (size_t i = 0; i < sends_per_turn && !ready_.empty(); ++i) {
      const size_t flow = ready_.front();
      ready_.pop_front();
      flows_[flow].ready = false;
      send(flow, host_.now());
      check_window(flow);
    }
    if (!ready_.empty()) schedule_turn();
  }

  // The n-th message is due n / rate after the begin, however late we are.
  void keep_pace() {
    const double rate = order_.rate / static_cast<double>(settings_.layout.loads);
    const auto due = [&] {
      return began_ +
             std::chrono::duration_cast<Duration>(std::chrono::duration<double>(static_cast<double>(paced_) / rate));
    };
    for (size_t i = 0; i < sends_per_turn && due() <= host_.now(); ++i) {
      send(ours_[paced_ % ours_.size()], due());
      ++paced_;
    }
    pace_.start(std::max(due() - host_.now(), Duration{0}), [this] { keep_pace(); });
  }

  Board& board_;
  LoadCounts& counts_;
  const Arrivals& arrivals_;
  const LoadSettings settings_;
  real::AsioLoop loop_;
  real::AsioHost host_;
  Timer look_, pace_, windows_;

  std::map<size_t, std::unique_ptr<LoadNode>> nodes_;
  std::deque<size_t> to_join_;
  std::deque<Attempt> to_connect_;
  size_t connecting_ = 0;

  uint64_t taken_ = 0;
  Order order_;
  etf::Term payload_;
  std::vector<size_t> ours_;  // flows that begin here
  std::vector<Flow> flows_;   // all: `sent` counts at the source, `arrived` at the sink
  std::deque<size_t> ready_;
  bool turn_scheduled_ = false;
  Time began_{};
  uint64_t paced_ = 0;
};

}  // namespace

int run_load(Board& board, const Arrivals& arrivals, const LoadSettings& settings) {
  return Load(board, arrivals, settings).run();
}

}  // namespace distlab::bench

#include "sim/ground.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <ns3/boolean.h>
#include <ns3/global-value.h>
#include <ns3/simulator.h>

#include "models/host/event_kinds.h"
#include "results/qlog_folder.h"
#include "scenarios/cast/certificates.h"
#include "scenarios/cast/epmd_actor.h"
#include "scenarios/cast/parts.h"
#include "sim/build.h"
#include "sim/faults.h"
#include "sim/network.h"
#include "sim/node_process.h"
#include "sim/ns3_time.h"
#include "sim/pcap.h"
#include "sim/relay_process.h"
#include "sim/simulator.h"
#include "sim/trace.h"

namespace distlab::sim {
namespace {

using scenario::Scenario;

// There before the nodes are, and never at fault.
struct EpmdProcess {
  std::unique_ptr<Ns3Host> host;
  std::unique_ptr<cast::EpmdActor> actor;
};

class World {
 public:
  World(const Scenario& scenario, const RunOptions& options, results::QlogFolder qlog, Recorder recorder)
      : scenario_(scenario),
        options_(options),
        recorder_(std::move(recorder)),
        simulator_(options.seed),
        network_(options.seed),
        qlog_(std::move(qlog)),
        certificates_(scenario, options.seed),
        around_{
            {scenario, certificates_, options.seed, qlog_opener()}, network_, options.quiet_kinds, process_recorder()} {
    build_network(scenario_, network_);
    watch_network();
    make_processes();
    FaultActuator::Processes processes;
    for (const auto& node : nodes_) processes.nodes[node->key()] = node.get();
    for (const auto& relay : relays_) processes.relays[relay->key()] = relay.get();
    faults_ = std::make_unique<FaultActuator>(scenario_, network_, std::move(processes),
                                              [this](const Event& event) { record(ns3_now(), "network", event); });
  }

  tl::expected<void, std::string> capture() {
    if (options_.pcap_directory.empty()) return {};
    for (const auto& machine : machines_) {
      auto writer = PcapWriter::open(fmt::format("{}/{}.pcap", options_.pcap_directory, machine));
      if (!writer) return tl::unexpected(writer.error());
      network_.capture(machine, std::make_unique<PcapWriter>(std::move(*writer)));
    }
    return {};
  }

  RunResult run() {
    schedule_faults();
    RunResult result;
    const Time end = run_start + scenario_.duration;
    while (ns3_now() < end && !result.interrupted) {
      simulator_.run_until(std::min(end, ns3_now() + progress_step()));
      result.interrupted = options_.on_progress && !options_.on_progress(ns3_now() - run_start);
    }
    for (const auto& node : nodes_) node->finish();
    result.virtual_time = ns3_now() - run_start;
    result.packets = packets_;
    result.simulator_events = simulator_.events();
    result.trace_hash = trace_.finish();
    recorder_ = nullptr;  // the end of the run is not an event of the run
    return result;
  }

 private:
  // Often enough for a progress line and for ctrl-C, whatever the duration.
  Duration progress_step() const { return std::max<Duration>(scenario_.duration / 200, std::chrono::milliseconds{1}); }

  void record(Time at, const std::string& process, const Event& event) {
    if (!recorder_) return;
    trace_.add_event(at, process, event);
    results::EventRecord out;
    out.time_ns = (at - run_start).count();
    out.host = process;
    out.subject = event.subject;
    out.kind = event.kind;
    out.fields.reserve(event.fields.size());
    for (const Field& field : event.fields) out.fields.emplace_back(std::string(field.key), field.value);
    recorder_(out);
  }

  void watch_network() {
    for (const auto& [key, relay] : scenario_.relays) machines_.insert(relay.host);
    for (const auto& [key, node] : scenario_.nodes) machines_.insert(node.host());
    network_.traffic_log = options_.traffic_log;
    network_.on_delivery = [this](const std::string& machine, const Frame& frame) {
      ++packets_;
      trace_.add_packet(ns3_now(), machine, frame.bytes);
    };
  }

  Ns3Host::Recorder process_recorder() {
    return [this](Time at, const std::string& process, const Event& event) { record(at, process, event); };
  }

  cast::QlogOpener qlog_opener() {
    return [this](const std::string& process, const std::string& peer) { return qlog_.file(process, peer); };
  }

  void make_processes() {
    auto actions = cast::actions(scenario_, options_.seed);
    for (const cast::Part& part : cast::parts(scenario_, options_.seed)) {
      switch (part.kind) {
        case cast::Kind::epmd:
          start_epmd(part);
          break;
        case cast::Kind::relay:
          relays_.push_back(std::make_unique<RelayProcess>(around_, part.key));
          schedule(*relays_.back(), part);
          break;
        case cast::Kind::node:
          nodes_.push_back(std::make_unique<NodeProcess>(around_, part.key, std::move(actions[part.key])));
          schedule(*nodes_.back(), part);
          break;
      }
    }
  }

  void start_epmd(const cast::Part& part) {
    EpmdProcess& epmd = epmds_.emplace_back();
    epmd.host = std::make_unique<Ns3Host>(network_, part.key, part.machine,
                                          Ns3Host::Options{.seed = options_.seed, .quiet_kinds = options_.quiet_kinds},
                                          process_recorder());
    epmd.actor = std::make_unique<cast::EpmdActor>(*epmd.host, part.port);
  }

  void schedule(Process& process, const cast::Part& part) {
    if (part.autostart) ns3::Simulator::Schedule(ns3_delay(part.start), [&process] { process.start(); });
  }

  void schedule_faults() {
    for (const scenario::FaultStep& step : scenario::expand_faults(scenario_, options_.seed)) {
      ns3::Simulator::Schedule(ns3_delay(step.at), [this, step] { faults_->apply(step); });
    }
  }

  const Scenario& scenario_;
  const RunOptions& options_;
  Recorder recorder_;
  TraceHash trace_;
  uint64_t packets_ = 0;
  // In the order of their lives: the simulator outlives all that schedules on it.
  Simulator simulator_;
  Network network_;
  results::QlogFolder qlog_;
  cast::Certificates certificates_;
  Surroundings around_;
  std::set<std::string> machines_;
  std::vector<EpmdProcess> epmds_;
  std::vector<std::unique_ptr<RelayProcess>> relays_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
  std::unique_ptr<FaultActuator> faults_;
};

}  // namespace

tl::expected<RunResult, std::string> run(const Scenario& scenario, const RunOptions& options, Recorder recorder) {
  // Checksums cost time and decide nothing here, but a capture without them looks damaged.
  ns3::GlobalValue::Bind("ChecksumEnabled", ns3::BooleanValue(!options.pcap_directory.empty()));
  auto qlog = results::QlogFolder::open(options.qlog_directory);
  if (!qlog) return tl::unexpected(qlog.error());
  World world(scenario, options, std::move(*qlog), std::move(recorder));
  if (auto ready = world.capture(); !ready) return tl::unexpected(ready.error());
  return world.run();
}

}  // namespace distlab::sim

#include "real/emu/network.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <ns3/simulator.h>

#include "sim/build.h"
#include "sim/link_faults.h"
#include "sim/network.h"
#include "sim/ns3_time.h"
#include "sim/pcap.h"
#include "sim/simulator.h"

namespace distlab::emu {
namespace {

using lab::Result;

class Network final : public ground::Wan, private ground::Loop::Driven {
 public:
  Network(const scenario::Scenario& scenario, const NetworkOptions& options)
      : scenario_(scenario),
        options_(options),
        simulator_(options.seed, sim::Simulator::Pace::real),
        network_(options.seed),
        faults_(scenario, network_) {}

  Result<void> build(lab::Lab& lab, ground::Loop& loop) override {
    loop_ = &loop;
    std::vector<std::string> names;
    sim::build_network(scenario_, network_, [&](const std::string& host, const std::string& site) {
      network_.add_port(host, site, [this, number = names.size()](Bytes packet) { deliver(number, packet); });
      names.push_back(host);
    });
    return capture(names).and_then([&] { return attach(lab, names); }).map([&] { loop.drive(*this); });
  }

  Result<void> apply(const scenario::FaultStep& step) override {
    faults_.apply(step);
    return {};
  }

  real::Lateness lateness() const override { return lateness_; }
  uint64_t packets() const override { return packets_; }

 private:
  Result<void> capture(const std::vector<std::string>& names) {
    if (options_.pcap_directory.empty()) return {};
    for (const std::string& name : names) {
      auto writer = sim::PcapWriter::open(fmt::format("{}/{}.pcap", options_.pcap_directory, name));
      if (!writer) return tl::unexpected(writer.error());
      network_.capture(name, std::make_unique<sim::PcapWriter>(std::move(*writer)));
    }
    return {};
  }

  Result<void> attach(lab::Lab& lab, const std::vector<std::string>& names) {
    std::vector<lab::Attachment> attachments;
    for (const std::string& name : names) {
      const auto host = lab.add_host(name.substr(0, max_host_name));
      if (!host) return tl::unexpected(host.error());
      const Ipv4 address = *network_.address(name);
      machines_[name] = {*host, address};
      attachments.push_back({.host = *host, .address = address.to_string(), .kind = options_.ports});
    }
    auto ports = lab.attach(attachments);
    if (!ports) return tl::unexpected(ports.error());
    ports_ = std::move(*ports);
    for (size_t i = 0; i < ports_.size(); ++i) {
      if (auto watched = loop_->watch(ports_[i].fd(), [this, i, name = names[i]] { read(i, name); }); !watched)
        return watched;
    }
    return {};
  }

  void turn(Time now) override {
    if (now > sim::ns3_now()) simulator_.run_until(now);
  }
  std::optional<Time> next() override { return simulator_.next(); }

  // ns-3's clock may lag behind; what enters then waits for it.
  void read(size_t number, const std::string& name) {
    ports_[number].receive([&](std::span<const uint8_t> packet) {
      const Duration delay = std::max(loop_->clock().now() - sim::ns3_now(), Duration::zero());
      ns3::Simulator::Schedule(
          sim::ns3_delay(delay),
          [this, name, bytes = std::vector<uint8_t>(packet.begin(), packet.end())] { network_.send(name, bytes); });
    });
  }

  void deliver(size_t number, Bytes packet) {
    ++packets_;
    lateness_.add(loop_->clock().now() - sim::ns3_now());
    ports_[number].send(packet);
  }

  static constexpr size_t max_host_name = 64;  // of what gethostname says

  const scenario::Scenario& scenario_;
  const NetworkOptions options_;
  ground::Loop* loop_ = nullptr;
  // In the order of their lives: the simulator outlives all that schedules on it.
  sim::Simulator simulator_;
  sim::Network network_;
  sim::LinkFaults faults_;
  std::vector<lab::Port> ports_;
  real::Lateness lateness_;
  uint64_t packets_ = 0;
};

}  // namespace

std::unique_ptr<ground::Wan> make_network(const scenario::Scenario& scenario, const NetworkOptions& options) {
  return std::make_unique<Network>(scenario, options);
}

}  // namespace distlab::emu

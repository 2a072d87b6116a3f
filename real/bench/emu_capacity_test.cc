#include "real/bench/emu_capacity.h"

#include <cerrno>
#include <utility>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "real/ground/wan.h"
#include "real/lab/lab.h"

namespace distlab::bench {
namespace {

using std::chrono::milliseconds;

// A network that passes packets on at once, says how late they were, and may lose some.
class PlainWan final : public ground::Wan {
 public:
  struct Faults {
    Duration late{0};
    uint64_t lose_every = 0;
  };
  explicit PlainWan(Faults faults) : faults_(faults) {}

  lab::Result<void> build(lab::Lab& lab, ground::Loop& loop) override {
    std::vector<lab::Attachment> attachments;
    for (const auto& [name, address] : {std::pair{"a.example", Ipv4{0x0a000101}}, {"b.example", Ipv4{0x0a000201}}}) {
      const auto host = lab.add_host(name);
      if (!host) return tl::unexpected(host.error());
      machines_[name] = {*host, address};
      attachments.push_back({.host = *host, .address = address.to_string()});
    }
    auto ports = lab.attach(attachments);
    if (!ports) return tl::unexpected(ports.error());
    ports_ = std::move(*ports);
    for (const size_t i : {0u, 1u}) {
      const auto watched = loop.watch(ports_[i].fd(), [this, i] { pass(ports_[i], ports_[1 - i]); });
      if (!watched) return watched;
    }
    return {};
  }
  lab::Result<void> apply(const scenario::FaultStep&) override { return {}; }
  real::Lateness lateness() const override { return lateness_; }

 private:
  void pass(lab::Port& from, lab::Port& to) {
    from.receive([&](std::span<const uint8_t> packet) {
      if (++count_; faults_.lose_every != 0 && count_ % faults_.lose_every == 0) return;
      lateness_.add(faults_.late);
      to.send(packet);
    });
  }

  const Faults faults_;
  std::vector<lab::Port> ports_;
  real::Lateness lateness_;
  uint64_t count_ = 0;
};

tl::expected<EmuCapacity, std::string> try_rates(PlainWan::Faults faults, double least, double most) {
  EmuOptions options;
  options.make_wan = [faults](const scenario::Scenario&) { return std::make_unique<PlainWan>(faults); };
  options.seconds = milliseconds{200};
  options.settling = milliseconds{50};
  options.first_rate = options.most = most;
  options.least = least;
  options.refinements = 0;
  return bench_emu(options);
}

bool no_children() {
  return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

// A network that keeps up carries all packets of both directions, and nothing stays behind.
TEST(EmuCapacity, counts_what_a_network_carries) {
  const auto capacity = try_rates({.late = milliseconds{1}}, 1'000, 1'000);
  ASSERT_TRUE(capacity.has_value()) << capacity.error();
  EXPECT_TRUE(capacity->limited_by_generator);
  EXPECT_NEAR(capacity->best.carried_per_s, 1'000, 100);
  EXPECT_EQ(capacity->best.received, capacity->best.sent);
  EXPECT_NEAR(to_seconds(capacity->best.late_p99), 1e-3, 1e-4);
  EXPECT_TRUE(no_children());
}

// A network that is late, or one that loses packets, has no capacity.
TEST(EmuCapacity, refuses_a_late_or_lossy_network) {
  for (const PlainWan::Faults faults : {PlainWan::Faults{.late = milliseconds{11}}, {.lose_every = 50}}) {
    const auto capacity = try_rates(faults, 900, 1'000);
    ASSERT_TRUE(capacity.has_value()) << capacity.error();
    EXPECT_EQ(capacity->tries.size(), 2u);
    EXPECT_EQ(capacity->best.carried_per_s, 0);
    for (const EmuStep& step : capacity->tries) EXPECT_FALSE(step.in_time);
  }
}

// Whoever watches the progress can end it, and no process stays.
TEST(EmuCapacity, ends_when_told) {
  EmuOptions options;
  options.make_wan = [](const scenario::Scenario&) { return std::make_unique<PlainWan>(PlainWan::Faults{}); };
  options.on_progress = [](const std::string&, double) { return false; };
  const auto capacity = bench_emu(options);
  ASSERT_TRUE(capacity.has_value()) << capacity.error();
  EXPECT_TRUE(capacity->interrupted);
  EXPECT_TRUE(no_children());
}

}  // namespace
}  // namespace distlab::bench

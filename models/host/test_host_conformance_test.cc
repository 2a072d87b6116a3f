// TestHost against the suite every ground must pass.
#include "models/host/test_host.h"
#include "models/host/testing/conformance.h"

namespace distlab {
namespace {

class TestGround final : public conformance::Ground {
 public:
  explicit TestGround(uint64_t seed)
      : world_(seed),
        a_(world_.add_host("a", Ipv4{0x0a000001}, {"a.test"})),
        b_(world_.add_host("b", Ipv4{0x0a000002}, {"b.test"})) {}
  Host& a() override { return a_; }
  Host& b() override { return b_; }
  Ipv4 a_address() const override { return a_.address(); }
  Ipv4 b_address() const override { return b_.address(); }
  bool run_until(const std::function<bool()>& done, Duration limit) override { return world_.run_until(done, limit); }
  std::vector<std::pair<Time, Event>> recorded_by_a() override {
    std::vector<std::pair<Time, Event>> result;
    for (const RecordedEvent& recorded : world_.events()) {
      if (recorded.host == "a") result.emplace_back(recorded.time, recorded.event);
    }
    return result;
  }
  TestWorld& world() { return world_; }

 private:
  TestWorld world_;
  TestHost& a_;
  TestHost& b_;
};

std::unique_ptr<conformance::Ground> plain(uint64_t seed) {
  return std::make_unique<TestGround>(seed);
}

// Everything in small pieces, as through a bridge that flushes each.
std::unique_ptr<conformance::Ground> small_chunks(uint64_t seed) {
  auto ground = std::make_unique<TestGround>(seed);
  ground->world().tcp().chunk = 7;
  return ground;
}

std::unique_ptr<conformance::Ground> instant_and_slow(uint64_t seed) {
  auto ground = std::make_unique<TestGround>(seed);
  ground->world().tcp().instant_connect = true;
  ground->world().set_default_delay(std::chrono::milliseconds{15});
  return ground;
}

INSTANTIATE_TEST_SUITE_P(Plain, HostConformance, testing::Values(&plain));
INSTANTIATE_TEST_SUITE_P(SmallChunks, HostConformance, testing::Values(&small_chunks));
INSTANTIATE_TEST_SUITE_P(InstantAndSlow, HostConformance, testing::Values(&instant_and_slow));

}  // namespace
}  // namespace distlab

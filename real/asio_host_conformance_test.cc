// AsioHost against the suite every ground must pass, on loopback addresses.
#include "models/host/testing/conformance.h"
#include "real/asio_host.h"

namespace distlab::real {
namespace {

class AsioGround final : public conformance::Ground {
 public:
  explicit AsioGround(uint64_t seed) : a_(loop_, options("a", seed, 2)), b_(loop_, options("b", seed, 3)) {}
  Host& a() override { return a_; }
  Host& b() override { return b_; }
  Ipv4 a_address() const override { return address(2); }
  Ipv4 b_address() const override { return address(3); }
  bool run_until(const std::function<bool()>& done, Duration limit) override { return loop_.run_until(done, limit); }
  std::vector<std::pair<Time, Event>> recorded_by_a() override { return recorded_; }

 private:
  static Ipv4 address(uint32_t last) { return Ipv4{0x7f000000 + last}; }
  AsioHostOptions options(const char* name, uint64_t seed, uint32_t last) {
    AsioHostOptions options;
    options.name = name;
    options.seed = seed;
    options.address = address(last);
    options.hosts = {{"a.test", {address(2)}}, {"b.test", {address(3)}}};
    options.resolver = false;
    if (last == 2) options.record = [this](Time at, const Event& event) { recorded_.emplace_back(at, event); };
    return options;
  }

  AsioLoop loop_;
  std::vector<std::pair<Time, Event>> recorded_;
  AsioHost a_, b_;
};

std::unique_ptr<conformance::Ground> loopback(uint64_t seed) {
  return std::make_unique<AsioGround>(seed);
}

INSTANTIATE_TEST_SUITE_P(Loopback, HostConformance, testing::Values(&loopback));

}  // namespace
}  // namespace distlab::real

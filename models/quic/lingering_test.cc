#include "models/quic/lingering.h"

#include <gtest/gtest.h>

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;

ConnectionId id_of(uint32_t number) {
  std::array<uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &number, bytes.size());
  return ConnectionId(bytes);
}

// Proves that late packets are known for as long as asked, and the goodbye is said ever more rarely.
TEST(QuicLingering, AnswersGrowRare) {
  Lingering lingering;
  const std::vector<ConnectionId> ids{id_of(1), id_of(2)};
  lingering.add(run_start, {3s, {1, 2, 3}, {}}, ids);
  int answers = 0;
  for (int i = 0; i < 16; ++i) {
    const auto found = lingering.packet_for(run_start + 1s, id_of(static_cast<uint32_t>(i % 2 + 1)));
    EXPECT_TRUE(found.known);
    if (found.answer != nullptr) ++answers;
  }
  EXPECT_EQ(answers, 5);  // the 1st, 2nd, 4th, 8th and 16th
  EXPECT_FALSE(lingering.packet_for(run_start + 1s, id_of(3)).known);
  EXPECT_FALSE(lingering.packet_for(run_start + 3s, id_of(1)).known);
}

// Proves that one that died silently is known and never answered.
TEST(QuicLingering, Silent) {
  Lingering lingering;
  const std::vector<ConnectionId> ids{id_of(1)};
  lingering.add(run_start, {3s, {}, {}}, ids);
  const auto found = lingering.packet_for(run_start, id_of(1));
  EXPECT_TRUE(found.known);
  EXPECT_EQ(found.answer, nullptr);
}

// Proves that the memory of the dead is bounded, and that the oldest go first.
TEST(QuicLingering, Bounded) {
  Lingering lingering;
  for (uint32_t i = 0; i < 10'000; ++i) {
    const std::vector<ConnectionId> ids{id_of(i)};
    lingering.add(run_start, {1h, {}, {}}, ids);
  }
  EXPECT_EQ(lingering.size(), Lingering::max_entries);
  EXPECT_FALSE(lingering.packet_for(run_start, id_of(0)).known);
  EXPECT_TRUE(lingering.packet_for(run_start, id_of(9'999)).known);
  const std::vector<ConnectionId> ids{id_of(20'000)};
  lingering.add(run_start + 2h, {1h, {}, {}}, ids);
  EXPECT_EQ(lingering.size(), 1U);
}

}  // namespace
}  // namespace distlab::quic

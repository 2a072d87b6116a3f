#include "models/quic/send_buffer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/random.h"

namespace distlab::quic {
namespace {

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Proves that bytes keep their order and their address from append to acknowledgement, for any
// sequence of appends, sends and acknowledgements.
TEST(QuicSendBuffer, OrderAndStableAddresses) {
  RandomStream random(1, "test", "send buffer");
  SendBuffer buffer;
  std::string all;
  size_t sent = 0, acknowledged = 0;
  std::vector<const uint8_t*> where;  // of each sent byte
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t choice = random.below(3);
    if (choice == 0 && all.size() < 2'000'000) {
      std::string more(random.below(random.chance(0.1) ? 40'000 : 300), ' ');
      for (char& c : more) c = static_cast<char>(random.below(256));
      buffer.append(bytes_of(more));
      all += more;
    } else if (choice == 1) {
      const SendBuffer::Unsent unsent = buffer.unsent();
      ASSERT_EQ(unsent.all, sent + unsent.size == all.size());
      size_t take = unsent.size == 0 ? 0 : random.below(std::min<size_t>(unsent.size, 3000) + 1);
      size_t left = take;
      for (size_t i = 0; i < unsent.count && left > 0; ++i) {
        for (const uint8_t& byte : unsent.pieces[i].first(std::min(left, unsent.pieces[i].size()))) {
          where.push_back(&byte);
        }
        left -= std::min(left, unsent.pieces[i].size());
      }
      buffer.sent(take);
      sent += take;
    } else {
      const size_t count = random.below(sent - acknowledged + 1);
      for (size_t i = acknowledged; i < acknowledged + count; ++i) {
        ASSERT_EQ(*where[i], static_cast<uint8_t>(all[i]));
      }
      buffer.acknowledged(count);
      acknowledged += count;
    }
    ASSERT_EQ(buffer.size(), all.size() - acknowledged);
    ASSERT_EQ(buffer.unsent_size(), all.size() - sent);
  }
  EXPECT_GT(acknowledged, 500'000U);
}

// Proves that an empty buffer offers nothing, and that all of nothing is all.
TEST(QuicSendBuffer, Empty) {
  SendBuffer buffer;
  buffer.append({});
  EXPECT_EQ(buffer.unsent().count, 0U);
  EXPECT_TRUE(buffer.unsent().all);
  buffer.append(bytes_of("abc"));
  buffer.sent(3);
  EXPECT_EQ(buffer.unsent().count, 0U);
  buffer.acknowledged(3);
  EXPECT_EQ(buffer.size(), 0U);
}

}  // namespace
}  // namespace distlab::quic

#include "models/host/endpoint.h"

#include <gtest/gtest.h>

#include "models/host/byte_stream.h"

namespace distlab {
namespace {

TEST(Ipv4, ParsesWhatItPrints) {
  // Dotted quads, highest byte first.
  for (const char* text : {"0.0.0.0", "10.0.0.1", "127.0.0.1", "255.255.255.255", "192.0.2.99"}) {
    const auto address = Ipv4::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(Ipv4::parse("10.1.2.3")->bits, 0x0a010203u);
  EXPECT_EQ(loopback_address.to_string(), "127.0.0.1");
}

TEST(Ipv4, RejectsWhatIsNoAddress) {
  // Too few or many parts, parts too large or too long, signs, blanks, names.
  for (const char* text : {"", ".", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1", "1.2.3.0004",
                           "-1.2.3.4", "+1.2.3.4", " 1.2.3.4", "1.2.3.4 ", "1..2.3", "a.b.c.d", "0x1.2.3.4"}) {
    EXPECT_FALSE(Ipv4::parse(text)) << text;
  }
}

TEST(Endpoint, PrintsAndOrders) {
  // By address, then by port: maps over endpoints have a stable order.
  EXPECT_EQ((Endpoint{{0x0a000001}, 4369}.to_string()), "10.0.0.1:4369");
  EXPECT_LT((Endpoint{{1}, 9}), (Endpoint{{2}, 1}));
  EXPECT_LT((Endpoint{{1}, 1}), (Endpoint{{1}, 2}));
}

TEST(NetError, HasErlangsNames) {
  // Users compare our reasons with those of a real node.
  EXPECT_EQ(to_string(NetError::closed), "closed");
  EXPECT_EQ(to_string(NetError::reset), "econnreset");
  EXPECT_EQ(to_string(NetError::refused), "econnrefused");
  EXPECT_EQ(to_string(NetError::timed_out), "etimedout");
  EXPECT_EQ(to_string(NetError::unreachable), "ehostunreach");
  EXPECT_EQ(to_string(NetError::not_found), "nxdomain");
  EXPECT_EQ(to_string(NetError::lookup_failed), "timeout");
  EXPECT_EQ(to_string(NetError::address_in_use), "eaddrinuse");
  EXPECT_EQ(to_string(NetError::limit), "emfile");
}

}  // namespace
}  // namespace distlab

#include "models/quic/settings.h"

#include <gtest/gtest.h>

namespace distlab::quic {
namespace {

// Proves that an end is told in words that say what happened and who did it.
TEST(QuicSettings, EndInWords) {
  EXPECT_EQ(to_string(End{EndKind::tls, 48, ""}), "tls: unknown_ca (alert 48)");
  EXPECT_EQ(to_string(End{EndKind::tls, 77, ""}), "tls: unknown alert (alert 77)");
  EXPECT_EQ(to_string(End{EndKind::tls, 42, "no name"}), "tls: bad_certificate (alert 42): no name");
  EXPECT_EQ(to_string(End{EndKind::idle, 0, ""}), "idle");
  EXPECT_EQ(to_string(End{EndKind::application, 3, "shutting down"}), "application 3: shutting down");
  EXPECT_EQ(to_string(End{EndKind::transport, 10, ""}), "transport 10");
  EXPECT_EQ(to_string(End{EndKind::refused, 2, ""}), "refused");
}

}  // namespace
}  // namespace distlab::quic

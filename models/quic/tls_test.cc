// Who is trusted, and what is said when somebody is not.
#include <gtest/gtest.h>

#include "models/quic/testing/peers.h"

namespace distlab::quic {
namespace {

using namespace std::chrono_literals;
using testing::Pair;

// A client that verifies against the test's authority and expects the test's server.
void verify(Pair& pair) {
  pair.client_settings.verify = TlsVerify::peer;
  pair.client_settings.server_name = "relay.test";
  pair.client_settings.credentials = ClientCredentials::load(testing::authority().certificate()).value();
}

// Dials and returns why it failed; the server must have let go as soon as it heard of it.
End refused(Pair& pair) {
  pair.listen();
  pair.dial();
  EXPECT_TRUE(pair.world.run_until([&] { return pair.client.end.has_value(); }, 5s));
  EXPECT_TRUE(pair.world.run_until([&] { return pair.server_socket->connections() == 0; }, 100ms));
  EXPECT_EQ(pair.client.connects, 0);
  EXPECT_TRUE(pair.servers.empty());
  return pair.client.end.value_or(End{});
}

// Proves that the right authority and name are accepted.
TEST(QuicTls, RightCertificate) {
  Pair pair;
  verify(pair);
  EXPECT_TRUE(pair.connect());
}

// Proves that without verification any certificate will do, even one that is expired and for another.
TEST(QuicTls, NothingVerified) {
  Pair pair;
  pair.server_settings.credentials =
      ServerCredentials::load(self_signed({"x", {"elsewhere.test"}, true}, testing::secret(9))).value();
  pair.client_settings.server_name = "relay.test";
  EXPECT_TRUE(pair.connect());
}

// Proves that a certificate of an unknown authority is refused as such.
TEST(QuicTls, WrongAuthority) {
  Pair pair;
  verify(pair);
  const Authority other("somebody else", testing::secret(8));
  pair.client_settings.credentials = ClientCredentials::load(other.certificate()).value();
  const End end = refused(pair);
  EXPECT_EQ(end.kind, EndKind::tls);
  EXPECT_EQ(end.code, 48U);
  EXPECT_EQ(to_string(end),
            "tls: unknown_ca (alert 48): The certificate is NOT trusted. The certificate issuer is unknown.");
}

// Proves that a client without authorities trusts nobody.
TEST(QuicTls, NoAuthority) {
  Pair pair;
  verify(pair);
  pair.client_settings.credentials = nullptr;
  EXPECT_EQ(refused(pair).code, 48U);
}

// Proves that a certificate for another name is refused as such.
TEST(QuicTls, WrongName) {
  Pair pair;
  verify(pair);
  pair.client_settings.server_name = "other.test";
  const End end = refused(pair);
  EXPECT_EQ(end.kind, EndKind::tls);
  EXPECT_NE(to_string(end).find("bad_certificate (alert 42)"), std::string::npos) << to_string(end);
  EXPECT_NE(end.reason.find("name in the certificate does not match"), std::string::npos) << end.reason;
}

// Proves that a client that verifies but knows no name to compare fails instead of trusting any name.
TEST(QuicTls, NoName) {
  Pair pair;
  verify(pair);
  pair.client_settings.server_name = "";
  EXPECT_EQ(to_string(refused(pair)),
            "tls: bad_certificate (alert 42): no server name to compare the certificate with");
}

// Proves that an expired certificate is refused as such, by the date of the run and not of the machine.
TEST(QuicTls, Expired) {
  for (const bool in_its_time : {false, true}) {
    Pair pair;
    verify(pair);
    pair.server_settings.credentials =
        ServerCredentials::load(testing::authority().issue({"relay", {"relay.test"}, true}, testing::secret(2)))
            .value();
    if (in_its_time) {
      pair.client_settings.date_at_start = std::chrono::sys_days{std::chrono::year{2000} / 6 / 1};
      EXPECT_TRUE(pair.connect());
      continue;
    }
    const End end = refused(pair);
    EXPECT_EQ(end.code, 45U);
    EXPECT_NE(end.reason.find("expired"), std::string::npos) << end.reason;
  }
}

// Proves that two sides with different application protocols part with that reason.
TEST(QuicTls, WrongProtocol) {
  Pair pair;
  pair.client_settings.alpn = "macula-dist";
  const End end = refused(pair);
  EXPECT_EQ(end.kind, EndKind::tls);
  EXPECT_EQ(to_string(end), "tls: no_application_protocol (alert 120)");
}

// Proves that a side that wants a protocol does not talk to one that names none.
TEST(QuicTls, NoProtocol) {
  for (const bool client_has_one : {false, true}) {
    Pair pair;
    (client_has_one ? pair.server_settings.alpn : pair.client_settings.alpn) = "";
    EXPECT_EQ(to_string(refused(pair)), "tls: no_application_protocol (alert 120)");
  }
}

// Proves that unusable PEM text is reported and not used.
TEST(QuicCredentials, Unusable) {
  const PemPair good = testing::authority().issue({"relay", {"relay.test"}, false}, testing::secret(2));
  const PemPair other = testing::authority().issue({"relay", {"relay.test"}, false}, testing::secret(3));
  EXPECT_TRUE(ServerCredentials::load(good).has_value());
  EXPECT_FALSE(ServerCredentials::load({"nonsense", good.key}).has_value());
  EXPECT_FALSE(ServerCredentials::load({good.certificate, ""}).has_value());
  EXPECT_FALSE(ServerCredentials::load({good.certificate, other.key}).has_value());
  EXPECT_FALSE(ClientCredentials::load("nonsense").has_value());
  EXPECT_NE(ServerCredentials::load({"nonsense", good.key}).error().find("certificate"), std::string::npos);
}

// Proves that equal requests give equal bytes, and that no two certificates share a serial number.
TEST(QuicCredentials, Deterministic) {
  const Authority again("distlab test CA", testing::secret(1));
  EXPECT_EQ(again.certificate(), testing::authority().certificate());
  const PemPair first = testing::authority().issue({"a", {"a.test"}, false}, testing::secret(2));
  EXPECT_EQ(first.certificate, again.issue({"a", {"a.test"}, false}, testing::secret(2)).certificate);
  EXPECT_NE(first.certificate, again.issue({"b", {"a.test"}, false}, testing::secret(2)).certificate);
  const PemPair second = testing::authority().issue({"a", {"a.test"}, false}, testing::secret(3));
  EXPECT_EQ(first.certificate.size(), second.certificate.size());
  EXPECT_EQ(first.key.size(), second.key.size());
}

// Proves that names that are too long or odd for a certificate do no harm.
TEST(QuicCredentials, OddNames) {
  const std::string name(300, 'x');
  EXPECT_TRUE(ServerCredentials::load(self_signed({name, {name, "a,IP:10.0.0.1", "\xff"}, false}, testing::secret(4))));
  EXPECT_TRUE(ServerCredentials::load(self_signed({"", {}, false}, testing::secret(4))));
}

}  // namespace
}  // namespace distlab::quic

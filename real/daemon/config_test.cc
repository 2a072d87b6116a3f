#include "real/daemon/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "real/daemon/control_server.h"
#include "real/daemon/daemon_host.h"
#include "real/daemon/pem_files.h"
#include "real/daemon/translate.h"

namespace distlab::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class Config : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "distlab-config-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name) << text;
    return folder + "/" + name;
  }
  static Flag flag(const std::string& path, const std::string& value) {
    return {"--" + path, path, {value}, false, false};
  }
  std::string wrong(Kind kind, const std::string& text, const std::vector<Flag>& flags = {}) const {
    const auto tree = read_config(kind, write("c.yaml", text), flags);
    if (!tree) return tree.error().front().text();
    const auto made = kind == Kind::relay ? relay_config(*tree).map([](const auto&) { return 0; })
                                          : agent_config(*tree).map([](const auto&) { return 0; });
    return made ? "" : made.error().front().text();
  }
  std::string folder;
};

// A relay's file becomes the models' settings, with the meaning that the keys have in a scenario.
TEST_F(Config, RelayFile) {
  const auto tree = read_config(Kind::relay,
                                write("r.yaml",
                                      "name: berlin\nlisten: 127.0.0.1:5000\ncertificate: a.crt\nkey: /etc/a.key\n"
                                      "realms: [x, y]\nidentities: [a@b.c]\nidle_timeout: 7s\nvalidate_address: true\n"
                                      "limits: { sessions: 5, call_lifetime: 3s, frame_bytes: 2KiB }\n"),
                                {});
  ASSERT_TRUE(tree);
  const auto config = relay_config(*tree);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->certificate, folder + "/a.crt");  // beside the file
  EXPECT_EQ(config->key, "/etc/a.key");
  EXPECT_EQ(config->listen, (Endpoint{loopback_address, 5000}));
  const mesh::RelaySettings settings = relay_settings(*config);
  EXPECT_EQ(settings.name, "berlin");
  EXPECT_EQ(settings.port, 5000);
  EXPECT_THAT(settings.realms, UnorderedElementsAre("x", "y"));
  EXPECT_THAT(settings.identities, UnorderedElementsAre("a@b.c"));
  EXPECT_TRUE(settings.validate_address);
  EXPECT_EQ(settings.transport.idle_timeout, 7s);
  EXPECT_EQ(settings.limits.sessions, 5u);
  EXPECT_EQ(settings.limits.call_lifetime, 3s);
  EXPECT_EQ(settings.limits.frame_bytes, 2048u);
  EXPECT_EQ(settings.limits.procedures, mesh::RelayLimits{}.procedures);
}

// Flags win over the file, key by key.
TEST_F(Config, FlagsWin) {
  const auto tree =
      read_config(Kind::relay, write("r.yaml", "name: file\nself_signed: true\nlimits: { sessions: 5, calls: 6 }\n"),
                  {flag("name", "flag"), {"--set limits.calls", "limits.calls", {"7"}, false, true}});
  ASSERT_TRUE(tree);
  const auto config = relay_config(*tree);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->name, "flag");
  EXPECT_EQ(relay_settings(*config).limits.sessions, 5u);
  EXPECT_EQ(relay_settings(*config).limits.calls, 7u);
}

// An agent's file: relays and their ports, the preset's constants and what the file changes of them.
TEST_F(Config, AgentFile) {
  write("cookie", "crumbs \r\nsecond line\n");
  const auto tree =
      read_config(Kind::agent,
                  write("a.yaml",
                        "name: alice@home.test\ncookie_file: cookie\nrelays: [berlin.test:5000, 10.0.0.1]\n"
                        "realm: x\npreset: macula-3.13\nnet_ticktime: 8s\nhidden: true\n"
                        "tunnel: { dist_timeout: 3s }\nmesh: { ping_interval: 4s, on_farewell: ignore }\n"
                        "hosts: { berlin.test: 127.0.0.9 }\n"),
                  {});
  ASSERT_TRUE(tree) << tree.error().front().text();
  const auto config = agent_config(*tree);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->cookie, "crumbs");
  EXPECT_THAT(config->hosts.at("berlin.test"), ElementsAre(Ipv4{0x7f000009}));
  const mesh::MembershipSettings mesh = membership_settings(*config);
  ASSERT_EQ(mesh.client.relays.size(), 2u);
  EXPECT_EQ(mesh.client.relays[0].host_name, "berlin.test");
  EXPECT_EQ(mesh.client.relays[0].port, 5000);
  EXPECT_EQ(mesh.client.relays[1].port, 4433);
  EXPECT_EQ(mesh.client.realm, "x");
  EXPECT_EQ(mesh.client.identity, "alice@home.test");
  EXPECT_EQ(mesh.client.ping_interval, 4s);
  EXPECT_EQ(mesh.client.on_farewell, mesh::OnLoss::ignore);
  EXPECT_FALSE(mesh.restart_after);
  EXPECT_EQ(tunnel_settings(*config).dist_timeout, 3s);
  EXPECT_TRUE(tunnel_settings(*config).own_cookie_only);
  const node::NodeConfig node = node_config(*config);
  EXPECT_EQ(node.net_kernel.cookie, "crumbs");
  EXPECT_EQ(node.net_kernel.net_ticktime, 8s);
  EXPECT_TRUE(node.net_kernel.hidden);
}

// What is wrong is told with its place, by the scenario format's own checks.
TEST_F(Config, Mistakes) {
  const std::string at = folder + "/c.yaml:";
  EXPECT_EQ(wrong(Kind::relay, "self_signed: true\nlimts: {}\n"),
            at + "2:1: unknown key 'limts'; did you mean 'limits'?");
  EXPECT_THAT(wrong(Kind::relay, "self_signed: true\nlimits: { sessions: 0 }\n"), HasSubstr(at + "2:21: "));
  EXPECT_THAT(wrong(Kind::relay, "self_signed: true\nlimits: { frame_bytes: 0B }\n"), HasSubstr("must be at least 1B"));
  EXPECT_THAT(wrong(Kind::relay, "self_signed: true\nidle_timeout: 5\n"), HasSubstr(at + "2:15: "));
  EXPECT_THAT(wrong(Kind::relay, "self_signed: true\n", {flag("listen", "here")}), HasSubstr("--listen: expected"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\nnet_ticktime: 10ms\n"),
              HasSubstr("'net_ticktime' must be between"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\nnode: bean\n"), HasSubstr(at + "3:7"));
  EXPECT_THAT(wrong(Kind::agent, "cookie: x\n"), HasSubstr("missing key 'name'"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\nnode: beam\n"), HasSubstr("over TCP a BEAM needs none"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\nnode: beam\nrelays: [h]\n"), HasSubstr("'peers' (--peer)"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\ncarrier: relay\n"), HasSubstr("needs 'relays'"));
  EXPECT_THAT(wrong(Kind::agent, "name: a@b.c\ncookie: x\nrelays: ['h:99999']\n"), HasSubstr("HOST:PORT"));
  EXPECT_THAT(wrong(Kind::relay, "[1, 2\n"), HasSubstr(at));
  EXPECT_EQ(wrong(Kind::relay, "self_signed: true\n"), "");
}

// What the agent of a BEAM takes: all of it from macula:join_mesh/1, or the peers of an unmodified one.
TEST_F(Config, AgentOfABeam) {
  EXPECT_EQ(wrong(Kind::agent, "node: macula\n"), "");
  EXPECT_EQ(wrong(Kind::agent, "name: a@b.c\ncookie: x\nnode: beam\nrelays: [h]\npeers: [d@e.f]\n"), "");
  EXPECT_EQ(parse_relay_url("https://relay.example:4434/")->port, 4434);
  EXPECT_EQ(parse_relay_url("quic://relay.example")->host_name, "relay.example");
  EXPECT_FALSE(parse_relay_url("https://"));
}

// The printed configuration says the same when it is read again.
TEST_F(Config, PrintsWhatItReads) {
  for (const auto& [kind, text] :
       {std::pair{Kind::relay, "self_signed: true\nrealms: ['a: b']\n"},
        std::pair{Kind::agent, "name: a@b.c\nrelays: [x]\nflags: { remove: [FRAGMENTS] }\n"}}) {
    const auto tree = read_config(kind, write("p.yaml", text), {});
    ASSERT_TRUE(tree);
    const auto again = read_config(kind, write("q.yaml", print_config(kind, *tree)), {});
    ASSERT_TRUE(again) << again.error().front().text();
    const auto third = read_config(kind, write("r.yaml", print_config(kind, *again)), {});
    ASSERT_TRUE(third);
    EXPECT_EQ(print_config(kind, *again), print_config(kind, *third));
    EXPECT_THAT(print_config(kind, *again), HasSubstr(kind == Kind::relay ? "\"a: b\"" : "FRAGMENTS"));
  }
}

// Addresses and relays as people write them.
TEST_F(Config, Endpoints) {
  EXPECT_EQ(parse_endpoint("10.0.0.1:5"), (Endpoint{Ipv4{0x0a000001}, 5}));
  EXPECT_EQ(parse_endpoint(":5"), (Endpoint{any_address, 5}));
  EXPECT_EQ(parse_endpoint("10.0.0.1"), (Endpoint{Ipv4{0x0a000001}, 4433}));
  for (const char* bad : {"", ":", "10.0.0.1:", "10.0.0.1:65536", "x:1", "10.0.0.1:1:1", "10.0.0.1:-1"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
  for (const char* bad : {"", ":1", "a b", "h:0", "h:", "h:1:2"}) EXPECT_FALSE(parse_relay(bad)) << bad;
}

// A request's target: path and query, with what is escaped in it.
TEST(Target, Parses) {
  const auto request = parse_target("POST", "/ping?node=a%40b.c&x&y=1+2");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, "/ping");
  EXPECT_EQ(request->query.at("node"), "a@b.c");
  EXPECT_EQ(request->query.at("x"), "");
  EXPECT_EQ(request->query.at("y"), "1 2");
  for (const char* bad : {"", "ping", "*", "/x?a=%", "/x?a=%4", "/x?a=%zz"})
    EXPECT_FALSE(parse_target("GET", bad)) << bad;
}

// Names of peers need not be UTF-8; the answer is.
TEST(Target, AnswersAnything) {
  EXPECT_EQ(control_json({{"nodes", {"a\xff@b"}}}).body, "{\"nodes\":[\"a\uFFFD@b\"]}\n");
  EXPECT_EQ(control_error(400, "\xfe").status, 400u);
}

// Kinds of datagrams by their first bytes (RFC 9000 section 17).
TEST(Packets, Kinds) {
  const auto kind = [](std::vector<uint8_t> first, size_t size) {
    first.resize(size);
    return packet_kind(first);
  };
  EXPECT_EQ(kind({0xc0, 0, 0, 0, 1}, 1200), PacketKind::initial);
  EXPECT_EQ(kind({0xe0, 0, 0, 0, 1}, 1200), PacketKind::handshake);
  EXPECT_EQ(kind({0x80, 0, 0, 0, 1}, 1200), PacketKind::initial);  // a greased fixed bit
  EXPECT_EQ(kind({0xc0, 0, 0, 0, 0}, 60), PacketKind::other_version);
  EXPECT_EQ(kind({0x40}, 40), PacketKind::short_header);
  EXPECT_EQ(kind({0x40}, 20), PacketKind::not_quic);
  EXPECT_EQ(kind({0xc0, 0, 0, 0, 1}, 6), PacketKind::not_quic);
  EXPECT_EQ(kind({}, 0), PacketKind::not_quic);
}

// The host's clock tells models the date: they count from run_start and 2026-01-01.
TEST(DaemonHost, KnowsTheDate) {
  real::AsioLoop loop;
  DaemonHost host(loop, {.name = "x", .listen = std::nullopt, .record = {}, .wants = {}});
  const auto told = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1} + (host.now() - run_start);
  EXPECT_LT(std::chrono::abs(told - std::chrono::system_clock::now()), 10s);
}

// A certificate that has expired, or soon will, is doubted; one that has time is not.
TEST(Certificates, Doubt) {
  const auto made = make_certificate("relay.test");
  ASSERT_TRUE(made);
  EXPECT_THAT(made->subject, HasSubstr("relay.test"));
  EXPECT_EQ(made->fingerprint.size(), 64u);
  EXPECT_EQ(made->doubt(std::chrono::system_clock::now()), "");
  EXPECT_THAT(made->doubt(made->not_after + 1h), HasSubstr("expired on 2120-01-01 00:00 UTC"));
  EXPECT_THAT(made->doubt(made->not_after - 1h), HasSubstr("expires on"));
  EXPECT_THAT(made->doubt(made->not_before - 1h), HasSubstr("not valid before 2020-01-01 00:00 UTC"));
}

}  // namespace
}  // namespace distlab::daemon

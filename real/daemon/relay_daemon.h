// `distlab relay`: models/mesh' Relay on real sockets.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "models/mesh/relay.h"
#include "real/daemon/daemon.h"
#include "real/daemon/pem_files.h"

namespace distlab::daemon {

class RelayDaemon final : public Daemon {
 public:
  explicit RelayDaemon(RelayConfig config);
  ~RelayDaemon() override;

  // What start() would refuse, without opening anything: for --check.
  static tl::expected<LoadedCertificate, Refusal> check(const RelayConfig& config);

 private:
  struct Session {
    std::string remote;
    Time since;
  };

  tl::expected<void, Refusal> start() override;
  void stop(std::function<void()> done) override;
  void reload() override;
  void on_event(Time now, const Event& event) override;
  Json status() const override;
  void add_metrics(MetricsText& metrics) const override;
  void add_traffic(MetricsText& metrics) const;
  void add_refusals(MetricsText& metrics) const;
  void add_quic_metrics(MetricsText& metrics) const;
  bool serve(const ControlRequest& request, const ControlServer::Reply& reply) override;
  void warn_of_certificate();

  const RelayConfig config_;
  LoadedCertificate certificate_;
  mesh::RelayLimits limits_;
  // By realm and identity, the oldest first: the model records the new session before the end of the one it
  // replaces.
  std::map<std::pair<std::string, std::string>, std::deque<Session>> sessions_;
  std::map<std::string, uint64_t, std::less<>> limits_hit_;
  std::unique_ptr<mesh::Relay> relay_;
};

}  // namespace distlab::daemon

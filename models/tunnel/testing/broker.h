// A relay in memory for tests: clients on TestHosts that publish, subscribe and call through it, after a
// delay in each direction, in order, without loss unless asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/host/test_host.h"
#include "models/mesh/client.h"

namespace distlab::tunnel::testing {

class Broker;

class TestClient final : public mesh::Client {
 public:
  ~TestClient() override;

  // The process dies: calls end with client_down, the relay forgets it. Take it out of the slot first.
  void kill();
  bool alive() const { return alive_; }
  size_t queue = 0;  // what mailbox() says

  bool session = true;  // what connected() says of one that lives
  bool connected() const override { return alive_ && session; }
  size_t mailbox() const override { return queue; }
  void publish(const std::string& topic, Bytes payload) override;
  mesh::SubscriptionId subscribe(const std::string& topic, OnPayload on_payload) override;
  void unsubscribe(mesh::SubscriptionId id) override;
  void advertise(const std::string& procedure, Procedure run) override;
  void unadvertise(const std::string& procedure) override;
  void call(const std::string& procedure, mesh::Json args, Duration timeout,
            std::function<void(mesh::CallResult)> done) override;

  size_t subscriptions() const { return subscriptions_.size(); }
  size_t procedures() const { return procedures_.size(); }

 private:
  friend class Broker;
  struct Subscription {
    std::string topic;
    OnPayload on_payload;
  };

  TestClient(Broker& broker, TestHost& host, uint64_t id) : broker_(broker), host_(host), id_(id) {}

  // Runs at the relay, and at a client, once the delay has passed; in order.
  void at_relay(std::function<void()> fn);
  void at_client(std::function<void(TestClient&)> fn);
  void finish(uint64_t call, mesh::CallResult result);

  Broker& broker_;
  TestHost& host_;
  const uint64_t id_;
  bool alive_ = true;
  uint64_t last_ = 0;
  std::map<mesh::SubscriptionId, Subscription> subscriptions_;
  std::map<std::string, Procedure> procedures_;
  std::map<uint64_t, std::function<void(mesh::CallResult)>> calls_;
};

class Broker {
 public:
  explicit Broker(TestWorld& world) : world_(world) {}

  // Both must outlive the client. Clients of one broker must not outlive it.
  std::unique_ptr<TestClient> connect(TestHost& host);

  Duration delay = std::chrono::milliseconds{1};  // between a client and the relay, one way
  Duration subscribe_lag{0};                      // a SUBSCRIBE takes effect so much after it arrived
  bool silent = false;                            // PUBLISH frames that arrive are lost, and nobody is told
  bool mute = false;                              // calls get no answer

  struct Carried {
    Time time;
    std::string topic;
    std::vector<uint8_t> payload;
  };
  std::vector<Carried> carried;  // every PUBLISH that arrived, lost ones included

 private:
  friend class TestClient;

  void published(const std::string& topic, Bytes payload);
  void subscribed(uint64_t client, const std::string& topic);
  void called(uint64_t caller, uint64_t call, const std::string& procedure, const mesh::Json& args);

  TestWorld& world_;
  uint64_t last_ = 0;
  std::map<uint64_t, TestClient*> clients_;
  std::set<std::pair<std::string, uint64_t>> subscribers_;  // topic, client
  std::map<std::string, uint64_t> procedures_;
};

}  // namespace distlab::tunnel::testing

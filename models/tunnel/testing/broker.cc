#include "models/tunnel/testing/broker.h"

namespace distlab::tunnel::testing {

std::unique_ptr<TestClient> Broker::connect(TestHost& host) {
  const uint64_t id = ++last_;
  std::unique_ptr<TestClient> client(new TestClient(*this, host, id));
  clients_[id] = client.get();
  return client;
}

void Broker::published(const std::string& topic, Bytes payload) {
  carried.push_back({world_.now(), topic, {payload.begin(), payload.end()}});
  if (silent) return;
  for (auto at = subscribers_.lower_bound({topic, 0}); at != subscribers_.end() && at->first == topic; ++at) {
    const auto client = clients_.find(at->second);
    if (client == clients_.end()) continue;
    client->second->at_client([topic, bytes = carried.back().payload](TestClient& receiver) {
      const uint64_t last = receiver.last_;
      for (auto next = receiver.subscriptions_.begin(); next != receiver.subscriptions_.end();) {
        const auto [id, subscription] = *next;
        if (uint64_t(id) > last) break;
        if (subscription.topic == topic) subscription.on_payload(bytes);
        next = receiver.subscriptions_.upper_bound(id);
      }
    });
  }
}

void Broker::subscribed(uint64_t client, const std::string& topic) {
  world_.after(subscribe_lag, [this, client, topic] {
    if (clients_.count(client) > 0) subscribers_.emplace(topic, client);
  });
}

void Broker::called(uint64_t caller, uint64_t call, const std::string& procedure, const mesh::Json& args) {
  if (mute) return;
  const auto answer = [this, caller, call](const mesh::CallResult& result) {
    const auto at = clients_.find(caller);
    if (at != clients_.end()) at->second->at_client([=](TestClient& client) { client.finish(call, result); });
  };
  const auto offered = procedures_.find(procedure);
  const auto callee = offered == procedures_.end() ? clients_.end() : clients_.find(offered->second);
  if (callee == clients_.end()) {
    return answer(tl::unexpected(mesh::CallError{"unknown_procedure", "nobody offers " + procedure}));
  }
  callee->second->at_client([procedure, args, answer](TestClient& client) {
    const auto run = client.procedures_.find(procedure);
    if (run == client.procedures_.end()) return;
    const auto procedure_of_client = run->second;
    procedure_of_client(args, [&client, answer](mesh::CallResult result) {
      client.at_relay([answer, result = std::move(result)] { answer(result); });
    });
  });
}

TestClient::~TestClient() {
  kill();
}

void TestClient::kill() {
  if (!alive_) return;
  alive_ = false;
  broker_.clients_.erase(id_);
  std::erase_if(broker_.subscribers_, [this](const auto& entry) { return entry.second == id_; });
  std::erase_if(broker_.procedures_, [this](const auto& entry) { return entry.second == id_; });
  subscriptions_.clear();
  procedures_.clear();
  if (!host_.alive()) return;
  for (auto& [id, done] : std::exchange(calls_, {})) {
    host_.start_timer(Duration::zero(), [done = std::move(done)] {
      done(tl::unexpected(mesh::CallError{"client_down", "killed"}));
    });
  }
}

void TestClient::at_relay(std::function<void()> fn) {
  broker_.world_.after(broker_.delay, std::move(fn));
}

void TestClient::at_client(std::function<void(TestClient&)> fn) {
  host_.start_timer(broker_.delay, [&broker = broker_, id = id_, fn = std::move(fn)] {
    const auto client = broker.clients_.find(id);
    if (client != broker.clients_.end()) fn(*client->second);
  });
}

void TestClient::publish(const std::string& topic, Bytes payload) {
  if (!alive_) return;
  at_relay([&broker = broker_, topic, bytes = std::vector<uint8_t>(payload.begin(), payload.end())] {
    broker.published(topic, bytes);
  });
}

mesh::SubscriptionId TestClient::subscribe(const std::string& topic, OnPayload on_payload) {
  const mesh::SubscriptionId id{++last_};
  if (!alive_) return id;
  subscriptions_[id] = {topic, std::move(on_payload)};
  at_relay([&broker = broker_, client = id_, topic] { broker.subscribed(client, topic); });
  return id;
}

void TestClient::unsubscribe(mesh::SubscriptionId id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  at_relay([&broker = broker_, client = id_, topic = found->second.topic] {
    broker.subscribers_.erase({topic, client});
  });
  subscriptions_.erase(found);
}

void TestClient::advertise(const std::string& procedure, Procedure run) {
  if (!alive_) return;
  procedures_[procedure] = std::move(run);
  at_relay([&broker = broker_, client = id_, procedure] {
    if (broker.clients_.count(client) > 0) broker.procedures_[procedure] = client;
  });
}

void TestClient::unadvertise(const std::string& procedure) {
  if (procedures_.erase(procedure) == 0) return;
  at_relay([&broker = broker_, client = id_, procedure] {
    const auto found = broker.procedures_.find(procedure);
    if (found != broker.procedures_.end() && found->second == client) broker.procedures_.erase(found);
  });
}

void TestClient::call(const std::string& procedure, mesh::Json args, Duration timeout,
                      std::function<void(mesh::CallResult)> done) {
  const uint64_t id = ++last_;
  calls_[id] = std::move(done);
  host_.start_timer(timeout, [&broker = broker_, client = id_, id] {
    const auto found = broker.clients_.find(client);
    if (found != broker.clients_.end()) {
      found->second->finish(id, tl::unexpected(mesh::CallError{"timeout", "no answer"}));
    }
  });
  at_relay([&broker = broker_, client = id_, id, procedure, args = std::move(args)] {
    broker.called(client, id, procedure, args);
  });
}

void TestClient::finish(uint64_t call, mesh::CallResult result) {
  auto found = calls_.extract(call);
  if (!found.empty()) found.mapped()(std::move(result));
}

}  // namespace distlab::tunnel::testing

#include "models/tunnel/testing/lab.h"

#include <stdexcept>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace distlab::tunnel::testing {
namespace {

constexpr Duration patience = std::chrono::seconds{30};

std::string text_of(const std::variant<int64_t, double, std::string>& value) {
  return std::visit([](const auto& it) { return fmt::format("{}", it); }, value);
}

}  // namespace

DistEnd::DistEnd(TestHost& host, std::unique_ptr<ByteStream> stream) : host_(host), stream_(std::move(stream)) {
  stream_->set_handler(*this);
  stream_->set_reading(true);
}

void DistEnd::send(std::string_view text) {
  std::vector<uint8_t> frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame.push_back(uint8_t(text.size() >> shift));
  frame.insert(frame.end(), text.begin(), text.end());
  write(frame);
}

void DistEnd::write(Bytes bytes) {
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
  on_writable();
}

void DistEnd::on_writable() {
  const size_t taken = stream_->write(unsent_);
  unsent_.erase(unsent_.begin(), unsent_.begin() + ptrdiff_t(taken));
}

void DistEnd::on_data(Bytes data) {
  rest.insert(rest.end(), data.begin(), data.end());
  size_t at = 0;
  while (rest.size() - at >= 4) {
    const size_t size = size_t(rest[at]) << 24 | size_t(rest[at + 1]) << 16 | size_t(rest[at + 2]) << 8 | rest[at + 3];
    if (rest.size() - at - 4 < size) break;
    frames.emplace_back(rest.begin() + ptrdiff_t(at + 4), rest.begin() + ptrdiff_t(at + 4 + size));
    times.push_back(host_.now());
    at += 4 + size;
  }
  rest.erase(rest.begin(), rest.begin() + ptrdiff_t(at));
}

void DistEnd::on_closed(NetError why) {
  closed = why;
  closed_at = host_.now();
}

Station::Station(Broker& relay, TestHost& machine, TunnelSettings settings, std::string own_cookie)
    : broker(relay), host(machine), name(machine.name() + "@host"), cookie(std::move(own_cookie)) {
  const auto cookie_of = [this](std::string_view peer) {
    const auto found = cookies.find(std::string(peer));
    return found == cookies.end() ? cookie : found->second;
  };
  carrier = std::make_unique<RelayCarrier>(host, settings, slot, cookie_of, &faults);
  register_client();
  carrier->listen(
      name, [this](std::unique_ptr<ByteStream> stream) { take(std::move(stream)); }, [](auto) {});
}

Station::~Station() {
  ends.clear();
  carrier.reset();
  slot.set(nullptr);
}

void Station::kill_client() {
  slot.set(nullptr);
  client->kill();
}

void Station::register_client() {
  auto next = broker.connect(host);
  slot.set(next.get());
  client = std::move(next);
}

Lab::Lab(TunnelSettings settings, uint64_t seed)
    : world(seed),
      broker(world),
      a(broker, world.add_host("a", Ipv4{0x0a000001}), settings),
      b(broker, world.add_host("b", Ipv4{0x0a000002}), settings) {
  world.run_for(broker.delay);  // the relay knows what is offered
}

std::shared_ptr<Lab::Dialled> Lab::dial(Station& from, const std::string& peer) {
  auto dialled = std::make_shared<Dialled>();
  dialled->dial = from.carrier->dial(
      peer, [] { throw std::logic_error("progress"); },
      [&from, dialled = dialled.get()](auto outcome) {
        ++dialled->told;
        if (!outcome) {
          dialled->error = outcome.error();
          return;
        }
        from.take(std::move(*outcome));
        dialled->end = from.ends.back().get();
      });
  return dialled;
}

void Lab::connect() {
  const auto dialled = dial(a, b.name);
  const auto both = [&] { return dialled->end != nullptr && !b.ends.empty(); };
  if (!world.run_until(both, patience)) throw std::runtime_error("no tunnel");
  world.run_for(std::chrono::milliseconds{10});
}

std::vector<std::string> Lab::events(const Station& station, std::string_view kind) const {
  std::vector<std::string> out;
  for (const auto& recorded : world.events_of(station.host.name(), kind)) {
    std::string line = recorded.event.subject + ":";
    for (const auto& field : recorded.event.fields) {
      if (field.key != "id") line += fmt::format(" {}={}", field.key, text_of(field.value));
    }
    out.push_back(line);
  }
  return out;
}

std::vector<std::string> Lab::values(const Station& station, std::string_view kind, std::string_view key) const {
  std::vector<std::string> out;
  for (const auto& recorded : world.events_of(station.host.name(), kind)) {
    for (const auto& field : recorded.event.fields) {
      if (field.key == key) out.push_back(text_of(field.value));
    }
  }
  return out;
}

}  // namespace distlab::tunnel::testing

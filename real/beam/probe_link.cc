#include "real/beam/probe_link.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "models/etf/codec.h"

namespace distlab::beam {
namespace {

using etf::Term;

constexpr etf::DecodeLimits limits{.max_depth = 8, .max_terms = 4U << 20, .max_uncompressed = 0};
constexpr size_t max_fields = 32;

using Fields = decltype(ProbeEvent::fields);

std::optional<Fields> fields_of(const Term& list) {
  const auto items = list.as_list();
  if (!items || items->size() > max_fields) return std::nullopt;
  Fields out;
  for (const Term& item : *items) {
    const auto pair = item.as_tuple(2);
    const auto name = pair.empty() ? std::nullopt : pair[0].as_text();
    if (!name) return std::nullopt;
    if (const auto number = pair[1].as_int()) {
      out.emplace_back(*name, *number);
    } else if (const double* real = pair[1].as<double>()) {
      out.emplace_back(*name, *real);
    } else if (auto text = pair[1].as_text()) {
      out.emplace_back(*name, std::move(*text));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

tl::expected<ProbeMessage, std::string> events_of(const Term& list) {
  const auto items = list.as_list();
  if (!items) return tl::unexpected(std::string("events are a list"));
  std::vector<ProbeEvent> out;
  for (const Term& item : *items) {
    const auto parts = item.as_tuple(4);
    const auto time = parts.empty() ? std::nullopt : parts[0].as_int();
    const auto kind = parts.empty() ? std::nullopt : parts[1].as_text();
    const auto subject = parts.empty() ? std::nullopt : parts[2].as_text();
    auto fields = parts.empty() ? std::nullopt : fields_of(parts[3]);
    if (!time || !kind || !subject || !fields) return tl::unexpected(fmt::format("no event: {}", item.to_string(100)));
    out.push_back({*time, *kind, *subject, std::move(*fields)});
  }
  return out;
}

}  // namespace

Event ProbeEvent::view() const {
  Event out{kind, subject, {}};
  for (const auto& [key, value] : fields) out.fields.push_back({key, value});
  return out;
}

tl::expected<ProbeMessage, std::string> decode_probe(Bytes bytes) {
  const auto decoded = etf::decode(bytes, limits);
  if (!decoded) return tl::unexpected(fmt::format("no term: {}", decoded.error().what));
  const Term& term = decoded->term;
  if (term.is_atom("ready")) return ProbeReady{};
  if (term.is_atom("finished")) return ProbeFinished{};
  if (const auto events = term.as_tagged("events", 2); !events.empty()) return events_of(events[1]);
  if (const auto hello = term.as_tagged("hello", 2); !hello.empty()) {
    const auto text = [&hello](std::string_view key) {
      const Term* const value = hello[1].find(key);
      return value == nullptr ? std::nullopt : value->as_text();
    };
    const auto node = text("node"), otp = text("otp"), pid = text("pid");
    const Term* const version = hello[1].find("version");
    if (node && otp && pid && version != nullptr && version->as_int() == 1) return ProbeHello{*node, *otp, *pid};
  }
  if (const auto cookie = term.as_tagged("cookie", 3); !cookie.empty()) {
    auto peer = cookie[1].as_text(), value = cookie[2].as_text();
    if (peer && value) return ProbeCookie{std::move(*peer), std::move(*value)};
  }
  return tl::unexpected(fmt::format("not of the probe protocol: {}", term.to_string(100)));
}

ProbeLink::ProbeLink(Host& host, Handlers handlers) : host_(host), handlers_(std::move(handlers)) {
  auto listener = host_.listen_tcp({loopback_address, 0},
                                   [this](std::unique_ptr<ByteStream> stream) { accept(std::move(stream)); });
  if (listener) listener_ = std::move(*listener);
}

ProbeLink::~ProbeLink() = default;

void ProbeLink::accept(std::unique_ptr<ByteStream> stream) {
  if (stream_) return;  // there is one probe
  stream_ = std::move(stream);
  stream_->set_handler(*this);
}

void ProbeLink::on_data(Bytes data) {
  if (over_) return;
  frames_.feed(data);
  while (!over_) {
    const auto frame = frames_.next();
    if (!frame) return;
    if (frame->invalid) return broken("the probe sends more than it may");
    const auto message = decode_probe(frame->bytes);
    if (!message) return broken("the probe: " + message.error());
    take(*message);
  }
}

void ProbeLink::take(const ProbeMessage& message) {
  if (const auto* events = std::get_if<std::vector<ProbeEvent>>(&message)) {
    for (const ProbeEvent& event : *events) handlers_.event(event);
  } else if (const auto* hello = std::get_if<ProbeHello>(&message)) {
    handlers_.hello(*hello);
  } else if (const auto* cookie = std::get_if<ProbeCookie>(&message)) {
    handlers_.cookie(*cookie);
  } else if (std::holds_alternative<ProbeReady>(message)) {
    handlers_.ready();
  } else {
    over_ = true;
    handlers_.finished();
  }
}

void ProbeLink::on_writable() {
  const std::vector<uint8_t> bytes = std::exchange(unsent_, {});
  const size_t taken = stream_->write(bytes);
  unsent_.assign(bytes.begin() + static_cast<ptrdiff_t>(taken), bytes.end());
}

void ProbeLink::on_closed(NetError why) {
  broken(fmt::format("the probe has closed its connection ({})", to_string(why)));
}

void ProbeLink::broken(const std::string& why) {
  if (std::exchange(over_, true)) return;
  handlers_.broken(why);
}

void ProbeLink::send(const Term& term) {
  if (!stream_) return;
  const std::vector<uint8_t> bytes = dist::framed(etf::encode(term), dist::HeaderSize::four);
  const size_t taken = unsent_.empty() ? stream_->write(bytes) : 0;
  unsent_.insert(unsent_.end(), bytes.begin() + static_cast<ptrdiff_t>(taken), bytes.end());
}

void ProbeLink::send_plan(const Term& plan) {
  send(etf::tuple(etf::atom("plan"), plan));
}

void ProbeLink::send_finish() {
  send(etf::atom("finish"));
}

}  // namespace distlab::beam

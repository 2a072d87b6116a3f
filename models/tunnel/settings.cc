#include "models/tunnel/settings.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

namespace distlab::tunnel {
namespace {

using S = TunnelSettings;

constexpr std::string_view seeds = "seeds 002, configuration reference";
constexpr std::string_view ours = "a limit of ours";

constexpr std::array all_parameters{
    Parameter{"dist_timeout", "time", &S::dist_timeout, seeds},
    Parameter{"controller_timeout", "time", &S::controller_timeout, seeds},
    Parameter{"controller_delay", "time", &S::controller_delay, "facts 1.2 step 5; values chosen, not measured"},
    Parameter{"creation", "count", &S::creation, "facts 4: listen/1 returns 1"},
    Parameter{"own_cookie_only", "switch", &S::own_cookie_only, "facts 1.3; macula_dist_relay:tunnel_key/0"},
    Parameter{"reply_before_subscribe", "switch", &S::reply_before_subscribe, "facts 1.2 step 3"},
    Parameter{"resubscribe_on_accept", "switch", &S::resubscribe_on_accept, "facts 1.2 step 5"},
    Parameter{"resubscribe_gap", "time", &S::resubscribe_gap, "facts 3.2 F10; values chosen, not measured"},
    Parameter{"flush_passes_ciphertext", "switch", &S::flush_passes_ciphertext, "facts 1.3"},
    Parameter{"advertise_again", "switch", &S::advertise_again, "facts 1.4: join_mesh/1 advertises each client"},
    Parameter{"bridge_recv_timeout", "time", &S::bridge_recv_timeout, seeds},
    Parameter{"recv_timeout_fatal", "switch", &S::recv_timeout_fatal, "facts 3.1: so before 1.4.9"},
    Parameter{"chunk_bytes", "bytes", &S::chunk_bytes, "facts 1.2 step 7"},
    Parameter{"backpressure_hwm", "count", &S::backpressure_hwm, seeds},
    Parameter{"backpressure_pause", "time", &S::backpressure_pause, "facts 1.4"},
    Parameter{"publish_retries", "count", &S::publish_retries, "facts 1.5"},
    Parameter{"publish_retry_interval", "time", &S::publish_retry_interval, "facts 1.4"},
    Parameter{"count_lost_as_sent", "switch", &S::count_lost_as_sent, "facts 1.4"},
    Parameter{"reconnect_interval", "time", &S::reconnect_interval, seeds},
    Parameter{"reconnect_max_attempts", "count", &S::reconnect_max_attempts, seeds},
    Parameter{"reconnect_needs_session", "switch", &S::reconnect_needs_session,
              "seeds 002; facts 1.4: is_process_alive"},
    Parameter{"reader_runs_while_reconnecting", "switch", &S::reader_runs_while_reconnecting, "facts 1.4"},
    Parameter{"recv_outlives_reader", "switch", &S::recv_outlives_reader, "otp_loopback_test.cc, OTP 25.2.3"},
    Parameter{"close_on_decrypt_failure", "switch", &S::close_on_decrypt_failure, "facts 1.3: warn and drop"},
    Parameter{"close_message", "switch", &S::close_message, "facts 1.2 step 8: there is none"},
    Parameter{"loopback_send_buffer", "bytes", &S::loopback_send_buffer, "otp_loopback_test.cc"},
    Parameter{"loopback_receive_buffer", "bytes", &S::loopback_receive_buffer, "Linux net.ipv4.tcp_rmem"},
    Parameter{"max_tunnels", "count", &S::max_tunnels, ours},
    Parameter{"max_accept_buffer", "bytes", &S::max_accept_buffer, ours},
    Parameter{"max_bridge_mailbox", "bytes", &S::max_bridge_mailbox, ours},
};

std::string time_to_string(Duration time) {
  constexpr std::array units{std::pair{std::chrono::nanoseconds{std::chrono::seconds{1}}, "s"},
                             std::pair{std::chrono::nanoseconds{std::chrono::milliseconds{1}}, "ms"},
                             std::pair{std::chrono::nanoseconds{std::chrono::microseconds{1}}, "us"}};
  for (const auto& [unit, name] : units) {
    if (time % unit == Duration::zero()) return fmt::format("{}{}", time / unit, name);
  }
  return fmt::format("{}ns", time.count());
}

}  // namespace

TunnelSettings documented() {
  return {};
}

TunnelSettings macula_3_13() {
  using namespace std::chrono_literals;
  TunnelSettings out;
  out.dist_timeout = 10s;  // R:46, whatever the documentation says
  out.controller_delay = 100us;
  out.own_cookie_only = true;
  out.reply_before_subscribe = true;
  out.resubscribe_on_accept = true;
  out.resubscribe_gap = 100us;
  out.flush_passes_ciphertext = true;
  out.count_lost_as_sent = true;
  out.reconnect_needs_session = false;
  out.reader_runs_while_reconnecting = true;
  out.recv_outlives_reader = true;
  return out;
}

std::optional<TunnelSettings> preset(std::string_view name) {
  if (name == "documented") return documented();
  if (name == "macula-3.13") return macula_3_13();
  return std::nullopt;
}

Parameter::Value Parameter::get(const TunnelSettings& settings) const {
  return std::visit([&](auto member) { return Value(settings.*member); }, field);
}

bool Parameter::set(TunnelSettings& settings, const Value& value) const {
  return std::visit(
      [&](auto member) {
        using Type = std::remove_reference_t<decltype(settings.*member)>;
        const auto* given = std::get_if<Type>(&value);
        if (given == nullptr) return false;
        settings.*member = *given;
        return true;
      },
      field);
}

std::span<const Parameter> parameters() {
  return all_parameters;
}

const Parameter* find_parameter(std::string_view name) {
  const auto found = std::find_if(all_parameters.begin(), all_parameters.end(),
                                  [name](const Parameter& parameter) { return parameter.name == name; });
  return found == all_parameters.end() ? nullptr : &*found;
}

std::string to_string(const Parameter::Value& value) {
  if (const auto* time = std::get_if<Duration>(&value)) return time_to_string(*time);
  if (const auto* count = std::get_if<uint64_t>(&value)) return std::to_string(*count);
  return std::get<bool>(value) ? "true" : "false";
}

}  // namespace distlab::tunnel

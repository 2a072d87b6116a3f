// Relays, and the keys of nodes that reach each other through them. Names, meanings and defaults of
// the constants: the configuration table of the public documents, and facts relay-distribution.md
// section 1.5; where a default reads "A / B", B is that of the preset macula-3.13.
#include <utility>

#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::scenario::table {
namespace {

Shape count(int64_t low = 0) {
  return integer_shape(low, 1'000'000'000);
}

std::string check_host(std::string_view text) {
  const std::string wrong = erlang_name_shape().check("x@" + std::string(text));
  return wrong.empty() ? "" : "expected a host name with a dot: '" + std::string(text) + "'";
}

Shape host_name() {
  return with_check(text_shape("a host name"), check_host, "[A-Za-z0-9_:{}-]+(\\.[A-Za-z0-9_:{}-]+)+");
}

Shape reaction() {
  return choice_shape("a reaction", {"die", "reconnect", "ignore"});
}

std::vector<Key> quic_keys(std::string idle, std::string keep_alive) {
  return {
      optional("idle_timeout", duration_shape(), "QUIC: a silent connection is given up after it.", std::move(idle)),
      optional("keep_alive", duration_shape(), "QUIC: a PING after so much silence; 0s: none.", std::move(keep_alive)),
      optional("stream_window", size_shape(), "QUIC: what a peer may send of a stream before it is read.", "1250kB"),
      optional("send_buffer", size_shape(), "QUIC: bytes of a stream sent and not yet acknowledged.", "8MiB"),
  };
}

}  // namespace

std::vector<Key> tunnel_keys() {
  return {
      optional("dist_timeout", duration_shape(), "`DIST_TIMEOUT`: time for the answer to a tunnel request.",
               "25s / 10s"),
      optional("controller_timeout", duration_shape(),
               "`CONTROLLER_TIMEOUT`: time for the kernel to take an accepted tunnel.", "30s"),
      optional("controller_delay", duration_shape(), "How long it takes, on average.", "0s / 100us"),
      optional("creation", integer_shape(1, 3), "What `listen/1` gives as the node's creation.", "1"),
      optional("own_cookie_only", boolean_shape(),
               "The key is made of the node's own cookie, whatever is set for a peer.", "false / true"),
      optional("reply_before_subscribe", boolean_shape(),
               "The accepting side answers before it listens to the tunnel's topic.", "false / true"),
      optional("resubscribe_on_accept", boolean_shape(),
               "It unsubscribes when its set-up is done, and its bridge subscribes again.", "false / true"),
      optional("resubscribe_gap", duration_shape(), "Time between the two, on average.", "0s / 100us"),
      optional("flush_passes_ciphertext", boolean_shape(),
               "What came before the bridge and does not decrypt goes into the handshake as it is.", "false / true"),
      optional("advertise_again", boolean_shape(), "Each later mesh client, too, is told that the node takes tunnels.",
               "true"),
      optional("bridge_recv_timeout", duration_shape(), "`BRIDGE_RECV_TIMEOUT`: of the reader.", "60s"),
      optional("recv_timeout_fatal", boolean_shape(), "After it an idle bridge stops, as before version 1.4.9.",
               "false"),
      optional("chunk_bytes", size_shape(), "The most one tunnel message carries.", "1460B"),
      optional("backpressure_hwm", count(),
               "`BACKPRESSURE_HWM`: messages in the client's mailbox before the reader pauses.", "64"),
      optional("backpressure_pause", duration_shape(), "How long it pauses, for each message.", "1ms"),
      optional("publish_retries", count(), "`PUBLISH_RETRIES`: attempts to hand a message to a dead client.", "3"),
      optional("publish_retry_interval", duration_shape(), "Between them.", "1s"),
      optional("count_lost_as_sent", boolean_shape(), "What was given up counts as sent.", "false / true"),
      optional("reconnect_interval", duration_shape(), "`RECONNECT_INTERVAL`: between attempts to find a client.",
               "2s"),
      optional("reconnect_max_attempts", count(), "`RECONNECT_MAX_ATTEMPTS`: after so many the bridge stops.", "15"),
      optional("reconnect_needs_session", boolean_shape(),
               "A client counts as found once it has a session; if not, as soon as it lives.", "true / false"),
      optional("reader_runs_while_reconnecting", boolean_shape(),
               "The reader goes on without a client, and loses what it reads when the retries are used up.",
               "false / true"),
      optional("recv_outlives_reader", boolean_shape(),
               "The receive operation of a killed reader stays, and the next reader ends of it (`ealready`).",
               "false / true"),
      optional("close_on_decrypt_failure", boolean_shape(), "What cannot be decrypted ends the tunnel.", "false"),
      optional("close_message", boolean_shape(), "A bridge that stops tells the other side. The real one never does.",
               "false"),
      optional("loopback_send_buffer", size_shape(), "Of the socket between distribution and bridge.", "3800kB"),
      optional("loopback_receive_buffer", size_shape(), "Of the same.", "128KiB"),
      optional("max_tunnels", count(1), "Of a node, those being set up included; more are refused.", "10000"),
      optional("max_accept_buffer", size_shape(), "Bytes that come before the bridge runs.", "1MiB"),
      optional("max_bridge_mailbox", size_shape(), "Bytes waiting while distribution does not read.", "64MiB"),
  };
}

std::vector<Key> mesh_keys() {
  std::vector<Key> keys{
      optional("connect_timeout", duration_shape(), "Time for a relay to answer.", "10s"),
      optional("call_timeout", duration_shape(), "Time for a call without one of its own.", "5s"),
      optional("ping_interval", duration_shape(), "Between PINGs.", "30s"),
      optional("ping_timeout", duration_shape(), "A PING unanswered for longer than this ends the session.", "60s"),
      optional("backoff_min", duration_shape(), "Before the first new attempt; doubled by each.", "1s"),
      optional("backoff_max", duration_shape(), "At most.", "30s"),
      optional("backoff_jitter", ratio_shape(), "Either way.", "30%"),
      optional("on_farewell", reaction(), "What the client does when the relay says goodbye.", "die / reconnect"),
      optional("on_connection_end", reaction(),
               "What it does when its QUIC connection is lost; ignored, only PING finds out.", "die / ignore"),
      optional("on_ping_timeout", reaction(), "And when PING has found out.", "die / reconnect"),
      optional("restart_after", timeout_shape(), "A client that died is replaced after so long; `infinity`: never.",
               "1s / infinity"),
      optional("subscribe_delay", duration_shape(), "Each SUBSCRIBE waits so long.", "0s"),
      optional("blocking_connect", boolean_shape(), "While it dials, the client does nothing else.", "true"),
      optional("mailbox_limit", size_shape(), "Bytes waiting in the client before it dies of them.", "256MiB"),
  };
  for (Key& key : quic_keys("60s", "20s")) keys.push_back(std::move(key));
  return keys;
}

std::vector<Key> relay_keys() {
  std::vector<Key> keys{
      optional("service_time", duration_shape(), "Time the relay needs for one frame; sessions take turns.", "0s"),
      optional("control_first", boolean_shape(), "Calls and their like overtake what is published.", "true"),
      optional("close_linger", duration_shape(), "For the last words to a session that is being closed.", "2s"),
  };
  for (Key& key : quic_keys("120s", "30s")) keys.push_back(std::move(key));
  return keys;
}

std::vector<Key> relay_limit_keys() {
  return {
      optional("sessions", count(1), "Connections at once.", "10000"),
      optional("sessions_per_address", count(1), "Of them from one address.", "5000"),
      optional("pending_sessions", count(1), "Connections that have not said who they are.", "1000"),
      optional("connect_timeout", duration_shape(), "Time to say it.", "10s"),
      optional("subscriptions", count(1), "Of a session.", "10000"),
      optional("procedures", count(1), "Names a session advertises.", "1000"),
      optional("calls", count(1), "Calls of a session under way.", "1000"),
      optional("calls_to_one", count(1), "Of them to one callee; their answers queue before those for others.", "32"),
      optional("call_lifetime", duration_shape(), "After it the relay answers `timeout`.", "30s"),
      optional("frame_bytes", size_shape(), "A larger frame ends the session.", "1MiB"),
      optional("queued_bytes", size_shape(),
               "Waiting for a slow reader; beyond it, what is published to it is dropped.", "16MiB"),
      optional("inbound_bytes", size_shape(), "Waiting to be served; beyond it the relay stops reading the session.",
               "1MiB"),
      optional("frames_per_second", count(), "Of a session; more wait. 0: any number.", "0"),
      optional("bytes_per_second", size_shape(), "Of a session; more wait. 0B: any number.", "0B"),
  };
}

Shape relay() {
  std::vector<Key> keys{
      optional("site", node_shape_name(), "Where its machine stands. Required, here or in `relay_defaults`."),
      optional("host", host_name(), "Its host name, for which its certificate is issued.", "KEY.relay.example"),
      optional("port", integer_shape(1, 65535), "UDP port.", "4433"),
      optional("certificate", choice_shape("a certificate", {"valid", "expired", "wrong_name", "foreign"}),
               "What is wrong with it; `foreign`: issued by an authority the nodes do not know.", "valid"),
      optional("realms", list_of(word(), 1), "The realms it admits.", "any"),
      optional("validate_address", boolean_shape(), "QUIC Retry: one round trip more, no state for forged addresses.",
               "false"),
      optional("keeps_reset_key", boolean_shape(),
               "After a restart its stateless resets are believed: clients learn at once that it lost their state.",
               "false"),
      optional("start", time_shape(), "When its process is started.", "0s"),
      optional("boot", time_shape(), "From each start until it listens.", "500ms"),
      optional("autostart", boolean_shape(), "`false`: only a `start` fault brings it up.", "true"),
  };
  for (Key& key : relay_keys()) keys.push_back(std::move(key));
  keys.push_back(optional("limits", object(relay_limit_keys()), "What its peers can make grow, and how far."));
  return object(std::move(keys));
}

std::vector<Key> membership_keys() {
  return {
      optional("relays", list_of(node_shape_name(), 1),
               "Its relays, in the order they are tried. For carrier `relay`."),
      optional("realm", word(), "Nodes of different realms do not see each other.", "io.macula"),
      optional("identity", word(), "Who it says it is to a relay.", "its name"),
      optional("tls_verify", choice_shape("a way to verify", {"none", "peer"}),
               "Whether it checks the relay's certificate.", "none"),
      optional("preset", choice_shape("a preset", {"documented", "macula-3.13"}),
               "Defaults of `tunnel` and `mesh`: the documents' words, or what the code does.", "documented"),
      optional("tunnel", object(tunnel_keys()), "Constants and switches of its tunnels."),
      optional("mesh", object(mesh_keys()), "Constants and switches of its mesh client."),
  };
}

}  // namespace distlab::scenario::table

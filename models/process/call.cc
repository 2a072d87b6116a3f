#include "models/process/call.h"

#include <utility>

namespace distlab::process {

// gen:do_call/4. It sends with `noconnect`, as the monitor has started the connection.
void CallClient::on_start() {
  started_ = host().now();
  ref_ = monitor(server_, AliasMode::demonitor);
  Destination to = ref_;
  if (const Pid* pid = std::get_if<Pid>(&server_)) {
    to = *pid;
  } else {
    to = std::get<RemoteName>(server_);
  }
  send(to, gen_call(self(), alias_tag(ref_), std::move(request_)), {.noconnect = true});
  request_ = Term();
  if (timeout_) start_timer(*timeout_, [this] { finish("timeout", etf::atom("timeout")); });
}

void CallClient::on_message(const Term& message) {
  const auto reply = message.as_tuple(2);
  if (!reply.empty() && alias_of(reply[0]) == ref_) finish("ok", reply[1]);
}

void CallClient::on_down(const Down& down) {
  if (down.reason.is_atom("noconnection")) {
    return finish("nodedown", etf::tuple(etf::atom("nodedown"), etf::atom(node_of(server_))));
  }
  finish(down.reason.is_atom("noproc") ? "noproc" : "exit", down.reason);
}

// The call returns when demonitor/2 has, which a busy peer holds up.
void CallClient::finish(std::string_view result, Term value) {
  demonitor(ref_);
  then([this, result, value = std::move(value)] {
    const CallOutcome outcome{result, value, host().now() - started_};
    exit(etf::atom("normal"));
    if (done_) done_(outcome);
  });
}

}  // namespace distlab::process

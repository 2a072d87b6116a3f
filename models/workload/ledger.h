// The two ends of the ledger: numbered messages, recorded where they leave and where they arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "models/process/gen.h"

namespace distlab::workload {

// Sends {ledger, Node, Seq, SentAt, Payload} to {ledger, Peer} for each message it gets, so that a
// busy connection holds it up as it would hold up any Erlang process. SentAt is in nanoseconds since
// the run began.
class LedgerSender final : public process::Process {
 public:
  // `sequence` counts the messages of this node to the peer; several senders may share it.
  LedgerSender(std::string peer, size_t payload, std::shared_ptr<int64_t> sequence);

 protected:
  void on_message(const etf::Term& message) override;

 private:
  const std::string peer_;
  const etf::Term payload_;
  const std::shared_ptr<int64_t> sequence_;
};

// Registered `ledger`: records message_received with the sender's name, Seq and the time since SentAt.
class LedgerReceiver final : public process::Process {
 protected:
  void on_message(const etf::Term& message) override;
};

// Registered `sink`: answers the call {bulk, Binary} with {ok, Size}.
class Sink final : public process::Server {
 protected:
  void handle_call(const process::GenCall& call) override;
};

etf::Term payload_of(size_t bytes);

}  // namespace distlab::workload

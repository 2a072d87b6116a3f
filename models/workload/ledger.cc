#include "models/workload/ledger.h"

#include <utility>
#include <vector>

#include "models/host/event_kinds.h"

namespace distlab::workload {

using etf::Term;

// Like compressed data, where any byte may stand: what a receiver that lost its place in the stream takes
// for a length depends on that (facts relay-distribution.md section 3.2, F1). The generator is Knuth's MMIX.
Term payload_of(size_t bytes) {
  std::vector<uint8_t> data(bytes);
  uint64_t state = 1;
  for (uint8_t& byte : data) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<uint8_t>(state >> 56);
  }
  return etf::binary(std::move(data));
}

LedgerSender::LedgerSender(std::string peer, size_t payload, std::shared_ptr<int64_t> sequence)
    : peer_(std::move(peer)), payload_(payload_of(payload)), sequence_(std::move(sequence)) {}

// `!` never fails: what is lost because there is no connection was sent all the same.
void LedgerSender::on_message(const Term&) {
  const int64_t seq = ++*sequence_;
  const int64_t sent_at = (host().now() - run_start).count();
  host().record({kinds::message_sent, node() + "->" + peer_, {{"seq", seq}}});
  send(process::RemoteName{"ledger", peer_},
       etf::tuple(etf::atom("ledger"), etf::atom(node()), Term(seq), Term(sent_at), payload_));
}

void LedgerReceiver::on_message(const Term& message) {
  const auto parts = message.as_tagged("ledger", 5);
  if (parts.empty()) return;
  const etf::Atom* sender = parts[1].as_atom();
  const auto seq = parts[2].as_int();
  const auto sent_at = parts[3].as_int();
  if (!sender || !seq || !sent_at) return;
  const int64_t now = (host().now() - run_start).count();
  int64_t latency = 0;
  if (__builtin_sub_overflow(now, *sent_at, &latency)) return;  // no clock says that
  host().record({kinds::message_received, sender->text + "->" + node(), {{"seq", *seq}, {"latency_ns", latency}}});
}

void Sink::handle_call(const process::GenCall& call) {
  const auto bulk = call.request.as_tagged("bulk", 2);
  const etf::Bits* bytes = bulk.empty() ? nullptr : bulk[1].as<etf::Bits>();
  if (!bytes) return;
  reply(call, etf::tuple(etf::atom("ok"), Term(static_cast<int64_t>(bytes->bytes.size()))));
}

}  // namespace distlab::workload

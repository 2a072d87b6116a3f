#include "sim/ns3_stream.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ns3/inet-socket-address.h>
#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/rtt-estimator.h>
#include <ns3/simulator.h>
#include <ns3/tcp-header.h>
#include <ns3/tcp-option-ts.h>
#include <ns3/tcp-socket-base.h>
#include <ns3/tcp-socket-factory.h>
#include <ns3/tcp-tx-buffer.h>
#include <ns3/uinteger.h>

#include "sim/ns3_host.h"
#include "sim/ns3_time.h"

namespace distlab::sim {
namespace {

// What TcpSocketBase keeps to itself and its heirs, and a kernel's socket would offer or do.
struct Inside : ns3::TcpSocketBase {
  static void reset(ns3::TcpSocketBase& socket) { (socket.*&Inside::SendRST)(); }
  static ns3::TcpSocket::TcpStates_t state(ns3::TcpSocketBase& socket) { return socket.*&Inside::m_state; }
  // ns-3 tells its peer of a window that has opened only when it is probed.
  static void announce_window(ns3::TcpSocketBase& socket) {
    (socket.*static_cast<void (ns3::TcpSocketBase::*)(uint8_t)>(&Inside::SendEmptyPacket))(ns3::TcpHeader::ACK);
  }
  // Linux counts its congestion window in packets, ns-3 in bytes: after a timeout, with a window of one and
  // one packet not acknowledged, a kernel keeps back a tick or a FIN that ns-3 would send (tcp_cwnd_test()).
  static bool window_is_full(ns3::TcpSocketBase& socket) {
    const auto& tcb = *(socket.*&Inside::m_tcb);
    if (tcb.m_congState != ns3::TcpSocketState::CA_LOSS) return false;
    const int32_t sent = tcb.m_highTxMark.Get() - (socket.*&Inside::m_txBuffer)->HeadSequence();
    const uint32_t packets = (static_cast<uint32_t>(std::max(sent, 0)) + tcb.m_segmentSize - 1) / tcb.m_segmentSize;
    return packets > 0 && (packets + 1) * tcb.m_segmentSize > tcb.m_cWnd.Get();
  }
  // ns-3 puts together what is written at one moment before its own TcpNoDelay can tell it apart.
  static bool unacknowledged(ns3::TcpSocketBase& socket) { return (socket.*&Inside::m_txBuffer)->Size() > 0; }
  // A kernel measures round trips by timestamps, also those of packets it has sent twice (RFC 7323, section
  // 4.3): after one needless timeout its next one comes late enough. ns-3 would run into the same again.
  static void measure_by_timestamp(ns3::TcpSocketBase& socket) {
    const uint32_t echo = (*(socket.*&Inside::m_tcb)).m_rcvTimestampEchoReply;
    if (echo == 0) return;
    ns3::RttEstimator& rtt = *(socket.*&Inside::m_rtt);
    rtt.Measurement(ns3::TcpOptionTS::ElapsedTimeFromTsValue(echo));
    const ns3::Time slack = ns3::Max(socket.*&Inside::m_clockGranularity, rtt.GetVariation() * 4);
    socket.*& Inside::m_rto = ns3::Max(rtt.GetEstimate() + slack, socket.*&Inside::m_minRto);
  }
};

constexpr uint32_t small_window = 1'572'864;  // half of the receive buffer

Endpoint endpoint_of(const ns3::Address& address) {
  if (!ns3::InetSocketAddress::IsMatchingType(address)) return {};
  const auto inet = ns3::InetSocketAddress::ConvertFrom(address);
  return {Ipv4{inet.GetIpv4().Get()}, inet.GetPort()};
}

}  // namespace

// ns-3 keeps callbacks of a socket as long as the socket lives, which may be after its owner went.
struct Ns3Stream::Link {
  Ns3Stream* stream = nullptr;
  std::vector<uint8_t> held;  // written, and not given to ns-3 while the window is full
  bool closing = false;       // once that has left
  bool nagle = false;         // less than a segment waits for what is under way
  bool was_full = false;      // and nothing has been acknowledged since

  void connected(ns3::Ptr<ns3::Socket>) {
    if (stream == nullptr) return;
    stream->connected_ = stream->tell_connected_ = true;
    stream->wake();
  }
  void unanswered(ns3::Ptr<ns3::Socket>) { ended(NetError::timed_out); }  // no SYN was answered
  // ns-3 reports FIN and RST alike, but only FIN has moved the state before.
  void closed(ns3::Ptr<ns3::Socket> socket) {
    switch (Inside::state(*ns3::DynamicCast<ns3::TcpSocketBase>(socket))) {
      case ns3::TcpSocket::SYN_SENT:
        return ended(NetError::refused);
      case ns3::TcpSocket::ESTABLISHED:
        return ended(NetError::reset);
      default:
        return ended(NetError::closed);
    }
  }
  void failed(ns3::Ptr<ns3::Socket>) { ended(NetError::timed_out); }  // retransmissions gave up
  void readable(ns3::Ptr<ns3::Socket>) {
    if (stream != nullptr && stream->reading_) stream->wake();
  }
  void writable(const ns3::Ptr<ns3::Socket>& socket, uint32_t) {
    send_held(*socket);
    if (stream != nullptr && stream->write_blocked_) stream->wake();
  }
  bool full(ns3::Socket& socket) {
    const bool is_full = Inside::window_is_full(dynamic_cast<ns3::TcpSocketBase&>(socket));
    was_full = was_full || is_full;
    return is_full;
  }
  bool waits(ns3::Socket& socket) {
    return full(socket) || (nagle && Inside::unacknowledged(dynamic_cast<ns3::TcpSocketBase&>(socket)));
  }
  void send_held(ns3::Socket& socket) {
    if (waits(socket)) return;
    if (std::exchange(was_full, false)) Inside::measure_by_timestamp(dynamic_cast<ns3::TcpSocketBase&>(socket));
    const size_t size = std::min<size_t>(held.size(), socket.GetTxAvailable());
    if (size > 0) {
      const int sent = socket.Send(ns3::Create<ns3::Packet>(held.data(), static_cast<uint32_t>(size)));
      held.erase(held.begin(), held.begin() + std::max(sent, 0));
    }
    if (held.empty() && std::exchange(closing, false)) socket.Close();
  }
  void ended(NetError why) {
    if (stream == nullptr || stream->ended_) return;
    stream->ended_ = true;
    stream->why_ = why;
    stream->wake();
  }
};

Ns3Stream::Ns3Stream(Ns3Host& host, Endpoint remote, StreamHandler& handler)
    : host_(host), link_(std::make_shared<Link>()), handler_(&handler) {
  socket_ = ns3::Socket::CreateSocket(host_.node_, ns3::TcpSocketFactory::GetTypeId());
  socket_->Bind();
  attach();
  // Only a lack of local ports or of a route makes Connect itself fail.
  if (socket_->Connect(ns3::InetSocketAddress(ns3::Ipv4Address(remote.address.bits), remote.port)) != 0) {
    link_->ended(NetError::unreachable);
  }
  log(TrafficLog::Step::Kind::dial, 0);
}

Ns3Stream::Ns3Stream(Ns3Host& host, const ns3::Ptr<ns3::Socket>& accepted)
    : host_(host), link_(std::make_shared<Link>()), socket_(accepted), connected_(true) {
  attach();
  // Data or the end may have come before we were attached.
  const auto state = Inside::state(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
  if (state == ns3::TcpSocket::CLOSE_WAIT) link_->ended(NetError::closed);
  if (state == ns3::TcpSocket::CLOSED) link_->ended(NetError::reset);
  wake();
}

Ns3Stream::~Ns3Stream() {
  close();
  --host_.sockets_;
}

void Ns3Stream::attach() {
  ++host_.sockets_;
  link_->stream = this;
  // Bound to a shared_ptr, which ns-3's MakeCallback cannot hold: lambdas can.
  const auto link = link_;
  using Socket = ns3::Ptr<ns3::Socket>;
  socket_->SetConnectCallback(ns3::Callback<void, Socket>([link](const Socket& s) { link->connected(s); }),
                              ns3::Callback<void, Socket>([link](const Socket& s) { link->unanswered(s); }));
  socket_->SetCloseCallbacks(ns3::Callback<void, Socket>([link](const Socket& s) { link->closed(s); }),
                             ns3::Callback<void, Socket>([link](const Socket& s) { link->failed(s); }));
  socket_->SetRecvCallback(ns3::Callback<void, Socket>([link](const Socket& s) { link->readable(s); }));
  socket_->SetSendCallback(
      ns3::Callback<void, Socket, uint32_t>([link](const Socket& s, uint32_t n) { link->writable(s, n); }));
}

void Ns3Stream::set_handler(StreamHandler& handler) {
  handler_ = &handler;
  wake();
}

size_t Ns3Stream::write(Bytes data) {
  if (!socket_ || ended_ || data.empty()) return 0;
  const size_t room = socket_->GetTxAvailable();
  const size_t size = std::min(data.size(), room - std::min(room, link_->held.size()));
  if (size < data.size()) write_blocked_ = true;
  if (size == 0) return 0;
  if (!link_->held.empty() || link_->waits(*socket_)) {
    link_->held.insert(link_->held.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(size));
    log(TrafficLog::Step::Kind::write, static_cast<uint32_t>(size));
    return size;
  }
  const int sent = socket_->Send(ns3::Create<ns3::Packet>(data.data(), static_cast<uint32_t>(size)));
  if (sent < 0) {
    write_blocked_ = true;
    return 0;
  }
  log(TrafficLog::Step::Kind::write, static_cast<uint32_t>(sent));
  return static_cast<size_t>(sent);
}

void Ns3Stream::log(TrafficLog::Step::Kind kind, uint32_t bytes) {
  if (TrafficLog* const log = host_.network_.traffic_log) {
    // ns-3 forgets the endpoints of a connection that has ended.
    if (logged_local_.port == 0) logged_local_ = local();
    if (logged_remote_.port == 0) logged_remote_ = remote();
    log->steps.push_back({kind, ns3_now() - run_start, logged_local_, logged_remote_, bytes});
  }
}

// Whoever waits for acknowledgements gets them at once: a kernel delays none of the first sixteen
// (TCP_MAX_QUICKACKS in tcp_input.c), and Nagle is on at the begin of connections only.
void Ns3Stream::set_nodelay(bool on) {
  link_->nagle = !on;
  if (on) link_->send_held(*socket_);
  socket_->SetAttribute("DelAckCount", ns3::UintegerValue(on ? 2 : 1));
}

void Ns3Stream::set_reading(bool on) {
  reading_ = on;
  if (on) wake();
}

void Ns3Stream::close() {
  if (!socket_) return;
  link_->stream = nullptr;
  const bool unread = socket_->GetRxAvailable() > 0;  // then RST, as a kernel does, and at once
  if (!unread && connected_ && !ended_ && (!link_->held.empty() || link_->full(*socket_))) {
    link_->closing = true;
  } else {
    socket_->Close();
  }
  socket_ = nullptr;
}

void Ns3Stream::abort() {
  if (!socket_) return;
  link_->stream = nullptr;
  if (const auto tcp = ns3::DynamicCast<ns3::TcpSocketBase>(socket_); tcp && connected_ && !ended_) {
    Inside::reset(*tcp);
  }
  socket_->Close();
  socket_ = nullptr;
}

Endpoint Ns3Stream::local() const {
  ns3::Address address;
  if (!socket_ || socket_->GetSockName(address) != 0) return {};
  return endpoint_of(address);
}

Endpoint Ns3Stream::remote() const {
  ns3::Address address;
  if (!socket_ || socket_->GetPeerName(address) != 0) return {};
  return endpoint_of(address);
}

void Ns3Stream::wake() {
  if (wake_pending_) return;
  wake_pending_ = true;
  ns3::Simulator::ScheduleNow([link = link_] {
    if (link->stream == nullptr) return;
    link->stream->host_.when_running([link] {
      if (link->stream != nullptr) link->stream->deliver();
    });
  });
}

void Ns3Stream::deliver() {
  wake_pending_ = false;
  if (handler_ == nullptr) return;
  const auto link = link_;  // a handler may destroy this stream
  if (std::exchange(tell_connected_, false)) {
    handler_->on_connected();
    if (link->stream == nullptr) return;
  }
  if (reading_ && !deliver_data()) return;
  if (write_blocked_ && connected_ && !ended_ && socket_->GetTxAvailable() > 0) {
    write_blocked_ = false;
    handler_->on_writable();
    if (link->stream == nullptr) return;
  }
  // A reset discards what was not read; an orderly end comes after all data.
  const bool drained = why_ != NetError::closed || (reading_ && socket_->GetRxAvailable() == 0);
  if (ended_ && !told_end_ && drained) {
    told_end_ = true;
    handler_->on_closed(why_);
  }
}

// False: the stream is gone.
bool Ns3Stream::deliver_data() {
  const auto link = link_;
  std::array<uint8_t, 65536> buffer;
  // A window this much smaller than the buffer is worth announcing once it opens again.
  const bool window_was_small = socket_->GetRxAvailable() > small_window;
  while (reading_) {
    const int got = socket_->Recv(buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    handler_->on_data({buffer.data(), static_cast<size_t>(got)});
    if (link->stream == nullptr) return false;
  }
  if (window_was_small && !ended_) Inside::announce_window(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
  return true;
}

}  // namespace distlab::sim

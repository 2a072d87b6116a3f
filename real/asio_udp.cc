// UDP of AsioHost.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "real/asio_impl.h"

namespace distlab::real {
namespace {

using asio::ip::udp;

using Gro = asio::detail::socket_option::boolean<IPPROTO_UDP, UDP_GRO>;

// Datagrams for one peer, all of one size but the last, which may be shorter: what one call can send.
class Bundle {
 public:
  bool empty() const { return count_ == 0; }
  // False: it belongs into the next bundle.
  bool add(Endpoint remote, Bytes datagram) {
    if (count_ > 0 && (remote != remote_ || closed_ || count_ == most || datagram.size() > each_ ||
                       bytes_.size() + datagram.size() > most_bytes))
      return false;
    if (count_ == 0) {
      remote_ = remote;
      each_ = datagram.size();
    }
    closed_ = datagram.size() < each_ || datagram.empty();
    bytes_.insert(bytes_.end(), datagram.begin(), datagram.end());
    ++count_;
    return true;
  }
  Endpoint remote() const { return remote_; }
  size_t count() const { return count_; }
  size_t each() const { return each_; }
  Bytes bytes() const { return bytes_; }
  Bytes datagram(size_t i) const { return Bytes(bytes_).subspan(i * each_).first(std::min(each_, left(i))); }
  void clear() {
    bytes_.clear();
    count_ = 0;
  }

 private:
  static constexpr size_t most = 64;            // UDP_MAX_SEGMENTS of Linux
  static constexpr size_t most_bytes = 65'000;  // an IP packet's length has 16 bits

  size_t left(size_t i) const { return bytes_.size() - i * each_; }

  Endpoint remote_;
  size_t each_ = 0, count_ = 0;
  bool closed_ = false;
  std::vector<uint8_t> bytes_;
};

// Room for what accompanies a message.
class Control {
 public:
  template <typename Value>
  void add(msghdr& message, int level, int type, const Value& value) {
    message.msg_control = bytes_.data();
    auto* const header = reinterpret_cast<cmsghdr*>(bytes_.data() + message.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message.msg_controllen += CMSG_SPACE(sizeof value);
  }

 private:
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))> bytes_{};
};

class Datagrams final : public AtEndOfTurn, public std::enable_shared_from_this<Datagrams> {
 public:
  Datagrams(AsioLoop::Impl& loop, const AsioHostOptions& options, UdpHandler& handler)
      : loop_(loop), source_(options.address), joins_(options.join_datagrams), socket_(loop.io), handler_(&handler) {}

  error_code open(Endpoint local) {
    error_code error;
    socket_.open(udp::v4(), error);
    if (!error) socket_.bind(to_asio<udp::endpoint>(local), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error) local_ = from_asio(socket_.local_endpoint(error));
    if (!error) ask_for_buffers();
    if (!error) wait();
    return error;
  }
  void close() {
    end_of_turn();
    handler_ = nullptr;
    error_code ignored;
    socket_.close(ignored);
  }
  Endpoint local() const { return local_; }
  bool send_to(Endpoint remote, Bytes datagram);
  void end_of_turn() override;

 private:
  enum class Outcome { sent, no_room, refused };

  void wait() {
    socket_.async_wait(udp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error && self->handler_) self->receive();
    });
  }
  void ask_for_buffers();
  void receive();
  void take(Endpoint from, Bytes piece, size_t each);
  void flush();
  Outcome send(Endpoint remote, Bytes bytes, size_t each);

  AsioLoop::Impl& loop_;
  const std::optional<Ipv4> source_;
  const bool joins_;
  udp::socket socket_;
  UdpHandler* handler_;
  Endpoint local_;
  Bundle bundle_;
  bool kept_ = false;  // the loop will ask for it
};

// A burst of packets, as when many clients dial at once, must fit into the kernel's buffer; its default takes
// about 90 packets of QUIC. The kernel gives what net.core.rmem_max and wmem_max allow.
void Datagrams::ask_for_buffers() {
  constexpr int wanted = 4 * 1024 * 1024;
  error_code ignored;
  socket_.set_option(udp::socket::receive_buffer_size(wanted), ignored);
  socket_.set_option(udp::socket::send_buffer_size(wanted), ignored);
  if (joins_) socket_.set_option(Gro(true), ignored);
}

// Errors belong to datagrams sent earlier (ICMP); UDP is best effort.
void Datagrams::receive() {
  DatagramBatch& batch = loop_.datagrams;
  const int count = batch.receive(socket_.native_handle());
  wait();
  loop_.begin_turn();
  handler_->on_burst();
  for (int i = 0; i < count && handler_ != nullptr; ++i) take(batch.from(i), batch.piece(i), batch.datagram_size(i));
  if (handler_ != nullptr) handler_->on_burst_end();
  loop_.end_turn();
}

void Datagrams::take(Endpoint from, Bytes piece, size_t each) {
  do {
    const Bytes datagram = piece.first(std::min(each, piece.size()));
    piece = piece.subspan(datagram.size());
    handler_->on_datagram(from, datagram);
  } while (!piece.empty() && handler_ != nullptr);
}

// Whoever sends in a turn of the loop sends more, mostly.
bool Datagrams::send_to(Endpoint remote, Bytes datagram) {
  if (!joins_ || !loop_.turn_is_on) return send(remote, datagram, datagram.size()) == Outcome::sent;
  if (bundle_.add(remote, datagram)) {
    if (!kept_) loop_.kept_back.push_back(shared_from_this());
    kept_ = true;
    return true;
  }
  flush();
  bundle_.add(remote, datagram);
  return true;
}

void Datagrams::end_of_turn() {
  kept_ = false;
  flush();
}

// What the kernel has no room for is lost, as all of it could be on the way.
void Datagrams::flush() {
  if (bundle_.empty()) return;
  if (send(bundle_.remote(), bundle_.bytes(), bundle_.each()) == Outcome::refused)  // larger than the path's MTU
    for (size_t i = 0; i < bundle_.count(); ++i) send(bundle_.remote(), bundle_.datagram(i), bundle_.each());
  bundle_.clear();
}

// A socket on any address would send from the interface's first one; IP_PKTINFO says which it is. UDP_SEGMENT says that
// these are several datagrams.
Datagrams::Outcome Datagrams::send(Endpoint remote, Bytes bytes, size_t each) {
  auto to = to_asio<udp::endpoint>(remote);
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  Control control;
  msghdr message{};
  message.msg_name = to.data();
  message.msg_namelen = static_cast<socklen_t>(to.size());
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (source_ && local_.address == any_address && remote.address != loopback_address) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source_->bits);
    control.add(message, IPPROTO_IP, IP_PKTINFO, info);
  }
  if (bytes.size() > each) control.add(message, SOL_UDP, UDP_SEGMENT, static_cast<uint16_t>(each));
  if (::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Outcome::sent;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Outcome::no_room;
  if (bytes.size() > each) return Outcome::refused;
  return errno == EMSGSIZE ? Outcome::no_room : Outcome::sent;  // whatever it was, sending again does not help
}

class AsioUdpSocket final : public UdpSocket {
 public:
  explicit AsioUdpSocket(std::shared_ptr<Datagrams> socket) : socket_(std::move(socket)) {}
  // Closing can throw only for want of memory.
  // NOLINTNEXTLINE(bugprone-exception-escape)
  ~AsioUdpSocket() override { socket_->close(); }
  bool send_to(Endpoint remote, Bytes datagram) override { return socket_->send_to(remote, datagram); }
  Endpoint local() const override { return socket_->local(); }

 private:
  std::shared_ptr<Datagrams> socket_;
};

}  // namespace

DatagramBatch::DatagramBatch() {
  for (size_t i = 0; i < size; ++i) {
    data_[i] = {&memory_[i * largest], largest};
    messages_[i].msg_hdr.msg_name = &from_[i];
    messages_[i].msg_hdr.msg_namelen = sizeof from_[i];
    messages_[i].msg_hdr.msg_iov = &data_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_control = control_[i].bytes.data();
  }
}

int DatagramBatch::receive(int socket) {
  // All addresses are of one family and so of one length: msg_namelen stays what it is.
  for (mmsghdr& message : messages_) message.msg_hdr.msg_controllen = sizeof(Control);
  return ::recvmmsg(socket, messages_.data(), size, MSG_DONTWAIT, nullptr);
}

Endpoint DatagramBatch::from(int i) const {
  const sockaddr_in& address = from_[static_cast<size_t>(i)];
  return {Ipv4{ntohl(address.sin_addr.s_addr)}, ntohs(address.sin_port)};
}

Bytes DatagramBatch::piece(int i) const {
  return {&memory_[static_cast<size_t>(i) * largest], messages_[static_cast<size_t>(i)].msg_len};
}

size_t DatagramBatch::datagram_size(int i) const {
  const msghdr& message = messages_[static_cast<size_t>(i)].msg_hdr;
  int each = 0;
  if (const cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header != nullptr && header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO)
    std::memcpy(&each, CMSG_DATA(header), sizeof each);
  return each > 0 ? static_cast<size_t>(each) : largest;
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(AsioLoop::Impl& loop, const AsioHostOptions& options,
                                                            Endpoint local, UdpHandler& handler) {
  auto socket = std::make_shared<Datagrams>(loop, options, handler);
  if (const error_code error = socket->open(local)) return tl::unexpected(to_net_error(error));
  return std::make_unique<AsioUdpSocket>(std::move(socket));
}

}  // namespace distlab::real

// UDP of AsioHost.
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "real/asio_impl.h"

namespace distlab::real {
namespace {

using asio::ip::udp;

class Datagrams : public std::enable_shared_from_this<Datagrams> {
 public:
  Datagrams(AsioLoop::Impl& loop, const AsioHostOptions& options, UdpHandler& handler)
      : loop_(loop), source_(options.address), socket_(loop.io), handler_(&handler) {}

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
    handler_ = nullptr;
    error_code ignored;
    socket_.close(ignored);
  }
  Endpoint local() const { return local_; }
  bool send_to(Endpoint remote, Bytes datagram);

 private:
  void wait() {
    socket_.async_wait(udp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error && self->handler_) self->receive();
    });
  }
  void ask_for_buffers();
  void receive();

  AsioLoop::Impl& loop_;
  const std::optional<Ipv4> source_;
  udp::socket socket_;
  UdpHandler* handler_;
  Endpoint local_;
};

// A burst of packets, as when many clients dial at once, must fit into the kernel's buffer; its default takes
// about 90 packets of QUIC. The kernel gives what net.core.rmem_max and wmem_max allow.
void Datagrams::ask_for_buffers() {
  constexpr int wanted = 4 * 1024 * 1024;
  error_code ignored;
  socket_.set_option(udp::socket::receive_buffer_size(wanted), ignored);
  socket_.set_option(udp::socket::send_buffer_size(wanted), ignored);
}

// Errors belong to datagrams sent earlier (ICMP); UDP is best effort.
void Datagrams::receive() {
  DatagramBatch& batch = loop_.datagrams;
  const int count = batch.receive(socket_.native_handle());
  wait();
  for (int i = 0; i < count && handler_ != nullptr; ++i) handler_->on_datagram(batch.from(i), batch.datagram(i));
}

// A socket on any address would send from the interface's first one; IP_PKTINFO says which it is.
bool Datagrams::send_to(Endpoint remote, Bytes datagram) {
  auto to = to_asio<udp::endpoint>(remote);
  iovec data{const_cast<uint8_t*>(datagram.data()), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
  msghdr message{};
  message.msg_name = to.data();
  message.msg_namelen = static_cast<socklen_t>(to.size());
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (source_ && local_.address == any_address && remote.address != loopback_address) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(source_->bits);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
  }
  if (::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
  return errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EMSGSIZE;
}

class AsioUdpSocket final : public UdpSocket {
 public:
  explicit AsioUdpSocket(std::shared_ptr<Datagrams> socket) : socket_(std::move(socket)) {}
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
  }
}

int DatagramBatch::receive(int socket) {
  // All addresses are of one family and so of one length: msg_namelen stays what it is.
  return ::recvmmsg(socket, messages_.data(), size, MSG_DONTWAIT, nullptr);
}

Endpoint DatagramBatch::from(int i) const {
  const sockaddr_in& address = from_[static_cast<size_t>(i)];
  return {Ipv4{ntohl(address.sin_addr.s_addr)}, ntohs(address.sin_port)};
}

Bytes DatagramBatch::datagram(int i) const {
  return {&memory_[static_cast<size_t>(i) * largest], messages_[static_cast<size_t>(i)].msg_len};
}

tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(AsioLoop::Impl& loop, const AsioHostOptions& options,
                                                            Endpoint local, UdpHandler& handler) {
  auto socket = std::make_shared<Datagrams>(loop, options, handler);
  if (const error_code error = socket->open(local)) return tl::unexpected(to_net_error(error));
  return std::make_unique<AsioUdpSocket>(std::move(socket));
}

}  // namespace distlab::real

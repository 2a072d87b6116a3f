// The inside of AsioLoop and AsioHost. Users include asio_host.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

#include "real/asio_host.h"
#include "real/secret_pool.h"

namespace distlab::real {

namespace asio = boost::asio;
using boost::system::error_code;

NetError to_net_error(const error_code& error);

template <class AsioEndpoint>
Endpoint from_asio(const AsioEndpoint& endpoint) {
  return {Ipv4{endpoint.address().to_v4().to_uint()}, endpoint.port()};
}
template <class AsioEndpoint>
AsioEndpoint to_asio(const Endpoint& endpoint) {
  return {asio::ip::address_v4(endpoint.address.bits), endpoint.port};
}

// Where every UDP socket of the loop reads into: several datagrams at once (recvmmsg(2)), each of any size, or as many
// of one size as the kernel has put together (UDP_GRO, udp(7)). Of this memory only what datagrams have filled is ever
// there.
class DatagramBatch {
 public:
  DatagramBatch();
  int receive(int socket);  // how many pieces there are now; not more than 32
  Endpoint from(int i) const;
  Bytes piece(int i) const;
  size_t datagram_size(int i) const;  // of each datagram in the piece; the last may be shorter. Never 0

 private:
  static constexpr size_t size = 32, largest = 65536;
  struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  };
  std::array<mmsghdr, size> messages_{};
  std::array<iovec, size> data_{};
  std::array<sockaddr_in, size> from_{};
  std::array<Control, size> control_{};
  std::unique_ptr<uint8_t[]> memory_ = std::make_unique_for_overwrite<uint8_t[]>(size * largest);
};

// Whoever keeps something back until the turn of the loop ends.
class AtEndOfTurn {
 public:
  virtual ~AtEndOfTurn() = default;
  virtual void end_of_turn() = 0;
};

// One asio timer under an ordered queue: ties run in the order in which they were asked for.
struct AsioLoop::Impl {
  using TimerKey = std::pair<Time, uint64_t>;

  explicit Impl(std::chrono::steady_clock::time_point origin) : epoch(origin), alarm(io) {}
  Time now() const;
  TimerKey push(Time at, std::function<void()> fn);
  void erase(TimerKey key);
  void arm();
  void ring();
  // Between these two, which do not nest, what is said to keep back (turn_is_on) is asked for at the end.
  void begin_turn() { turn_is_on = true; }
  void end_turn();

  asio::io_context io{1};
  const std::chrono::steady_clock::time_point epoch;
  asio::steady_timer alarm;
  std::map<TimerKey, std::function<void()>> timers;
  uint64_t next_timer = 1;
  Time armed_for = Time::max();  // the alarm; a timer that is due needs none
  bool ring_posted = false;
  bool turn_is_on = false;
  std::function<void(Time ready, Time rang)> on_wake;
  Time awake_until = Time::min();  // the end of the last callback; kept for on_wake only
  std::vector<std::shared_ptr<AtEndOfTurn>> kept_back;
  // Where every TCP socket of the loop reads into: callbacks never nest.
  std::array<uint8_t, 65536> input;
  DatagramBatch datagrams;
};

// A TCP connection. The models hold an AsioStream; this lives on while an operation is pending.
class AsioConnection : public std::enable_shared_from_this<AsioConnection> {
 public:
  AsioConnection(AsioLoop::Impl& loop, size_t send_capacity, Duration linger)
      : loop_(loop), socket_(loop.io), linger_timer_(loop.io), send_capacity_(send_capacity), linger_(linger) {}

  void connect(Endpoint remote, std::optional<Ipv4> from, StreamHandler& handler);
  void accepted();  // socket() was connected by an acceptor
  asio::ip::tcp::socket& socket() { return socket_; }
  Endpoint local() const;
  Endpoint remote() const { return remote_; }

  void set_handler(StreamHandler& handler);
  size_t write(Bytes data);
  void set_reading(bool on);
  void set_nodelay(bool on);
  void close();
  void abort();

 private:
  size_t buffered() const { return writing_.size() - written_ + queued_.size(); }
  void connected();
  void flush();
  void wrote(const error_code& error, size_t size);
  void want_input();
  void readable();
  void watch_for_reset();
  void end(NetError why);
  void shut();

  AsioLoop::Impl& loop_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer linger_timer_;
  const size_t send_capacity_;
  const Duration linger_;
  Endpoint remote_;
  StreamHandler* handler_ = nullptr;
  bool open_ = false;      // connected, and not yet failed or shut
  bool owned_ = true;      // neither closed nor aborted
  bool told_end_ = false;  // on_closed was called, or is on its way
  bool reading_ = true;
  bool read_pending_ = false, reset_watch_pending_ = false, write_pending_ = false;
  bool wants_room_ = false;
  std::optional<NetError> write_error_;
  // What the socket is writing from written_ on, and what comes after.
  std::vector<uint8_t> writing_, queued_;
  size_t written_ = 0;
};

struct AsioHost::Impl {
  Impl(AsioLoop::Impl& the_loop, AsioHostOptions the_options)
      : loop(the_loop), options(std::move(the_options)), resolver(loop.io) {}

  AsioLoop::Impl& loop;
  const AsioHostOptions options;
  asio::ip::tcp::resolver resolver;
  std::map<uint64_t, AsioLoop::Impl::TimerKey> timers;
  std::map<std::string, RandomStream, std::less<>> streams;
  SecretPool secrets;
};

std::unique_ptr<ByteStream> connect_tcp(AsioLoop::Impl& loop, const AsioHostOptions& options, Endpoint remote,
                                        StreamHandler& handler);
tl::expected<std::unique_ptr<TcpListener>, NetError> listen_tcp(AsioLoop::Impl& loop, const AsioHostOptions& options,
                                                                Endpoint local, AcceptHandler accept);
tl::expected<std::unique_ptr<UdpSocket>, NetError> open_udp(AsioLoop::Impl& loop, const AsioHostOptions& options,
                                                            Endpoint local, UdpHandler& handler);

}  // namespace distlab::real

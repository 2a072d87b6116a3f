// One attempt to reach one relay, and the connection that came of it: name look-up, QUIC, one
// bidirectional stream with frames on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "models/host/host.h"
#include "models/mesh/client_settings.h"
#include "models/mesh/frame.h"
#include "models/quic/socket.h"

namespace distlab::mesh {

class RelayLink final : private quic::ConnectionHandler {
 public:
  // Callbacks come from the host's loop only, and may destroy the link.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_link_open() = 0;  // frames can be written now
    virtual void on_link_frame(Frame frame) = 0;
    virtual void on_link_writable() = 0;
    virtual void on_link_finished(const std::string& reason) = 0;  // the relay has finished or reset the stream
    virtual void on_link_failed(const std::string& reason) = 0;    // no connection, or none any more; the last one
  };

  RelayLink(Host& host, const ClientSettings& settings, const RelayAddress& relay, Handler& handler);
  ~RelayLink() override;
  RelayLink(const RelayLink&) = delete;
  RelayLink& operator=(const RelayLink&) = delete;

  size_t write(Bytes bytes);  // as quic::Connection::write
  // CONNECTION_CLOSE if there is a connection. No callback follows.
  void close(const std::string& reason);

 private:
  void looked_up(const tl::expected<std::vector<Ipv4>, NetError>& addresses);
  void fail_later(std::string reason);

  void on_connected() override;
  void on_stream_data(quic::StreamId stream, Bytes data, bool fin) override;
  void on_stream_writable(quic::StreamId stream) override;
  void on_stream_reset(quic::StreamId stream, uint64_t code) override;
  void on_ended(const quic::End& why) override;

  Host& host_;
  const ClientSettings& settings_;
  const RelayAddress relay_;
  Handler* handler_;  // null: closed
  FrameReader reader_;
  Timer failure_;
  std::unique_ptr<quic::Socket> socket_;
  std::unique_ptr<quic::Connection> connection_;
  std::optional<quic::StreamId> stream_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace distlab::mesh

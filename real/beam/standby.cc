#include "real/beam/standby.h"

#include <utility>
#include <vector>

#include "models/etf/codec.h"

namespace distlab::beam {

Standby::Standby(Host& host, Handlers handlers) : handlers_(std::move(handlers)) {
  auto listener =
      host.listen_tcp({loopback_address, 0}, [this](std::unique_ptr<ByteStream> stream) { accept(std::move(stream)); });
  if (listener) listener_ = std::move(*listener);
}

Standby::~Standby() = default;

void Standby::accept(std::unique_ptr<ByteStream> stream) {
  if (stream_) return;  // there is one BEAM
  stream_ = std::move(stream);
  stream_->set_handler(*this);
}

void Standby::on_data(Bytes data) {
  frames_.feed(data);
  while (const auto frame = frames_.next()) {
    const auto decoded = etf::decode(frame->bytes, {.max_depth = 4, .max_terms = 16, .max_uncompressed = 0});
    if (!decoded || decoded->term.as_tagged("standby", 2).empty() || frame->invalid)
      return handlers_.broken("not of the standby protocol");
    handlers_.booted();
  }
}

// The BEAM's end of it closes when its node is there.
void Standby::on_closed(NetError) {
  if (!started_) handlers_.broken("the BEAM has closed its connection");
}

void Standby::start(const std::string& node) {
  started_ = true;
  const etf::Term word = etf::tuple(etf::atom("start"), etf::binary(node));
  // Some hundred bytes, the first of the connection: there is room.
  stream_->write(dist::framed(etf::encode(word), dist::HeaderSize::four));
}

}  // namespace distlab::beam

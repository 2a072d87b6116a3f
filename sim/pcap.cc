#include "sim/pcap.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace distlab::sim {
namespace {

constexpr uint32_t magic_nanoseconds = 0xa1b23c4d;
constexpr uint32_t snap_length = 65535;
constexpr uint32_t linktype_raw = 101;

void put(std::vector<uint8_t>& out, std::initializer_list<uint32_t> words) {
  for (const uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(word >> shift));
  }
}

void flush(std::ofstream& file, const std::vector<uint8_t>& bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

tl::expected<PcapWriter, std::string> PcapWriter::open(const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  std::vector<uint8_t> header;
  put(header, {magic_nanoseconds, 2 | 4 << 16, 0, 0, snap_length, linktype_raw});
  flush(file, header);
  return PcapWriter(std::move(file));
}

void PcapWriter::write(Time at, const ns3::Packet& packet) {
  const auto since_epoch = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const uint32_t size = packet.GetSize();
  buffer_.clear();
  put(buffer_,
      {static_cast<uint32_t>(seconds.count()), static_cast<uint32_t>((since_epoch - seconds).count()), size, size});
  buffer_.resize(buffer_.size() + size);
  packet.CopyData(buffer_.data() + buffer_.size() - size, size);
  flush(file_, buffer_);
}

}  // namespace distlab::sim

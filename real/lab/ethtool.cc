#include "real/lab/ethtool.h"

#include <span>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

namespace distlab::lab {
namespace {

struct Feature {
  uint32_t command;
  const char* name;  // as the program ethtool calls it
};

constexpr Feature segments[] = {{ETHTOOL_STSO, "tso"}, {ETHTOOL_SGSO, "gso"}, {ETHTOOL_SGRO, "gro"}};
constexpr Feature checksums[] = {{ETHTOOL_STXCSUM, "tx"}};

}  // namespace

Result<void> switch_off(int socket, const std::string& interface, Offload offload) {
  const std::span<const Feature> features =
      offload == Offload::segments ? std::span<const Feature>(segments) : std::span<const Feature>(checksums);
  for (const Feature& feature : features) {
    ethtool_value off{feature.command, 0};
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&off);
    if (::ioctl(socket, SIOCETHTOOL, &request) != 0) {
      return failure(fmt::format("ethtool --offload {} {} off", interface, feature.name), errno);
    }
  }
  return {};
}

}  // namespace distlab::lab

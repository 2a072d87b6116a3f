#include "models/host/byte_stream.h"

namespace distlab {

// The atoms inet:posix() and inet_res give these conditions (inet(3), "POSIX Error Codes").
std::string_view to_string(NetError error) {
  switch (error) {
    case NetError::closed:
      return "closed";
    case NetError::reset:
      return "econnreset";
    case NetError::refused:
      return "econnrefused";
    case NetError::timed_out:
      return "etimedout";
    case NetError::unreachable:
      return "ehostunreach";
    case NetError::not_found:
      return "nxdomain";
    case NetError::lookup_failed:
      return "timeout";
    case NetError::address_in_use:
      return "eaddrinuse";
    case NetError::limit:
      return "emfile";
  }
  return "unknown";
}

}  // namespace distlab

#include "models/process/services.h"

#include <string>

#include "models/process/servers.h"

namespace distlab::process {
namespace {

template <typename Server, typename... Args>
Server* start(Runtime& runtime, const std::string& name, Args&&... args) {
  Server* server = runtime.spawn<Server>(std::forward<Args>(args)...);
  if (server) runtime.register_name(name, server->self());
  return server;
}

}  // namespace

// In the order in which the kernel application starts them (kernel.erl, init/1).
Services::Services(Runtime& runtime, const ServiceOptions& options) : runtime_(runtime) {
  start<RexServer>(runtime, "rex");
  if (options.global) global_ = start<Global>(runtime, "global_name_server", options.global_options);
  start<NetKernelServer>(runtime, "net_kernel");
  if (options.pg) pg_ = start<Pg>(runtime, "pg");
  start<EchoServer>(runtime, "echo");
}

}  // namespace distlab::process

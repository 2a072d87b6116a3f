#include "real/lab/lab.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "real/lab/ethtool.h"

namespace distlab::lab {
namespace {

constexpr size_t max_host_name = 64;       // HOST_NAME_MAX
constexpr int max_carrier_wait_ms = 2000;  // such events are looked at once a second at worst

Result<Fd> network_here() {
  Fd network(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!network) return failure("opening /proc/self/ns/net", errno);
  return network;
}

Result<Fd> control_socket() {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return failure("opening a socket", errno);
  return socket;
}

Result<void> loopback_up(const Fd& control) {
  ifreq request{};
  std::copy_n("lo", 3, request.ifr_name);
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) return failure("ip link set lo up", errno);
  return {};
}

bool running(const Fd& control, const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(control.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

// /proc/sys/net shows the settings of the namespace one is in.
Result<void> set_sysctl(const std::string& name, const std::string& value) {
  const std::string path = "/proc/sys/net/" + name;
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return failure(fmt::format("setting net/{} to {}", name, value), errno);
  }
  return {};
}

Result<void> settle_network(Role role) {
  // Router solicitations and the like would mix with what is measured. Not there: the kernel has no IPv6.
  for (const char* which : {"all", "default"}) {
    if (::access("/proc/sys/net/ipv6", F_OK) != 0) break;
    if (Result<void> set = set_sysctl(fmt::format("ipv6/conf/{}/disable_ipv6", which), "1"); !set) return set;
  }
  if (role == Role::machine) return {};
  // Distributions switch the filter on in the first namespace, and new ones inherit that.
  for (const char* which : {"all", "default"}) {
    Result<void> set = set_sysctl(fmt::format("ipv4/conf/{}/rp_filter", which), "0").and_then([&] {
      return set_sysctl(fmt::format("ipv4/conf/{}/send_redirects", which), "0");
    });
    if (!set) return set;
  }
  return set_sysctl("ipv4/ip_forward", "1");
}

// To another network namespace and back.
class Visit {
 public:
  Visit(const Fd& there, const Fd& home) : home_(home), arrived_(::setns(there.get(), CLONE_NEWNET) == 0) {}
  ~Visit() {
    // Going home cannot fail, and going on in a foreign namespace would be worse than ending.
    if (arrived_ && ::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  explicit operator bool() const { return arrived_; }

 private:
  const Fd& home_;
  bool arrived_;
};

}  // namespace

Result<Lab> Lab::make(const World& world) {
  Lab lab(world);
  lab.outside_.name = "the lab";
  Result<Fd> network = network_here();
  if (!network) return tl::make_unexpected(network.error());
  Result<Fd> control = control_socket();
  if (!control) return tl::make_unexpected(control.error());
  if (Result<void> up = loopback_up(*control); !up) return tl::make_unexpected(up.error());
  if (Result<void> settled = settle_network(Role::machine); !settled) return tl::make_unexpected(settled.error());
  lab.outside_.network = std::move(*network);
  lab.outside_.control = std::move(*control);
  return lab;
}

Result<HostId> Lab::add_host(const std::string& name, Role role) {
  const std::string attempt = fmt::format("adding host {}", name);
  if (name.empty() || name.size() > max_host_name) return failure(attempt + " (its name's length)", EINVAL);
  if (::unshare(CLONE_NEWNET) != 0) return failure(attempt + ": making a network namespace", errno);
  Result<Fd> network = network_here();
  Result<Fd> control = control_socket();
  Result<void> settled = settle_network(role);
  if (settled && control) settled = loopback_up(*control);
  if (::setns(outside_.network.get(), CLONE_NEWNET) != 0) return failure(attempt + ": going back", errno);
  for (const std::string* error : {network ? nullptr : &network.error(), control ? nullptr : &control.error(),
                                   settled ? nullptr : &settled.error()}) {
    if (error) return tl::make_unexpected(fmt::format("{}: {}", attempt, *error));
  }
  Host host;
  host.name = name;
  host.role = role;
  host.network = std::move(*network);
  host.control = std::move(*control);
  hosts_.push_back(std::move(host));
  return HostId{hosts_.size() - 1};
}

bool Lab::pending() const {
  const auto has_work = [](const Host& host) { return !host.ip.empty() || !host.tc.empty() || host.rules_changed; };
  return has_work(outside_) || std::any_of(hosts_.begin(), hosts_.end(), has_work);
}

std::vector<Script> Lab::take(Tool tool) {
  std::vector<Script> scripts;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    Host& host = hosts_[i];
    std::vector<std::string> lines;
    if (tool == Tool::nft && std::exchange(host.rules_changed, false)) {
      lines = rules(HostId{i});
    } else if (tool != Tool::nft) {
      lines = std::exchange(tool == Tool::ip ? host.ip : host.tc, {});
    }
    if (!lines.empty()) scripts.push_back({tool, host.network.get(), host.name, std::move(lines)});
  }
  return scripts;
}

Result<void> Lab::apply() {
  const std::set<LinkId> unsettled = std::exchange(unsettled_, {});
  Result<void> done;
  if (!outside_.ip.empty()) {
    const Script make{Tool::ip, outside_.network.get(), outside_.name, std::exchange(outside_.ip, {})};
    std::vector<int> networks;
    networks.reserve(hosts_.size());
    for (const Host& host : hosts_) networks.push_back(host.network.get());
    done = run_scripts(std::span(&make, 1), networks);
  }
  for (const LinkId id : std::exchange(superpackets_, {})) {
    for (const End* end : {&at(id).a, &at(id).b}) {
      if (done) done = switch_off(at(end->host).control.get(), end->interface, Offload::segments);
    }
  }
  for (const Tool tool : {Tool::ip, Tool::tc, Tool::nft}) {
    const std::vector<Script> scripts = take(tool);  // after an error, too: it is not to come again
    if (done) done = run_scripts(scripts);
  }
  for (const LinkId id : unsettled) {
    const Link& link = at(id);
    if (!link.a.up || !link.b.up) continue;
    for (const End* end : {&link.a, &link.b}) {
      if (done) done = wait_for_carrier(at(end->host), end->interface);
    }
  }
  for (const auto& [id, direction] : std::exchange(nudges_, {})) {
    Link& link = at(id);
    if (done) done = nudge(link, sending_end(link, direction));
  }
  return done;
}

// The kernel notices that a cable was plugged in in its own time, and until then loses what is sent.
Result<void> Lab::wait_for_carrier(const Host& host, const std::string& interface) {
  for (int i = 0; !running(host.control, interface); ++i) {
    if (i == max_carrier_wait_ms) {
      return tl::make_unexpected(fmt::format("ip link set {} up: no carrier (in {})", interface, host.name));
    }
    ::poll(nullptr, 0, 1);
  }
  // It says so a moment before it is so, under the lock that this waits for.
  return loopback_up(host.control);
}

Result<Child> Lab::spawn(HostId host, const Command& command) const {
  if (pending()) return tl::make_unexpected(fmt::format("starting a process in {}: apply() first", at(host).name));
  Command limited = command;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = world_.open_files;
    limited.limits.emplace(RLIMIT_NOFILE, files);
  }
  return lab::spawn({.network = at(host).network.get(), .host_name = at(host).name}, limited);
}

Result<void> Lab::run(HostId host, Tool tool, const std::vector<std::string>& commands) const {
  const Script script{tool, at(host).network.get(), at(host).name, commands};
  return run_scripts(std::span(&script, 1));
}

Result<void> Lab::within(HostId host, const std::function<void()>& action) const {
  const Visit visit(at(host).network, outside_.network);
  if (!visit) return failure(fmt::format("entering the network of {}", at(host).name), errno);
  action();
  return {};
}

Result<void> Lab::replace_file(const std::string& path, const std::string& text) {
  const std::string ours = fmt::format("{}/.replaced{}", world_.temporary_directory, replaced_files_++);
  const Fd file(::open(ours.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::mount(ours.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return failure(fmt::format("replacing {}", path), errno);
  }
  return {};
}

Result<Running> enter(const std::function<int(Lab&)>& body, const std::vector<std::string>& keep) {
  std::optional<Lab> lab;
  const auto prepare = [&lab](const World& world) -> Result<void> {
    Result<Lab> made = Lab::make(world);
    if (!made) return tl::make_unexpected(made.error());
    lab.emplace(std::move(*made));
    return {};
  };
  return enter_world(
      prepare, [&] { return body(*lab); }, keep);
}

}  // namespace distlab::lab

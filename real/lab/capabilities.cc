#include "real/lab/capabilities.h"

#include <array>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>

#include "real/lab/lab.h"

namespace distlab::lab {
namespace {

using Verdict = Result<void>;

Verdict try_port(Lab& lab, Attachment::Kind kind) {
  const Result<HostId> host = lab.add_host("probe");
  if (!host) return tl::make_unexpected(host.error());
  const Result<std::vector<Port>> ports = lab.attach({{.host = *host, .address = "10.0.0.1", .kind = kind}});
  if (!ports) return tl::make_unexpected(ports.error());
  return {};
}

Verdict try_on_link(Lab& lab, const std::function<void(LinkId)>& what) {
  const Result<HostId> a = lab.add_host("probe-a");
  const Result<HostId> b = lab.add_host("probe-b");
  if (!a || !b) return tl::make_unexpected(a ? b.error() : a.error());
  const LinkId link = lab.link({.host = *a}, {.host = *b});
  return lab.apply().and_then([&] {
    what(link);
    return lab.apply();
  });
}

// What the tools say does not always tell what is missing, and then is not worth repeating.
std::string advised(const std::string& error, std::string_view missing, std::string_view advice) {
  return error.find(missing) == std::string::npos ? error : std::string(advice);
}

constexpr std::string_view no_netem = "the kernel has no netem: CONFIG_NET_SCH_NETEM, module sch_netem";
constexpr std::string_view no_tbf = "the kernel has no tbf: CONFIG_NET_SCH_TBF, module sch_tbf";
constexpr std::string_view no_tun =
    "/dev/net/tun is closed to this user (as root: chmod 0666 /dev/net/tun), so ports are veth, which costs more "
    "time per packet";

Verdict with_advice(const Verdict& verdict, std::string_view missing, std::string_view advice) {
  if (verdict) return {};
  return tl::make_unexpected(advised(verdict.error(), missing, advice));
}

std::vector<Verdict> probe(Lab& lab) {
  using Kind = Attachment::Kind;
  Shape rate;
  rate.rate_bps = 1'000'000;
  Shape delay;
  delay.delay = std::chrono::milliseconds{1};
  std::vector<Verdict> verdicts;
  verdicts.push_back(with_advice(try_port(lab, Kind::tun), "Permission denied", no_tun));
  verdicts.push_back(try_port(lab, Kind::veth));
  verdicts.push_back(with_advice(try_on_link(lab, [&](LinkId link) { lab.shape(link, Direction::a_to_b, rate); }),
                                 "qdisc kind", no_tbf));
  verdicts.push_back(with_advice(try_on_link(lab, [&](LinkId link) { lab.shape(link, Direction::a_to_b, delay); }),
                                 "qdisc kind", no_netem));
  verdicts.push_back(try_on_link(lab, [&](LinkId link) { lab.drop(link, Direction::a_to_b, true); }));
  return verdicts;
}

// One line for each, empty when there is nothing to complain about.
void report(int fd, const std::vector<Verdict>& verdicts) {
  std::string text;
  for (const Verdict& verdict : verdicts) text += (verdict ? std::string() : verdict.error()) + '\n';
  // The reader takes what is missing for a refusal.
  [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
}

Result<std::string> ask_a_lab() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("pipe2", errno);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  Result<Running> running = enter([&](Lab& lab) {
    report(write_end.get(), probe(lab));
    return 0;
  });
  if (!running) return tl::make_unexpected(running.error());
  write_end.reset();
  return read_to_end(read_end.get());
}

}  // namespace

Capabilities capabilities() {
  Capabilities result;
  result.lab.name = "lab";
  const Result<std::string> answer = ask_a_lab();
  result.lab.available = answer.has_value();
  result.lab.reason = answer ? "" : answer.error();
  size_t begin = 0;
  for (const auto& [capability, name] : {std::pair{&result.tun, "tun"},
                                         {&result.veth, "veth"},
                                         {&result.tbf, "tbf"},
                                         {&result.netem, "netem"},
                                         {&result.nft, "nft"}}) {
    capability->name = name;
    const size_t end = answer ? answer->find('\n', begin) : std::string::npos;
    if (end == std::string::npos) {
      capability->reason = answer ? "the probe ended early" : answer.error();
      continue;
    }
    capability->reason = answer->substr(begin, end - begin);
    capability->available = capability->reason.empty();
    begin = end + 1;
  }
  return result;
}

}  // namespace distlab::lab

#include "real/ground/processes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "models/host/event_kinds.h"
#include "real/actor/event_codec.h"

namespace distlab::ground {
namespace {

constexpr int pipe_size = 1 << 20;  // so that a burst of events does not hold the process up
constexpr const char* network = "network";

lab::Result<lab::Fd> memory_file(Bytes bytes) {
  lab::Fd file(::memfd_create("plan", MFD_CLOEXEC));
  if (!file) return lab::failure("memfd_create", errno);
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t size = ::write(file.get(), bytes.data() + at, bytes.size() - at);
    if (size < 0) return lab::failure("write to a memory file", errno);
    at += static_cast<size_t>(size);
  }
  return file;
}

std::string ending(const lab::Exit& exit) {
  return exit.signal != 0 ? fmt::format("of signal {} ({})", exit.signal, ::strsignal(exit.signal))
                          : fmt::format("with code {}", exit.code);
}

// Where a BEAM is looked for.
std::string path_of_programs() {
  const char* const path = std::getenv("PATH");
  return path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
}

// While we wait for a process, for its start or its end, it has our own priority (which it is started with), and
// between the two that of others. The nice value is a matter of its own.
void run_as_others_do(pid_t pid) {
  const sched_param none{};
  ::sched_setscheduler(pid, SCHED_OTHER, &none);
}
void run_as_we_do(pid_t pid) {
  sched_param ours{};
  if (::sched_getparam(0, &ours) == 0) ::sched_setscheduler(pid, ::sched_getscheduler(0), &ours);
}

}  // namespace

// The process's ends; ours are in Process.
struct Processes::Ends {
  lab::Fd plan, events, control;
};

Processes::Processes(Loop& loop, lab::Lab& lab, const Wan& wan, Courier& courier, Settings settings,
                     std::function<void(std::string why)> broken)
    : loop_(loop),
      lab_(lab),
      wan_(wan),
      courier_(courier),
      settings_(std::move(settings)),
      broken_(std::move(broken)),
      parts_(cast::parts(settings_.scenario, settings_.seed)) {
  uint32_t source = 0;
  for (const cast::Part& part : parts_) processes_[part.key] = {.part = &part, .source = source++};
  for (const auto& [name, machine] : wan.machines()) hosts_[name] = machine.address;
}

Processes::~Processes() {
  on_ready = on_late = nullptr;
  broken_ = nullptr;
  for (auto& [key, process] : processes_) bury(process);
}

std::vector<std::string> Processes::sources(const std::vector<cast::Part>& parts) {
  std::vector<std::string> out;
  for (const cast::Part& part : parts) out.push_back(part.key);
  out.emplace_back(network);
  return out;
}

void Processes::record(std::string_view host, const Event& event) {
  std::vector<uint8_t> bytes;
  actor::encode_event(loop_.clock().now(), event, bytes);
  const auto found = processes_.find(std::string(host));
  const auto source = found == processes_.end() ? static_cast<uint32_t>(parts_.size()) : found->second.source;
  courier_.send(MessageKind::events, source, bytes);
}

// An EPMD is there throughout, and no process the scenario speaks of.
void Processes::record_life(const Process& process, std::string_view kind) {
  const std::string& key = process.part->key;
  if (process.part->kind != cast::Kind::epmd) record(key, {kind, key, {}});
}

void Processes::start(const std::string& key) {
  Process& process = at(key);
  if (process.child && process.leaving) kill(key);
  if (process.child) return;
  announce(key);
  prepare(key);
}

void Processes::prepare(const std::string& key) {
  Process& process = at(key);
  if (auto launched = launch(process); !launched) fail(fmt::format("{} cannot be started: {}", key, launched.error()));
}

lab::Result<void> Processes::launch(Process& process) {
  Ends ends;
  auto plan = memory_file(actor::encode(plan_of(process)));
  if (!plan) return tl::unexpected(plan.error());
  ends.plan = std::move(*plan);
  std::array<int, 2> pipe{}, control{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return lab::failure("pipe2", errno);
  process.events = lab::Fd(pipe[0]);
  ends.events = lab::Fd(pipe[1]);
  ::fcntl(process.events.get(), F_SETPIPE_SZ, pipe_size);  // as much as this user may have
  ::fcntl(process.events.get(), F_SETFL, O_NONBLOCK);
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control.data()) != 0)
    return lab::failure("socketpair", errno);
  process.control = lab::Fd(control[0]);
  ends.control = lab::Fd(control[1]);
  ::fcntl(process.control.get(), F_SETFL, O_NONBLOCK);
  auto child = lab_.spawn(wan_.machines().at(process.part->machine).host,
                          {.arguments = {settings_.actor_program},
                           .environment = {fmt::format("PATH={}", path_of_programs())},
                           .nice = settings_.nice,
                           .fds = {{2, 2}, {3, ends.plan.get()}, {4, ends.events.get()}, {5, ends.control.get()}}});
  if (!child) return tl::unexpected(child.error());
  process.child.emplace(std::move(*child));
  run_as_others_do(process.child->pid());
  ++process.lives;
  process.frozen = process.leaving = process.finished = process.ready = false;
  return listen(process);
}

lab::Result<void> Processes::listen(Process& process) {
  return loop_.watch(process.events.get(), [this, &process] { read_events(process); })
      .and_then([&] { return loop_.watch(process.control.get(), [this, &process] { (void)read_report(process); }); })
      .and_then([&] { return loop_.watch(process.child->pidfd(), [this, &process] { exited(process); }); });
}

actor::Plan Processes::plan_of(const Process& process) const {
  actor::Plan plan;
  plan.scenario = settings_.text;
  plan.process = process.part->key;
  plan.seed = settings_.seed;
  plan.life = process.lives;
  plan.origin = loop_.clock().origin();
  plan.started = std::max(loop_.clock().elapsed(), process.part->start);
  plan.address = wan_.machines().at(process.part->machine).address;
  plan.hosts = hosts_;
  plan.quiet_kinds = settings_.quiet_kinds;
  plan.qlog_directory = settings_.qlog_directory;
  for (const auto& [id, harm] : process.harms) plan.harms.push_back(harm);
  return plan;
}

bool Processes::ready(const std::string& key) const {
  return processes_.at(key).ready;
}

void Processes::kill(const std::string& key) {
  Process& process = at(key);
  if (!process.child) return;
  bury(process);
  record_life(process, kinds::process_killed);
}

// What the process has said before is still in its pipe.
void Processes::bury(Process& process) {
  if (!process.child) return;
  loop_.forget(process.child->pidfd());
  run_as_we_do(process.child->pid());
  (void)process.child->signal(SIGKILL);
  process.child->wait();
  process.child.reset();
  while (process.events && read_events(process)) {
  }
  close_events(process);
  close_control(process);
}

void Processes::close_control(Process& process) {
  if (!process.control) return;
  loop_.forget(process.control.get());
  process.control.reset();
}

void Processes::freeze(const std::string& key) {
  Process& process = at(key);
  if (!process.child || process.frozen) return;
  process.frozen = true;
  (void)process.child->signal(SIGSTOP);
  record_life(process, kinds::process_frozen);
}

void Processes::thaw(const std::string& key) {
  Process& process = at(key);
  if (!process.child || !process.frozen) return;
  process.frozen = false;
  record_life(process, kinds::process_thawed);
  (void)process.child->signal(SIGCONT);
}

void Processes::tell(const std::string& key, const actor::Command& command) {
  Process& process = at(key);
  if (process.child && process.control) actor::send(process.control.get(), command);
}

void Processes::shut_down(const std::string& key) {
  Process& process = at(key);
  if (!process.child) return;
  process.leaving = true;
  tell(key, actor::Shutdown{});
}

void Processes::harm(const std::string& key, const std::string& peer, scenario::MessageHarm harm, uint64_t nth) {
  Process& process = at(key);
  const actor::HarmMessage message{++last_harm_, peer, harm, nth};
  process.harms[message.id] = message;
  tell(key, message);
}

bool Processes::read_events(Process& process) {
  std::array<uint8_t, 64 * 1024> bytes;
  const ssize_t size = ::read(process.events.get(), bytes.data(), bytes.size());
  if (size > 0) {
    courier_.send(MessageKind::events, process.source, Bytes(bytes.data(), static_cast<size_t>(size)));
    return true;
  }
  if (size == 0 || (errno != EAGAIN && errno != EINTR)) close_events(process);
  return false;
}

void Processes::close_events(Process& process) {
  if (!process.events) return;
  loop_.forget(process.events.get());
  process.events.reset();
  process.finished = true;
  while (read_report(process)) {  // what it said before it closed them
  }
  courier_.send(MessageKind::lost_tail, process.source, {});
  check_finished();
}

bool Processes::read_report(Process& process) {
  std::array<uint8_t, actor::max_message_size> bytes;
  const ssize_t size = process.control ? ::recv(process.control.get(), bytes.data(), bytes.size(), 0) : 0;
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size <= 0) {
    if (process.control) loop_.forget(process.control.get());  // it is ending
    return false;
  }
  const auto report = actor::decode_report(Bytes(bytes.data(), static_cast<size_t>(size)));
  if (!report) {
    fail(fmt::format("{}: {}", process.part->key, report.error()));
    return false;
  }
  if (const auto* harmed = std::get_if<actor::Harmed>(&*report)) {
    process.harms.erase(harmed->id);
  } else if (const auto* late = std::get_if<actor::Late>(&*report)) {
    if (on_late) on_late(late->why);
  } else if (const auto* woken = std::get_if<actor::Woken>(&*report)) {
    woken_.add(woken->counts, woken->max);
  } else {
    process.ready = true;
    if (on_ready) on_ready(process.part->key);
  }
  return true;
}

void Processes::exited(Process& process) {
  const auto exit = process.child->poll();
  if (!exit) return;
  const std::string& key = process.part->key;
  const bool wanted = (process.leaving || dismissed_) && exit->signal == 0 && exit->code == 0;
  bury(process);
  record_life(process, kinds::process_killed);
  if (!wanted) fail(fmt::format("{} ended {}", key, ending(*exit)));
  check_finished();
}

void Processes::fail(std::string why) {
  if (broken_) std::exchange(broken_, nullptr)(std::move(why));
}

void Processes::finish(Duration limit, std::function<void()> done) {
  finished_ = std::move(done);
  for (auto& [key, process] : processes_) {
    if (!process.child) continue;
    if (process.frozen) {
      bury(process);
    } else {
      tell(key, actor::Finish{.stay = true});
    }
  }
  loop_.after(limit, [this, limit] {
    for (const auto& [key, process] : processes_)
      if (process.child) fail(fmt::format("{} did not end within {:g} s after the run", key, to_seconds(limit)));
  });
  check_finished();
}

// Nobody may end while others still record, as they would record that; and nobody is killed before it has
// written its files.
void Processes::check_finished() {
  if (!finished_) return;
  const auto all = [this](auto&& what) { return std::all_of(processes_.begin(), processes_.end(), what); };
  if (!dismissed_ && all([](const auto& one) { return !one.second.child || one.second.finished; })) dismiss();
  if (dismissed_ && all([](const auto& one) { return !one.second.child; })) std::exchange(finished_, nullptr)();
}

void Processes::dismiss() {
  dismissed_ = true;
  for (auto& [key, process] : processes_) close_control(process);
}

}  // namespace distlab::ground

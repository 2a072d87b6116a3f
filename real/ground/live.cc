#include "real/ground/live.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/cast/machines.h"

namespace distlab::ground {
namespace {

using lab::Direction;
using lab::HostId;
using lab::LinkId;
using lab::Result;
using lab::Side;
using scenario::FaultKind;
using scenario::LinkProperties;

constexpr size_t max_host_name = 64;  // of what gethostname says

// One direction of a link of the scenario, as a kernel link has it.
struct Way {
  LinkId link{};
  Direction direction = Direction::a_to_b;
  auto operator<=>(const Way&) const = default;
};

// What is in force on a direction now, and what the file says.
struct State {
  LinkProperties now, original;
};

class Live final : public Wan {
 public:
  Live(const scenario::Scenario& scenario, const LiveOptions& options) : scenario_(scenario), options_(options) {}

  Result<void> build(lab::Lab& lab, Loop&) override {
    lab_ = &lab;
    return add_sites().and_then([&] { return add_machines(); }).and_then([&] {
      add_paths();
      return lab_->apply();
    });
  }

  Result<void> apply(const scenario::FaultStep& step) override {
    const scenario::Fault& fault = scenario_.faults.at(step.fault);
    if (fault.link) {
      apply_to_link(step, fault);
    } else {
      partition(step.kind == FaultKind::partition ? fault.groups : std::vector<std::vector<std::string>>{});
    }
    return lab_->apply();
  }

 private:
  struct Site {
    HostId inner{}, outer{};
    LinkId uplink{};        // a: inner, b: outer
    std::string network{};  // "10.0.1.0/24"
  };

  Result<void> add_sites() {
    for (const auto& [name, site] : scenario_.sites) {
      Site made{.network = cast::network_of(scenario_, name).to_string() + "/24"};
      for (auto [router, kind] : {std::pair{&made.inner, "inner"}, std::pair{&made.outer, "outer"}}) {
        auto host = lab_->add_host(fmt::format("{}-{}", name, kind).substr(0, max_host_name), lab::Role::router);
        if (!host) return tl::unexpected(host.error());
        *router = *host;
      }
      made.uplink = lab_->link({.host = made.inner}, {.host = made.outer});
      lab_->route(made.uplink, Side::a, "default");
      lab_->route(made.uplink, Side::b, made.network);
      shape({made.uplink, Direction::a_to_b}, site.uplink);
      shape({made.uplink, Direction::b_to_a}, site.uplink);
      sites_[name] = made;
    }
    return {};
  }

  Result<void> add_machines() {
    for (const cast::Machine& machine : cast::machines(scenario_))
      if (auto added = add_machine(machine); !added) return added;
    return {};
  }

  Result<void> add_machine(const cast::Machine& machine) {
    const auto host = lab_->add_host(machine.name.substr(0, max_host_name));
    if (!host) return tl::unexpected(host.error());
    const std::string address = machine.address.to_string();
    const LinkId link =
        lab_->link({.host = *host, .address = address}, {.host = sites_.at(machine.site).inner});  // a: the machine
    lab_->route(link, Side::a, "default");
    lab_->route(link, Side::b, address);
    const LinkProperties& lan = scenario_.sites.at(machine.site).lan;
    shape({link, Direction::a_to_b}, lan);
    shape({link, Direction::b_to_a}, lan);
    access_[machine.name] = link;
    machines_[machine.name] = {*host, machine.address};
    return {};
  }

  void add_paths() {
    for (auto a = sites_.begin(); a != sites_.end(); ++a) {
      for (auto b = std::next(a); b != sites_.end(); ++b) {
        const LinkId link = lab_->link({.host = a->second.outer}, {.host = b->second.outer});
        lab_->route(link, Side::a, b->second.network);
        lab_->route(link, Side::b, a->second.network);
        paths_[{a->first, b->first}] = {link, Direction::a_to_b};
        paths_[{b->first, a->first}] = {link, Direction::b_to_a};
        shape({link, Direction::a_to_b}, path_properties(a->first, b->first));
        shape({link, Direction::b_to_a}, path_properties(b->first, a->first));
      }
    }
  }

  LinkProperties path_properties(const std::string& from, const std::string& to) const {
    const auto found = std::find_if(scenario_.paths.begin(), scenario_.paths.end(),
                                    [&](const scenario::Path& path) { return path.from == from && path.to == to; });
    return found == scenario_.paths.end() ? scenario_.default_path : found->properties;
  }

  void shape(const Way& way, const LinkProperties& properties) {
    states_[way] = {properties, properties};
    reshape(way);
  }

  void reshape(const Way& way) {
    const LinkProperties& now = states_.at(way).now;
    lab::Shape shape{.rate_bps = now.rate_bps, .queue = now.queue};
    // A delay of a few microseconds is the kernel's own.
    if (!options_.without_netem && now.delay > std::chrono::microseconds{50}) shape.delay = now.delay;
    if (!options_.without_netem) {
      shape.jitter = now.jitter;
      shape.loss = now.loss;
      shape.duplicate = now.duplicate;
      shape.reorder = now.reorder;
    }
    lab_->shape(way.link, way.direction, shape);
  }

  // The directions a fault's target has: away from the machine or site (or from the first site), and back.
  std::pair<Way, Way> ways(const scenario::LinkTarget& target) const {
    switch (target.kind) {
      case scenario::LinkKind::access: {
        const LinkId link = access_.at(scenario::host_of(scenario_, target.a));
        return {{link, Direction::a_to_b}, {link, Direction::b_to_a}};
      }
      case scenario::LinkKind::uplink: {
        const LinkId link = sites_.at(target.a).uplink;
        return {{link, Direction::a_to_b}, {link, Direction::b_to_a}};
      }
      case scenario::LinkKind::path:
        break;
    }
    return {paths_.at({target.a, target.b}), paths_.at({target.b, target.a})};
  }

  void apply_to_link(const scenario::FaultStep& step, const scenario::Fault& fault) {
    const auto [out, in] = ways(*fault.link);
    const bool both = fault.link->outwards && fault.link->inwards;
    // The far side's interface goes down, so that whoever sends is not told.
    if (both && (step.kind == FaultKind::down || step.kind == FaultKind::up))
      lab_->set_up(out.link, Side::b, step.kind == FaultKind::up);
    for (const auto& [way, meant] : {std::pair{out, fault.link->outwards}, std::pair{in, fault.link->inwards}}) {
      if (meant) change(way, step, fault);
    }
  }

  void change(const Way& way, const scenario::FaultStep& step, const scenario::Fault& fault) {
    State& state = states_.at(way);
    switch (step.kind) {
      case FaultKind::down:
      case FaultKind::black_hole:
        return lab_->drop(way.link, way.direction, true);
      case FaultKind::up:
        return lab_->drop(way.link, way.direction, false);
      case FaultKind::hold:
      case FaultKind::release:
        return lab_->hold(way.link, way.direction, step.kind == FaultKind::hold);
      default:
        if (scenario::change_property(step, fault, state.original, state.now)) reshape(way);
    }
  }

  // By the addresses of the sites, at the outer routers, so that it and faults of paths do not undo each other.
  void partition(const std::vector<std::vector<std::string>>& groups) {
    for (const lab::Drop& drop : std::exchange(partition_, {})) lab_->drop(drop, false);
    for (const auto& group : groups) {
      for (const auto& other : groups) {
        if (&group == &other) continue;
        for (const std::string& from : group) {
          for (const std::string& to : other) {
            partition_.insert({sites_.at(to).outer, sites_.at(from).network, sites_.at(to).network});
          }
        }
      }
    }
    for (const lab::Drop& drop : partition_) lab_->drop(drop, true);
  }

  const scenario::Scenario& scenario_;
  const LiveOptions options_;
  lab::Lab* lab_ = nullptr;
  std::map<std::string, Site> sites_;
  std::map<std::string, LinkId> access_;                      // by host name; a: the machine
  std::map<std::pair<std::string, std::string>, Way> paths_;  // from, to
  std::map<Way, State> states_;
  std::set<lab::Drop> partition_;
};

}  // namespace

std::unique_ptr<Wan> make_live_network(const scenario::Scenario& scenario, const LiveOptions& options) {
  return std::make_unique<Live>(scenario, options);
}

}  // namespace distlab::ground

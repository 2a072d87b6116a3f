// A private world of hosts: each a network namespace without a name, with processes in it, joined
// to others by links the kernel shapes, or to us by ports whose packets we carry ourselves.
//
//   Result<Running> running = enter([&](Lab& lab) {
//     const HostId alice = *lab.add_host("alice");
//     std::vector<Port> ports = *lab.attach({{.host = alice, .address = "10.0.1.1"}});
//     Child shell = *lab.spawn(alice, {.arguments = {"sh"}, ...});
//     ...
//   });
//
// Hosts, ports and processes exist when the call returns. Everything said of links, routes, shapes
// and drops is written down and done by apply(), all at once, since each costs a process of ip, tc or
// nft. After an error of apply() the lab is in between and of no further use.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "real/lab/port.h"
#include "real/lab/shape.h"
#include "real/lab/spawn.h"
#include "real/lab/tools.h"
#include "real/lab/world.h"

namespace distlab::lab {

enum class HostId : size_t {};
enum class LinkId : size_t {};

enum class Role { machine, router };  // a router forwards
enum class Side { a, b };             // of a link
enum class Direction { a_to_b, b_to_a };

struct Attachment {
  enum class Kind { any, tun, veth };  // any: tun where it can be had

  HostId host{};
  std::string address = {};  // "10.0.1.1"; the default route leads here
  uint32_t mtu = 1500;
  Kind kind = Kind::any;
};

struct LinkEnd {
  HostId host{};
  std::string address = {};  // "10.0.1.1"; empty: none, as routers between routers need none
};

// Packets that are dropped on arrival at this host. What is empty matches everything; the host's
// own packets are never matched on their way out.
struct Drop {
  HostId host{};
  std::string source = {};       // "10.0.1.0/24"
  std::string destination = {};  // the same
  auto operator<=>(const Drop&) const = default;
};

// The next hop of every route. Nobody has it: without ARP all frames reach the one at the other end.
inline constexpr const char* next_hop = "169.254.0.1";

class Lab {
 public:
  static Result<Lab> make(const World& world);
  Lab(Lab&&) = default;
  Lab& operator=(Lab&&) = delete;
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab() = default;

  const World& world() const { return world_; }

  // The name is what gethostname says there: 1 to 64 characters. lo is up, IPv6 is off.
  Result<HostId> add_host(const std::string& name, Role role = Role::machine);

  // One port for each, in this order. Applies what was written down before, too.
  Result<std::vector<Port>> attach(const std::vector<Attachment>& attachments);

  // A pair of virtual Ethernet devices without ARP, up. Nothing is routed over it by itself.
  LinkId link(const LinkEnd& a, const LinkEnd& b, uint32_t mtu = 1500);
  // At the link's host on that side: packets for the destination ("default", "10.0.1.1" or
  // "10.0.1.0/24") leave through the link.
  void route(LinkId link, Side side, const std::string& destination);
  // Of the packets that travel in this direction.
  void shape(LinkId link, Direction direction, const Shape& shape);
  // Keeps what travels in this direction at the sending end, in order and up to 100,000 packets, until
  // it is let go. About one packet a minute slips through.
  void hold(LinkId link, Direction direction, bool on);
  // Takes the interface on that side down; the other side sees its cable unplugged. What waits in
  // its queue is lost. While it is down, a router drops what it would have sent through it.
  void set_up(LinkId link, Side side, bool up);
  // Packets that travel in this direction vanish at the far end, and senders are not told.
  void drop(LinkId link, Direction direction, bool on);
  void drop(const Drop& drop, bool on);
  Result<void> apply();

  // A process in the host; it dies with the lab. It gets the caller's limit of open files unless the
  // command says otherwise. Anything written down must have been applied.
  Result<Child> spawn(HostId host, const Command& command) const;
  // Runs the tool's commands in the host now: for what this class has no word for. The table "distlab"
  // of nft is ours.
  Result<void> run(HostId host, Tool tool, const std::vector<std::string>& commands) const;
  // The name of the link's interface on that side, for such commands.
  const std::string& interface(LinkId link, Side side) { return end(at(link), side).interface; }
  // Runs the action as a thread of this host: sockets it opens belong to the host.
  Result<void> within(HostId host, const std::function<void()>& action) const;
  // Puts the text in the place of an existing file, for this world only ("/etc/hosts").
  Result<void> replace_file(const std::string& path, const std::string& text);

 private:
  struct Host {
    std::string name;
    Role role = Role::machine;
    Fd network;  // its namespace
    Fd control;  // a socket there, for ioctl
    size_t interfaces = 0;
    std::vector<std::string> ip, tc;  // written down
    bool rules_changed = false;
  };
  struct End {
    HostId host{};
    std::string interface = {}, address = {};
    std::vector<std::string> routes = {};
    Shape wanted = {};      // of what leaves here
    Shape at_present = {};  // the same unless it is held
    bool held = false;
    bool was_held = false;
    bool dropped = false;  // what arrives here
    bool up = true;
  };
  struct Link {
    End a, b;
    uint32_t mtu = 1500;
  };

  explicit Lab(World world) : world_(std::move(world)) {}

  Host& at(HostId host) { return hosts_[static_cast<size_t>(host)]; }
  const Host& at(HostId host) const { return hosts_[static_cast<size_t>(host)]; }
  Link& at(LinkId link) { return links_[static_cast<size_t>(link)]; }
  static End& end(Link& link, Side side) { return side == Side::a ? link.a : link.b; }
  static End& sending_end(Link& link, Direction direction) { return direction == Direction::a_to_b ? link.a : link.b; }
  static End& receiving_end(Link& link, Direction direction) {
    return direction == Direction::a_to_b ? link.b : link.a;
  }
  std::string next_interface(HostId host);
  EthernetAddress next_ethernet_address();
  int next_index() { return next_index_++; }
  std::string network_path(HostId host) const;
  static std::string route_command(const End& end, const std::string& destination);
  std::vector<std::string> rules(HostId host) const;

  struct FarEnd {  // of a veth port
    std::string interface;
    EthernetAddress host_address{};  // of the near end
  };
  Result<Port> attach_tun(const Attachment& attachment, const std::string& interface);
  FarEnd add_far_end(const Attachment& attachment, const std::string& interface);
  Result<Port> open_far_end(const Attachment& attachment, const std::string& interface, const FarEnd& far_end);

  std::vector<Script> take(Tool tool);
  bool pending() const;
  void reshape(LinkId id, Direction direction);
  Result<void> nudge(const Link& link, const End& end) const;
  static Result<void> wait_for_carrier(const Host& host, const std::string& interface);

  World world_;
  Host outside_;  // the lab's own namespace, where the far ends of ports are; `ip` makes links there
  std::vector<Host> hosts_;
  std::vector<Link> links_;
  std::set<Drop> drops_;
  // Since the last apply():
  std::set<LinkId> unsettled_;                     // links that were made, or went up or down
  std::set<std::pair<LinkId, Direction>> nudges_;  // directions that were held or let go
  std::set<LinkId> superpackets_;  // links that were made, whose interfaces still join packets to large ones
  uint32_t ethernet_addresses_ = 0;
  // Of interfaces, different throughout the lab: when both ends of a pair have the same number, the
  // kernel takes up to a second to notice a plugged cable (linkwatch_urgent_event). Above what it
  // numbers itself.
  int next_index_ = 1000;
  size_t far_ends_ = 0;
  size_t replaced_files_ = 0;
};

// A lab in a world of its own (world.h says what the caller must heed). An error of making it is
// this call's error; the body's result is the status of Running::wait.
Result<Running> enter(const std::function<int(Lab&)>& body, const std::vector<std::string>& keep = {});

}  // namespace distlab::lab

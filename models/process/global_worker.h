// What global's locker and registrar have in common: calls to the name servers of many nodes, one
// after the other, as gen_server:multi_call/3 makes them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/process/process.h"

namespace distlab::process {

class Global;

// {ResourceId, LockRequesterId}.
struct LockId {
  Term resource, requester;
  Term term() const { return etf::tuple(resource, requester); }
};

class GlobalWorker : public Process {
 public:
  // gen_server:cast({global_name_server, Node}, Request).
  void cast(const std::string& to, Term request);

 protected:
  using Nodes = std::vector<std::string>;
  using Replies = std::map<std::string, Term>;

  explicit GlobalWorker(Global& server) : server_(server) {}

  // Nodes that went down or have no name server are missing in the replies.
  void multi_call(const Nodes& nodes, const Term& request, std::function<void(const Replies&)> done);
  // global:set_lock_on_nodes/2: all or none.
  void set_lock(const LockId& id, const Nodes& nodes, std::function<void(bool set)> done);
  void del_lock(const LockId& id, const Nodes& nodes, std::function<void()> done);
  // global:delete_global_lock/2: the boss last.
  void delete_global_lock(const LockId& id, const Nodes& nodes, std::function<void()> done);
  // global:random_sleep/1.
  Duration random_sleep(int times);

  static std::string the_boss(const Nodes& nodes);
  static Nodes without(const Nodes& nodes, const Nodes& excluded);

  Global& server() const { return server_; }

  void on_message(const Term& message) final;
  void on_down(const Down& down) final;
  virtual void on_mail() {}  // the server has left something to do
  virtual void on_other(const Term& /*message*/) {}

  void wake();  // on_mail will be called

 private:
  void finish_call();

  Global& server_;
  Ref tag_;
  std::map<std::string, Ref> waiting_;
  Replies replies_;
  std::function<void(const Replies&)> done_;
};

}  // namespace distlab::process

// Small servers every node runs: echo, and the message interfaces of net_kernel and rex.
#pragma once

#include "models/process/gen.h"

namespace distlab::process {

// Registered `echo`: a call is answered with its request; casts and messages are taken and dropped.
class EchoServer final : public Server {
 protected:
  void handle_call(const GenCall& call) override { reply(call, call.request); }
};

// Registered `net_kernel`: {is_auth, Node}, which is what net_adm:ping/1 asks, is answered `yes`
// (net_kernel.erl, handle_call({is_auth, _Node}, ...)); other calls get no answer.
class NetKernelServer final : public Server {
 protected:
  void handle_call(const GenCall& call) override {
    if (!call.request.as_tagged("is_auth", 2).empty()) reply(call, etf::atom("yes"));
  }
};

// Registered `rex` (kernel rpc.erl): runs {call, M, F, Args, GroupLeader} and block_call in a
// process of its own, starts {cast, ...}, sends {sbcast, ...} and {send, ...}, and tells
// {From, features_request} that this node has erpc. Group leaders are not used: native functions
// do no input or output.
class RexServer final : public Server {
 protected:
  void on_start() override { watch_nodes(); }
  // rpc:nodes_observer_loop/1 asks every new node for its features; the answer changes nothing.
  void on_node_up(const std::string& peer) override {
    send(RemoteName{"rex", peer}, etf::tuple(self(), etf::atom("features_request")));
  }
  void handle_call(const GenCall& call) override;
  void handle_cast(const Term& request) override;
  void handle_info(const Term& message) override;

 private:
  void forward(const Pid& from, const Term& name, Term message, bool answer_success);
};

}  // namespace distlab::process

// gen_tcp of OTP 25 as the oracle for what the bridge's model takes from it: what becomes of a receive
// whose process is killed, how much a receive gives, and how much a connection over 127.0.0.1 takes.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "models/tunnel/settings.h"

namespace distlab::tunnel {
namespace {

// create_loopback_pair/0 in its own words would be the same: a listener on 127.0.0.1, {packet, 2} at
// dist_util's end, raw at the bridge's. A process that waits may still wait for its port to begin
// (erlang:port_control/3 does, when the port is busy): only within recv0/3 has the receive begun.
constexpr const char* pair = R"(
  {ok, L} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127,0,0,1}}]),
  {ok, Port} = inet:port(L),
  {ok, Dist} = gen_tcp:connect({127,0,0,1}, Port, [binary, {active, false}, {packet, 4}, {nodelay, true}]),
  {ok, Bridge} = gen_tcp:accept(L),
  Waits = fun(F, P) ->
    case process_info(P, [status, current_function]) of
      [{_, waiting}, {_, {prim_inet, recv0, 3}}] -> P;
      undefined -> P;
      _ -> erlang:yield(), F(F, P)
    end
  end,
)";

// What erl prints of the value of this expression, with `Dist` and `Bridge` bound.
std::string erl(const std::string& expression) {
  std::string program =
      std::string(pair) + " Value = begin " + expression + " end, io:format(\"~w\", [Value]), halt().";
  for (size_t at = 0; (at = program.find('\n', at)) != std::string::npos;) program[at] = ' ';
  const std::string command = "timeout -s KILL 60 erl -noinput -boot start_clean -eval '" + program + "' 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 4096> buffer;
  while (pipe && fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) out += buffer.data();
  return out.empty() ? "nothing within 60 s" : out;
}

TEST(OtpLoopback, AReceiveOutlivesItsProcess) {
  // A reader killed in recv/3, as the bridge kills its own: the next one gets ealready, what comes then goes
  // to the dead, and only the third receives again. Settings: recv_outlives_reader.
  EXPECT_EQ(erl(R"(
      Main = self(),
      First = Waits(Waits, spawn(fun() -> gen_tcp:recv(Bridge, 0) end)),
      Down = monitor(process, First), exit(First, kill), receive {_, Down, _, _, _} -> ok end,
      Second = gen_tcp:recv(Bridge, 0),
      ok = gen_tcp:send(Dist, <<"lost">>),
      Again = fun(F) -> case gen_tcp:recv(Bridge, 0) of {error, ealready} -> F(F); Other -> Other end end,
      Waits(Waits, spawn(fun() -> Main ! Again(Again) end)),
      ok = gen_tcp:send(Dist, <<"seen">>),
      {Second, receive Third -> Third end})"),
            "{{error,ealready},{ok,<<0,0,0,4,115,101,101,110>>}}");
  EXPECT_TRUE(macula_3_13().recv_outlives_reader);
}

TEST(OtpLoopback, AReceiveGivesAtMost1460Bytes) {
  // The driver's default buffer. Settings: chunk_bytes.
  EXPECT_EQ(erl(R"(
      ok = gen_tcp:send(Dist, binary:copy(<<0>>, 100000)),
      {ok, First} = gen_tcp:recv(Bridge, 0), {ok, Second} = gen_tcp:recv(Bridge, 0),
      {byte_size(First), byte_size(Second)})"),
            "{1460,1460}");
  EXPECT_EQ(TunnelSettings{}.chunk_bytes, 1460u);
}

TEST(OtpLoopback, NobodyReadingItTakesAFewMegabytes) {
  // How many depends on the kernel; ours must be of that order. Settings: loopback_send_buffer,
  // loopback_receive_buffer.
  const std::string taken = erl(R"(
      inet:setopts(Dist, [{send_timeout, 500}]), Message = binary:copy(<<0>>, 996),
      Fill = fun(Fill, Sum) -> case gen_tcp:send(Dist, Message) of ok -> Fill(Fill, Sum + 1000); _ -> Sum end end,
      Fill(Fill, 0))");
  const double bytes = std::atof(taken.c_str());
  const double ours = double(TunnelSettings{}.loopback_send_buffer + TunnelSettings{}.loopback_receive_buffer);
  EXPECT_GT(bytes, ours / 4) << taken;
  EXPECT_LT(bytes, ours * 4) << taken;
}

}  // namespace
}  // namespace distlab::tunnel

%% A node that has booted and waits: booting takes as long as it takes, but a scenario says when its
%% node is there. So `erl` starts without distribution, says that it stands by, and when it is told
%% to, starts net_kernel under the name it was given.
-module(distlab_probe_standby).

-export([start/2]).

-define(PROTOCOL_VERSION, 1).
-define(CONNECT_TIMEOUT, 10_000).

%% Returns at once; Then runs when the node is alive. Without `start` the node ends.
-spec start(inet:socket_address(), fun(() -> ok)) -> pid().
start({Host, Port}, Then) ->
    spawn(fun() -> stand_by(Host, Port, Then) end).

stand_by(Host, Port, Then) ->
    Options = [binary, {packet, 4}, {active, false}, {nodelay, true}],
    {ok, Socket} = gen_tcp:connect(Host, Port, Options, ?CONNECT_TIMEOUT),
    Pid = list_to_binary(os:getpid()),
    ok = gen_tcp:send(Socket, term_to_binary({standby, #{version => ?PROTOCOL_VERSION, pid => Pid}})),
    ok = distlab_probe_workload:load(),
    ok = load_kernel(),
    case gen_tcp:recv(Socket, 0) of
        {ok, Data} -> go(binary_to_term(Data), Then);
        {error, _} -> halt(0)
    end.

%% Nodes in production are releases, which load all modules at boot (embedded mode). A node that
%% loads them when they are first called takes some 20 ms more for its first connection.
load_kernel() ->
    {ok, Modules} = application:get_key(kernel, modules),
    code:ensure_modules_loaded(Modules).

go({start, Name}, Then) ->
    case net_kernel:start(binary_to_atom(Name), #{name_domain => longnames}) of
        {ok, _} ->
            Then();
        {error, Reason} ->
            io:format(standard_error, "distlab_probe: no distribution: ~0p~n", [Reason]),
            halt(1)
    end.

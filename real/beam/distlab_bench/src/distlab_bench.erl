%% One of the two nodes of `distlab bench beam`: connects to whoever measures (DISTLAB_BENCH=HOST:PORT),
%% says hello, and carries out one order after the other. Frames have four bytes of length and carry one
%% term; texts are binaries, durations nanoseconds.
%%
%%   node      {hello, Node, Pid}
%%   order     {join, [Url]}                              of a node with the carrier macula
%%   answer    ok | {error, Text}
%%   order     {connect, Peer}
%%   answer    {connected, true | false}
%%   order     {calls, Peer, Bytes, WarmUp, Time}
%%   answer    {calls, All, <<Elapsed:64, ...>>}          of each call after the warming up
%%   order     {flood, Peer, Bytes, Window, WarmUp, Time}
%%   answer    {flood, All, Counted, Elapsed}             messages, acknowledged
%%
%% When the connection closes, the node halts at once.
-module(distlab_bench).

-export([start/0]).

-define(CONNECT_TIMEOUT, 10_000).
-define(ALIVE_POLL_MS, 10).
-define(CONNECT_TRIES, 20).
-define(CONNECT_PAUSE_MS, 100).

-spec start() -> pid().
start() ->
    spawn(fun run/0).

%% The socket is this process's own, so that it closes when an order fails.
-spec run() -> no_return().
run() ->
    register(?MODULE, self()),
    [Host, Port] = string:split(os:getenv("DISTLAB_BENCH"), ":", trailing),
    {ok, Address} = inet:parse_ipv4strict_address(Host),
    Options = [binary, {packet, 4}, {active, true}, {nodelay, true}],
    {ok, Socket} = gen_tcp:connect(Address, list_to_integer(Port), Options, ?CONNECT_TIMEOUT),
    {ok, _} = distlab_bench_echo:start(),
    _ = distlab_bench_flood:start_sink(),
    await_distribution(),
    say(Socket, {hello, atom_to_binary(node()), list_to_integer(os:getpid())}),
    serve(Socket).

await_distribution() ->
    case is_alive() of
        true ->
            ok;
        false ->
            timer:sleep(?ALIVE_POLL_MS),
            await_distribution()
    end.

-spec serve(gen_tcp:socket()) -> no_return().
serve(Socket) ->
    receive
        {tcp, Socket, Frame} ->
            watch(Socket, binary_to_term(Frame)),
            serve(Socket);
        {tcp_closed, Socket} ->
            erlang:halt(0, [{flush, false}])
    end.

%% In a process of its own: the end of the connection must be noticed all the while.
watch(Socket, Order) ->
    {Pid, Monitor} = spawn_opt(fun() -> exit({answer, obey(Order)}) end, [monitor, {min_heap_size, 100_000}]),
    receive
        {'DOWN', Monitor, process, Pid, {answer, Answer}} -> say(Socket, Answer);
        {'DOWN', Monitor, process, Pid, Reason} -> say(Socket, failure(Reason));
        {tcp_closed, Socket} -> erlang:halt(0, [{flush, false}])
    end.

say(Socket, Term) ->
    ok = gen_tcp:send(Socket, term_to_binary(Term)).

failure(Reason) ->
    {error, unicode:characters_to_binary(io_lib:format("~0p", [Reason]))}.

obey({join, Relays}) ->
    %% By name: only a node with that carrier has the application.
    case apply(macula, join_mesh, [#{relays => Relays, tls_verify => none}]) of
        ok -> ok;
        {error, Reason} -> failure(Reason)
    end;
obey({connect, Peer}) ->
    {connected, connect(binary_to_atom(Peer), ?CONNECT_TRIES)};
obey({calls, Peer, Bytes, WarmUp, Time}) ->
    distlab_bench_calls:measure(binary_to_atom(Peer), Bytes, WarmUp, Time);
obey({flood, Peer, Bytes, Window, WarmUp, Time}) ->
    distlab_bench_flood:measure(binary_to_atom(Peer), Bytes, Window, WarmUp, Time).

%% A peer may be up before a relay knows it.
connect(_Peer, 0) ->
    false;
connect(Peer, Tries) ->
    case net_adm:ping(Peer) of
        pong ->
            true;
        pang ->
            timer:sleep(?CONNECT_PAUSE_MS),
            connect(Peer, Tries - 1)
    end.
